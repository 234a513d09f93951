import type { DeploySettings } from '../core/deploy-settings.ts';
import type { DeploymentRecord, Together } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { ObservedOrigin } from '../core/provider.ts';
import type { HealthSettings } from '../core/settings.ts';
import { formatDuration } from '../core/units.ts';
import type { DeploymentContext } from './context.ts';
import { judgeStep } from './gate.ts';
import { Refused } from './party.ts';
import { checkLease, Stopped } from './target-run.ts';

const LOOK_MS = 1_000;
/** The numbers change with every request; a person reads them now and then. */
const TELL_MS = 5_000;
/** Probes in a row that a release may leave unanswered. */
const SILENT = 3;

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

/** Watches the part of the traffic that a step gave, until the gates pass it. Throws `Refused` when they do not. */
export async function watchStep(context: DeploymentContext, progress: Progress): Promise<void> {
  const { clock, traffic } = context;
  const { record, deploy, together } = progress;
  const tell = teller(context, progress);
  const isSilent = listener(context, progress);
  const since = clock.now();
  for (;;) {
    checkGoesOn(context, progress);
    const outcomes = traffic.outcomes(record.application, since);
    const sight = { outcomes, before: together.before ?? [], watchedMs: clock.now() - since };
    const silent = await isSilent();
    const verdict =
      silent === undefined ? judgeStep(sight, deploy) : ({ state: 'failed', message: silent } as const);
    if (verdict.state === 'failed') {
      tell('failed', verdict.message);
      throw new Refused(gateFailed(progress, verdict.message));
    }
    const pause = pauseOf(context, progress);
    if (verdict.state === 'passed' && pause === undefined) return tell('passed', verdict.message);
    if (pause === undefined) tell('watching', verdict.message);
    else tell('paused', pause);
    await clock.sleep(Math.min(LOOK_MS, Math.max(50, deploy.everyMs / 4)));
  }
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

/** The release must go on answering where it is tried, by its name where it has one. */
function listener(
  { probe }: DeploymentContext,
  { record, origins, health }: Progress,
): () => Promise<string | undefined> {
  const silent = new Map<string, number>();
  const release = record.release.id;
  return async function whoIsSilent() {
    for (const [platform, list] of origins) {
      for (const origin of list) {
        const answer = await probe({ ...origin, platform }, health);
        const proven = answer.ok && (health.release === undefined || answer.release === release);
        const inARow = proven ? 0 : (silent.get(origin.url) ?? 0) + 1;
        silent.set(origin.url, inARow);
        if (inARow >= SILENT) {
          const says = answer.ok ? `${answer.release ?? 'no release'} answers instead` : answer.detail;
          return `${platform}: the release no longer answers: ${says}`;
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
