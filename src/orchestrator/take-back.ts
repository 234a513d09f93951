import type { DeploymentOutcome, DeploymentRecord, DeploymentTarget } from '../core/deployment.ts';
import { SluiceError, toWire, type WireError } from '../core/errors.ts';
import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { StagedArtifact } from '../core/provider.ts';
import { applyProcesses } from './apply-processes.ts';
import type { DeploymentContext } from './context.ts';
import { type TargetJob, type TargetRun, targetRun } from './target-run.ts';
import { endTrialOf, retire } from './target-steps.ts';
import { verifyRelease } from './verify.ts';

const STAGE_DEADLINE_MS = 15 * 60_000;
const VERIFY_TIMEOUT_MS = 30_000;

/**
 * The release failed: clients go back first, then every platform, each as well as it can. One that cannot does not
 * keep the others; what became of each is in its target.
 */
export async function takeBack(
  context: DeploymentContext,
  record: DeploymentRecord,
  jobOf: (platform: PlatformName) => Promise<TargetJob>,
  why: WireError,
): Promise<DeploymentOutcome> {
  const { journal, events, traffic, logger } = context;
  const { id: deployment, application, release, deploy } = record;
  const now = (await journal.get(deployment)) ?? record;
  const together = now.together ?? { step: 0, part: 0 };
  const byHand = deploy?.rollback === 'manual';
  const warn = (error: unknown): void =>
    logger.warn({ deployment, error: String(error) }, 'a release is being taken back, with a hitch');
  if (!byHand) {
    // A journal that cannot be written must not keep clients there.
    await journal.together(deployment, { ...together, stage: 'takingBack', why }).catch(warn);
    events.append({
      type: 'deployment.takingBack',
      deployment,
      application,
      release: release.id,
      error: why,
    });
  }
  await allowBoth(context, now);
  await traffic.split(application, release.id, 0).catch(warn);
  await journal.together(deployment, {
    ...together,
    ...{ stage: byHand ? 'preparing' : 'takingBack', part: 0, step: 0, why },
  });
  const ended = await Promise.all(
    Object.keys(now.targets).map(async (platform) => {
      const job = await jobOf(platform);
      return byHand ? await leaveAsItIs(context, job, why) : await takeBackOn(context, job);
    }),
  );
  // Whoever resumes it goes on taking it back.
  if (ended.some(({ phase }) => phase === 'stopped')) return 'stopped';
  if (byHand) return ended.some(({ phase }) => phase === 'live') ? 'partly' : 'failed';
  const isBack = (target: DeploymentTarget) => target.phase === 'rolledBack' || hadItBefore(target);
  return ended.every(isBack) ? 'rolledBack' : 'partly';
}

/** The release was live there before this deployment began. */
function hadItBefore({ phase, inPlace }: DeploymentTarget): boolean {
  return phase === 'live' && !inPlace;
}

/** Both may serve until the end: the release that goes and the ones that come back. */
async function allowBoth({ releases, traffic }: DeploymentContext, record: DeploymentRecord): Promise<void> {
  const { application, release, targets } = record;
  const back = Object.values(targets).flatMap(({ previous }) => previous ?? []);
  const live = Object.values(await releases.live(application));
  traffic.allowReleases(application, [...new Set([release.id, ...live, ...back])]);
}

/** `rollback: manual`: a person wants to look at it. */
async function leaveAsItIs(
  context: DeploymentContext,
  job: TargetJob,
  why: WireError,
): Promise<DeploymentTarget> {
  if (job.from.phase === 'live' || job.from.phase === 'failed') return job.from;
  return await targetRun(context, job).end('failed', { error: why });
}

/** Ends the trial, puts the release before back where it was replaced, and removes what was brought. */
export async function takeBackOn(context: DeploymentContext, job: TargetJob): Promise<DeploymentTarget> {
  const run = targetRun(context, job);
  const { application, platform, release } = job.want;
  const { phase, trial, inPlace, previous } = job.from;
  if (phase === 'rolledBack' || hadItBefore(job.from)) return job.from;
  try {
    run.checkpoint();
    if (trial) {
      await run.enter('takingBack', 'the trial ends');
      await context.traffic.withdraw(application, platform, release.id);
      await endTrialOf(run, release.id);
    }
    if (inPlace && previous === undefined) return await nothingBefore(run);
    if (inPlace && previous !== undefined) await putBack(run, previous);
    if (run.target.artifact !== undefined) await retire(run, release.id);
    return await run.end('rolledBack', inPlace && previous !== undefined ? { back: previous } : {});
  } catch (caught) {
    return await run.endWith(caught);
  }
}

/** The first release of a platform: what serves of it goes on serving, for there is nothing else. */
async function nothingBefore(run: TargetRun): Promise<DeploymentTarget> {
  const { application, platform, release } = run.job.want;
  const live = await run.context.releases.live(application);
  if (live[platform] === release.id) return await run.end('live', {});
  const error = new SluiceError('START_FAILED', `nothing serves on ${platform}`, {
    where: platform,
    why: 'the release failed, and there was none before it',
    remedy: 'mend it and deploy again',
  });
  return await run.end('failed', { error: run.target.error ?? toWire(error) });
}

/** Code and configuration of the release that served before, whatever state the platform is in now. */
async function putBack(run: TargetRun, previous: ReleaseId): Promise<void> {
  const { context, provider, providerContext } = run;
  const { application, platform } = run.job.want;
  const old = await context.restore(application, previous, platform);
  await run.enter('takingBack', `putting r${old.want.release.number} (${previous}) back`);
  for (const note of old.notes) run.report('takingBack', note);
  const staged: StagedArtifact | undefined = await run.perform({
    kind: 'stage',
    key: 'back:stage',
    deadlineMs: STAGE_DEADLINE_MS,
    evenIfStopped: true,
    begin: (_provider, given) => provider.stage(given, old.want, old.bundle),
  });
  await run.perform({
    kind: 'apply',
    key: 'back:apply',
    deadlineMs: (old.want.health.startTimeoutMs + 30_000) * Math.max(2, old.want.process.instances + 1),
    evenIfStopped: true,
    begin: (_provider, given) => provider.apply(given, old.want, staged ?? { native: {} }),
  });
  await verifyRelease({
    ...{ clock: context.clock, platform, release: previous, probe: context.probe, trial: false },
    health: old.health,
    timeoutMs: VERIFY_TIMEOUT_MS,
    observe: () => run.patience.call(() => provider.observe(providerContext, application)),
    signal: providerContext.signal,
  });
  await context.traffic.introduce(application, platform, previous);
  await context.releases.setLive(application, platform, previous);
  await applyProcesses(run, old.want, staged ?? { native: {} }, 'back:processes');
}
