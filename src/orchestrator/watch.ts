import type { DeploySettings } from '../core/deploy-settings.ts';
import type { DeploymentRecord, Together } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { ObservedOrigin } from '../core/provider.ts';
import type { HealthSettings } from '../core/settings.ts';
import type { ReleaseOutcome } from '../core/traffic.ts';
import { formatDuration } from '../core/units.ts';
import type { DeploymentContext } from './context.ts';
import { judgeStep, type StepSight } from './gate.ts';
import { Refused } from './party.ts';
import { checkLease, Stopped } from './target-run.ts';

const LOOK_MS = 1_000;
/** The numbers change with every request; a person reads them now and then. */
const TELL_MS = 5_000;
/** Probes in a row that a release may leave unanswered. */
const SILENT = 3;
/** What traffic met lately; it is told once a second. */
const RECENT_MS = 3_000;

export interface Progress {
  readonly record: DeploymentRecord;
  readonly deploy: DeploySettings;
  /** From 0; as many as there are: before it goes in place. */
  readonly step: number;
  /** Where the trials answered. */
  readonly origins: ReadonlyMap<PlatformName, readonly ObservedOrigin[]>;
  readonly together: Together;
  readonly health: HealthSettings;
}

/** Nothing goes on while something else is wrong: a platform is down, or automation is on hold. */
export async function clearance(context: DeploymentContext, progress: Progress): Promise<void> {
  const { clock } = context;
  const since = clock.now();
  const tell = teller(context, progress);
  for (;;) {
    checkGoesOn(context, progress);
    const why = pauseOf(context, progress);
    if (why === undefined) return;
    tell('paused', why);
    const { barrierMs } = progress.deploy;
    // While clients meet two releases the skew ends it; before, the patience for barriers does.
    if (progress.together.skewSince === undefined && clock.now() - since > barrierMs)
      throw new Refused(pausedTooLong(why, barrierMs));
    await clock.sleep(LOOK_MS);
  }
}

/**
 * Watches the part of the traffic that a step gave, until the gates pass it. Throws `Refused` when they do not. What a
 * platform that is down fails is no fault of the release: the survivors are judged, and nothing goes on until it is back.
 */
export async function watchStep(context: DeploymentContext, progress: Progress): Promise<void> {
  const { clock, traffic } = context;
  const { record, deploy, together } = progress;
  const { application } = record;
  const tell = teller(context, progress);
  const isSilent = listener(context, progress);
  let since = clock.now();
  let away: ReadonlySet<PlatformName> = new Set();
  let doubtedSince: number | undefined;
  for (;;) {
    checkGoesOn(context, progress);
    const down = new Set(context.down?.(application) ?? []);
    // Who is back is watched anew: what was failed meanwhile is still among what was met.
    if ([...away].some((platform) => !down.has(platform))) since = clock.now();
    away = down;
    const outcomes = traffic.outcomes(application, since).filter(({ platform }) => !away.has(platform));
    const sight = { outcomes, before: together.before ?? [], watchedMs: clock.now() - since };
    const silent = await isSilent(away);
    const verdict =
      silent === undefined
        ? judgeStep(sight, deploy)
        : ({ state: 'failed', message: silent.message } as const);
    if (verdict.state === 'failed') {
      doubtedSince ??= clock.now();
      const recent = traffic.outcomes(application, clock.now() - RECENT_MS);
      const suspect = silent === undefined ? suspectOf(sight, recent, deploy) : silent.platform;
      const isAlone = [...progress.origins.keys()].every((name) => name === suspect || away.has(name));
      const isOpen = suspect !== undefined && !isAlone && clock.now() - doubtedSince < toldAfterMs(progress);
      if (!isOpen) {
        tell('failed', verdict.message);
        throw new Refused(gateFailed(progress, verdict.message));
      }
      tell('watching', `${verdict.message}: it may be ${suspect} itself`);
    } else {
      doubtedSince = undefined;
      const pause = pauseOf(context, progress);
      if (verdict.state === 'passed' && pause === undefined) return tell('passed', verdict.message);
      if (pause === undefined) tell('watching', verdict.message);
      else tell('paused', pause);
    }
    await clock.sleep(Math.min(LOOK_MS, Math.max(50, deploy.everyMs / 4)));
  }
}

