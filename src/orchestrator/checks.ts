import { fromWire, SluiceError, type WireError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { PlanCheck, PlatformProvider, ProviderContext, TargetSpec } from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { OrchestratorDeps } from './deps.ts';
import { leavingTheirs } from './drift-fields.ts';
import { targetSpecOf } from './target-spec.ts';

/** A platform that cannot be asked in this time is no reason to refuse: the deployment will tell. */
const LONGEST_MS = 10_000;

interface Refusal {
  readonly platform: PlatformName;
  readonly what: string;
  readonly error: WireError;
}

/**
 * Throws what any of the platforms would refuse anyhow, before anything is staged on any of them. Where a platform
 * cannot be asked, nothing is known, and the deployment goes on.
 */
export async function refuseWhatWouldFail(
  deps: Pick<OrchestratorDeps, 'providers' | 'clock' | 'scaledTo'>,
  application: ApplicationSettings,
  platforms: readonly PlatformName[],
  release: Release,
): Promise<void> {
  async function refusalsOn(platform: PlatformName): Promise<readonly Refusal[]> {
    const provider = deps.providers.get(platform);
    const want = targetSpecOf(application, platform, release, deps.scaledTo?.(application.name, platform));
    if (!provider?.check || !want) return [];
    const stop = new AbortController();
    const expire = deps.clock.after(LONGEST_MS, () => stop.abort(new Error('too late')));
    const context = { signal: stop.signal, now: () => deps.clock.now(), log: () => undefined };
    try {
      const checks = await checksOf(provider, context, want, application);
      return checks.flatMap(({ what, error }) => (error === undefined ? [] : [{ platform, what, error }]));
    } catch {
      return [];
    } finally {
      expire();
    }
  }

  const refusals = (await Promise.all(platforms.map(refusalsOn))).flat();
  if (refusals.length > 0) throw refusedAll(refusals, platforms);
}

async function checksOf(
  provider: PlatformProvider,
  context: ProviderContext,
  want: TargetSpec,
  application: ApplicationSettings,
): Promise<readonly PlanCheck[]> {
  const seen = await provider.observe(context, want.application);
  // Nothing will be asked of the platform.
  if (seen.serving === want.release.id && seen.desired === want.process.instances) return [];
  return (await provider.check?.(context, leavingTheirs(want, seen, application.drift), seen)) ?? [];
}

function refusedAll(refusals: readonly Refusal[], platforms: readonly PlatformName[]): SluiceError {
  const refusing = new Set(refusals.map(({ platform }) => platform));
  const others = platforms.filter((platform) => !refusing.has(platform));
  const elsewhere = others.length === 0 ? '' : `; or leave it out: --on ${others.join(',')}`;
  const [first] = refusals.map(({ error }) => fromWire(error));
  if (first && refusals.length === 1) {
    const remedy = `${first.details.remedy ?? 'see `sluice plan`'}${elsewhere}`;
    return new SluiceError(
      first.code,
      `nothing was begun: ${first.message}`,
      { ...first.details, remedy },
      first.class,
    );
  }
  return new SluiceError(
    first?.code ?? 'BUG',
    `nothing was begun: ${[...refusing].join(', ')} would refuse this`,
    {
      where: [...refusing].join(', '),
      why: refusals
        .map(({ platform, what, error }) => `${platform}: ${what}: ${error.message}; ${error.why ?? ''}`)
        .join('\n'),
      remedy: `${[...new Set(refusals.map(({ error }) => error.remedy))].join('\n')}${elsewhere}`,
    },
    first?.class,
  );
}
