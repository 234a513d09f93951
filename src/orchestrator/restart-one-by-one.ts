import { platformError } from '../core/errors.ts';
import type { Observation, Operation, PlatformProvider, ProviderContext } from '../core/provider.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { SwitchPower } from '../core/switch-power.ts';
import type { PlatformTraffic } from '../core/traffic.ts';

interface Restart {
  readonly application: ApplicationSettings;
  readonly provider: PlatformProvider;
  readonly power: SwitchPower;
  readonly context: ProviderContext;
  readonly traffic: PlatformTraffic;
  /** Follows an operation to its end. */
  readonly settle: (operation: Operation) => Promise<void>;
  /** Before anything was done. */
  readonly seen: Observation;
}

/**
 * Where each instance is an origin of its own, nobody but the gateway can spare it: one more comes first, so that as
 * many serve as before; then each leaves the table, drains, starts anew and is back in the table before the next. When
 * one does not come back the others stay as they are, and so does the one more.
 */
export async function restartOneByOne(restart: Restart): Promise<void> {
  const { application, provider, power, context, traffic, settle, seen } = restart;
  const { name } = application;
  const { platform } = provider;
  const before = new Set(seen.instances.map(({ id }) => id));
  const old = seen.instances.filter(
    ({ state, release }) => state !== 'stopping' && state !== 'stopped' && release === seen.serving,
  );
  await settle(await provider.scale(context, name, seen.desired + 1));
  const grown = await provider.observe(context, name);
  const more = urlsOf(grown, (id) => !before.has(id));
  await back(more, 'the instance that was to stand in');
  for (const { id } of old) {
    const now = await provider.observe(context, name);
    await traffic.leave(
      name,
      platform,
      urlsOf(now, (one) => one === id),
    );
    await settle(await power.restartInstance!(context, name, id));
    const after = await provider.observe(context, name);
    await back(
      urlsOf(after, (one) => one === id),
      id,
    );
  }
  await traffic.leave(name, platform, more);
  await settle(await provider.scale(context, name, seen.desired));

  async function back(urls: readonly string[], what: string): Promise<void> {
    if (urls.length > 0 && (await traffic.join(name, platform, urls))) return;
    throw platformError('startFailed', platform, `${what} does not answer after its start`, {
      why: 'the gateway’s own probes have not seen it answer',
      remedy: `see \`sluice logs ${name}\`; the others were left as they are, with one instance more than wanted`,
    });
  }
}

function urlsOf({ origins }: Observation, which: (instance: string) => boolean): readonly string[] {
  return origins.flatMap(({ url, instance, trial }) =>
    trial !== true && instance !== undefined && which(instance) ? [url] : [],
  );
}