/** The one platform where nearly everything fails, while the release does well on the others. */
function suspectOf(
  sight: StepSight,
  recent: readonly ReleaseOutcome[],
  deploy: DeploySettings,
): PlatformName | undefined {
  const failing = recent.filter(
    ({ trial, requests, failed }) => trial && requests > 0 && failed * 2 >= requests,
  );
  const [one] = failing;
  if (one === undefined || failing.length > 1) return undefined;
  const outcomes = sight.outcomes.filter(({ platform }) => platform !== one.platform);
  return judgeStep({ ...sight, outcomes }, deploy).state === 'failed' ? undefined : one.platform;
}

/** Until then a platform that does not answer at all is known to be down. */
function toldAfterMs({ health }: Progress): number {
  return health.everyMs * health.fall + health.timeoutMs + 1_000;
}

/** A person may have asked to stop, another may hold the lease, and patience with two releases has an end. */
function checkGoesOn(context: DeploymentContext, { record, deploy, together }: Progress): void {
  if (context.stop.aborted) throw new Stopped();
  checkLease(context, record.application, record.id);
  if (together.skewSince === undefined) return;
  const servedMs = context.clock.now() - together.skewSince;
  if (servedMs > deploy.maxSkewMs) throw new Refused(skewExceeded(deploy));
}

function pauseOf({ paused }: DeploymentContext, { record }: Progress): string | undefined {
  return paused?.(record.application, Object.keys(record.targets));
}

interface Silence {
  readonly platform: PlatformName;
  readonly message: string;
}

/** The release must go on answering where it is tried, by its name where it has one. */
function listener(
  { probe }: DeploymentContext,
  { record, origins, health }: Progress,
): (away: ReadonlySet<PlatformName>) => Promise<Silence | undefined> {
  const silent = new Map<string, number>();
  const release = record.release.id;
  return async function whoIsSilent(away) {
    for (const [platform, list] of origins) {
      if (away.has(platform)) {
        for (const { url } of list) silent.delete(url);
        continue;
      }
      for (const origin of list) {
        const answer = await probe({ ...origin, platform }, health);
        const proven = answer.ok && (health.release === undefined || answer.release === release);
        const inARow = proven ? 0 : (silent.get(origin.url) ?? 0) + 1;
        silent.set(origin.url, inARow);
        if (inARow >= SILENT) {
          const says = answer.ok ? `${answer.release ?? 'no release'} answers instead` : answer.detail;
          return { platform, message: `${platform}: the release no longer answers: ${says}` };
        }
      }
    }
    return undefined;
  };
}

type State = 'watching' | 'paused' | 'passed' | 'failed';

function teller(
  { clock, events }: DeploymentContext,
  { record, deploy, step }: Progress,
): (state: State, message: string) => void {
  let last: { readonly state: State; readonly at: number } | undefined;
  return function tell(state, message) {
    const now = clock.now();
    if (last?.state === state && now - last.at < TELL_MS) return;
    last = { state, at: now };
    const { id: deployment, application, release } = record;
    const of = deploy.steps.length;
    const told = { deployment, application, release: release.id, step: Math.min(step + 1, of), of };
    events.append({ type: 'deployment.gate', ...told, state, message });
  };
}

function gateFailed({ record, deploy, step }: Progress, why: string): SluiceError {
  const { release } = record;
  const what = `r${release.number} did worse than the release before in step ${step + 1} of ${deploy.steps.length}`;
  return new SluiceError('GATE_FAILED', what, {
    where: record.application,
    why,
    remedy: 'mend it and deploy again; `deploy.gates` says how much worse it may be',
  });
}

function skewExceeded({ maxSkewMs }: DeploySettings): SluiceError {
  const after = formatDuration(maxSkewMs);
  return new SluiceError('SKEW_EXCEEDED', `two releases served for longer than ${after}`, {
    why: 'the steps were not passed by then: too few requests, a pause, or gates that could not tell',
    remedy: 'give it more time with `deploy.maxSkew`, or ask for less with `deploy.minRequests`',
  });
}

function pausedTooLong(why: string, ms: number): SluiceError {
  return new SluiceError(
    'BARRIER_TIMEOUT',
    `the deployment was paused for longer than ${formatDuration(ms)}`,
    {
      why,
      remedy: 'mend that first; then deploy again',
    },
  );
}
