import { SluiceError, toWire } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Operations, Outcome, Outcomes, ScaleWish } from '../core/operations.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import { audit, checkFences, checkStops } from './operation-rules.ts';
import { type ResizeDeps, resize } from './resize.ts';
import { applicationNamed, platformsOf } from './scope.ts';
import { configuredOn, keepSize } from './sizes.ts';
import { type SwitchingDeps, switchPower } from './switching.ts';

export interface OperationsDeps extends ResizeDeps, Omit<SwitchingDeps, 'identity'> {
  readonly settings: Pick<Settings, 'applications'>;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly deploysTo: (platform: PlatformName) => boolean;
}

/** What people do to what is deployed, the same in a controller and in a command that works alone. */
export function createOperations(deps: OperationsDeps): Operations {
  const { clock, records } = deps;

  /** One platform's failure is its own. The orders go out one after the other, under the lease; then all are waited for. */
  async function onEach(
    platforms: readonly PlatformName[],
    begin: (provider: PlatformProvider) => Promise<{ readonly going: Promise<Outcome> }>,
  ): Promise<Outcomes> {
    const failed = (caught: unknown): Outcome => ({ error: toWire(SluiceError.from(caught)) });
    const begun: (readonly [PlatformName, Promise<Outcome>])[] = [];
    for (const platform of platforms) {
      const provider = deps.providers.get(platform);
      const outcome =
        provider === undefined
          ? failed(new Error(`no provider for ${platform}`))
          : await begin(provider).catch(failed);
      begun.push([platform, 'going' in outcome ? outcome.going.catch(failed) : Promise.resolve(outcome)]);
    }
    const outcomes: Record<PlatformName, Outcome> = {};
    for (const [platform, outcome] of begun) outcomes[platform] = await outcome;
    return outcomes;
  }

  return {
    async scale(wish) {
      const application = applicationNamed(deps.settings, wish.application);
      const platforms = platformsOf(application, wish.platforms, deps.deploysTo);
      for (const platform of platforms) checkScale(application, platform, wish, clock.now());
      await checkFences(deps, application, platforms);
      await checkStops(deps, application, platforms);
      audit(deps, 'scale', wish, platforms);
      return onEach(platforms, async (provider) => {
        const { platform } = provider;
        const configured = configuredOn(application, platform);
        const to = wish.instances ?? configured;
        const at = clock.now();
        const size = { instances: to, configured, by: 'hand', reason: wish.reason, at } as const;
        const until = wish.forMs === undefined ? {} : { until: at + wish.forMs };
        const kept = wish.instances === undefined ? undefined : { ...size, ...until };
        const reason = `${wish.who}${wish.reason === '' ? '' : `: ${wish.reason}`}`;
        const keep = () => keepSize(records, application.name, platform, kept);
        const { from, done } = await resize(deps, { application, provider, to, reason, keep });
        return { going: done.then((tookMs) => ({ from, to, tookMs })) };
      });
    },
    power: (wish) => switchPower(deps, wish),
  };
}

function checkScale(
  application: ApplicationSettings,
  platform: PlatformName,
  { instances, force }: ScaleWish,
  now: number,
): void {
  if (instances !== undefined && (!Number.isInteger(instances) || instances < 1 || instances > 1_000)) {
    throw new SluiceError('USAGE', `${instances} is no number of instances`, {
      remedy: 'use 1 to 1000; `sluice destroy` removes it',
    });
  }
  if (force) return;
  const most = application.targets.find((target) => target.platform === platform)?.maxInstances;
  if (instances !== undefined && most !== undefined && instances > most) {
    throw new SluiceError('SAFETY_VETO', `${application.name} may have ${most} instances on ${platform}`, {
      where: platform,
      why: `\`maxInstances\` of the target is ${most}, and ${instances} were asked for`,
      remedy: 'raise maxInstances, or scale with --force',
    });
  }
  const window = application.policy.freeze?.find(
    (one) => one.deny.includes('scale') && one.window.isOpen(now),
  );
  if (window === undefined) return;
  throw new SluiceError('SAFETY_VETO', `${application.name} is not to be scaled now`, {
    where: platform,
    why: `its policy is frozen ${window.window.text}`,
    remedy: 'wait until the window has closed, or scale with --force',
  });
}
