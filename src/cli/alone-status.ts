import type { ReleaseNames } from '../app/release-names.ts';
import { SLUICE_VERSION } from '../app/version.ts';
import type { OperatorAct } from '../core/acts.ts';
import { SluiceError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Observation, PlatformProvider } from '../core/provider.ts';
import type { ApplicationSettings, Settings, TargetSettings } from '../core/settings.ts';
import type { ApplicationStatus, PlatformStatus, StatusView } from '../core/status.ts';
import { withStopped } from '../lib/stopped-status.ts';

export interface AloneStatusDeps {
  readonly providers: ReadonlyMap<string, PlatformProvider>;
  readonly names: ReleaseNames;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly acts: readonly OperatorAct[];
}

/** A platform that takes longer than this is shown as not answering. */
const OBSERVE_MS = 15_000;

/** What the platforms say, read once. Nobody probes and nobody serves, so nothing is said of health or traffic. */
export async function aloneStatus(settings: Settings, deps: AloneStatusDeps): Promise<StatusView> {
  const applications = await Promise.all(
    Object.values(settings.applications).map((application) => statusOf(application, settings, deps)),
  );
  return {
    at: deps.clock.now(),
    version: SLUICE_VERSION,
    tableVersion: 0,
    workers: { wanted: settings.gateway.workers, ready: 0 },
    applications,
    recent: [],
  };
}

async function statusOf(
  application: ApplicationSettings,
  settings: Settings,
  deps: AloneStatusDeps,
): Promise<ApplicationStatus> {
  const { name, targets } = application;
  const release = deps.names.newestLive(name);
  return {
    name,
    release: release && { id: release.id, number: release.number },
    demandRps: 0,
    platforms: await Promise.all(
      targets.map(async (target) => {
        const provider = settings.platforms[target.platform]?.provider ?? 'unknown';
        const seen = await observe(deps.providers.get(target.platform), name, deps);
        return withStopped(platformStatus(name, target, provider, seen, deps), name, deps.acts);
      }),
    ),
  };
}

async function observe(
  provider: PlatformProvider | undefined,
  application: string,
  { clock, signal }: AloneStatusDeps,
): Promise<Observation | SluiceError> {
  if (!provider) return new SluiceError('BUG', 'there is no provider for it');
  const late = new AbortController();
  const dispose = clock.after(OBSERVE_MS, () =>
    late.abort(new SluiceError('PLATFORM_TIMEOUT', `no answer within ${OBSERVE_MS / 1000} s`)),
  );
  const stop = AbortSignal.any([late.signal, signal]);
  try {
    // The race, so that a provider which overlooks the signal cannot hold us.
    return await Promise.race([
      provider.observe({ signal: stop, now: clock.now, log: () => undefined }, application),
      aborted(stop),
    ]);
  } catch (caught) {
    return SluiceError.from(late.signal.aborted ? late.signal.reason : caught);
  } finally {
    dispose();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, fail) => {
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
  });
}

function platformStatus(
  application: string,
  target: TargetSettings,
  provider: string,
  seen: Observation | SluiceError,
  { names, clock }: AloneStatusDeps,
): PlatformStatus {
  const at = clock.now();
  const unread = seen instanceof SluiceError;
  const serving = unread ? undefined : seen.serving;
  const number = serving === undefined ? undefined : names.numberOf(application, serving);
  return {
    name: target.platform,
    provider,
    tier: target.tier,
    verdict: {
      state: 'unknown',
      since: at,
      cause: unread ? seen.message : 'no server runs to probe it',
      evidence: unread && seen.details.why !== undefined ? [seen.details.why] : [],
    },
    share: 0,
    state: 'off',
    rps: 0,
    errorRate: 0,
    p95Ms: 0,
    instances: unread ? undefined : instancesIn(seen),
    release: serving === undefined ? undefined : { id: serving, ...(number === undefined ? {} : { number }) },
    api: unread ? { reachable: false, error: seen.message, at } : { reachable: true, at },
    ejectedOrigins: 0,
    origins: unread ? 0 : seen.origins.filter(({ trial }) => trial !== true).length,
  };
}

/** Undefined where nobody counts instances: static origins. */
function instancesIn(seen: Observation): PlatformStatus['instances'] {
  if (seen.desired === 0 && seen.instances.length === 0) return undefined;
  const running = seen.instances.filter(({ state, routable }) => state === 'running' && routable !== false);
  return { running: running.length, desired: seen.desired };
}
