import { platformError, SluiceError } from '../core/errors.ts';
import type { DeploymentPhase } from '../core/events.ts';
import type { ReleaseId } from '../core/ids.ts';
import type { Observation, ObservedOrigin, StagedArtifact, TargetSpec } from '../core/provider.ts';
import { applyProcesses } from './apply-processes.ts';
import { borrowed } from './borrow.ts';
import { leavingTheirs } from './drift-fields.ts';
import { ensureServices } from './ensure-services.ts';
import type { TargetRun } from './target-run.ts';
import { unbindServices } from './unbind-services.ts';
import { verifyRelease } from './verify.ts';

const STAGE_DEADLINE_MS = 15 * 60_000;
const RETIRE_DEADLINE_MS = 2 * 60_000;
const VERIFY_TIMEOUT_MS = 30_000;
const NOTHING_BEGUN: ReadonlySet<DeploymentPhase> = new Set(['queued', 'staged']);

/** Said at once instead of after all the tries that an API deserves which we do not know to be away. */
export function checkNotFrozen({ context, job, target }: TargetRun): void {
  const { application, platform } = job.want;
  if (!NOTHING_BEGUN.has(target.phase)) return;
  const why = context.frozen?.(application, platform);
  if (why === undefined) return;
  throw platformError('unavailable', platform, `${platform} takes no deployment now`, {
    why,
    remedy: `when its API answers again: sluice deployments resume ${job.deployment}`,
  });
}

export async function stage(run: TargetRun): Promise<StagedArtifact> {
  const kept = run.target.artifact;
  if (kept) {
    run.job.lending?.tell(run.job.want.platform, { artifact: kept });
    return kept;
  }
  run.checkpoint();
  const { want, bundle } = run.job;
  const what =
    bundle === undefined
      ? (want.image?.reference ?? '')
      : `${want.release.sourceDigest.slice(0, 19)}, ${bundle.files.length} files`;
  await run.enter('staging', what);
  const artifact =
    (await borrowed(run, STAGE_DEADLINE_MS)) ??
    (await run.perform({
      kind: 'stage',
      deadlineMs: STAGE_DEADLINE_MS,
      begin: (provider, context) => provider.stage(context, want, bundle),
    }));
  const staged = artifact ?? { native: {} };
  run.job.lending?.tell(want.platform, { artifact: staged });
  await ensureServices(run);
  await run.enter('staged', staged.digest ?? 'ready to run', { artifact: staged });
  return staged;
}

/**
 * What serves there is noted before anything is touched: it is what a rollback puts back, and what is retired after the
 * cut-over. Here no patience is shown: an address that never answered is more likely wrong than away for a moment.
 */
export async function notePrevious(run: TargetRun): Promise<void> {
  if (run.target.previous !== undefined) return;
  const { want } = run.job;
  const serving = servingOf(await run.provider.observe(run.providerContext, want.application));
  if (serving !== undefined && serving !== want.release.id) await run.note({ previous: serving });
}

export function servingOf(seen: Observation): ReleaseId | undefined {
  return seen.serving ?? seen.releases.find((release) => release.state === 'running')?.id;
}

/** Replaces what serves, and proves that the new release answers instead. */
export async function putInPlace(
  run: TargetRun,
  artifact: StagedArtifact,
  /** No longer than this, if two releases may serve for a limited time. */
  limitMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { want } = run.job;
  run.checkpoint();
  await run.enter('applying', `${want.process.instances} instances`, { inPlace: true });
  // Rolling replaces one instance after the other: the time for all grows with their number.
  const own = (want.health.startTimeoutMs + 30_000) * Math.max(2, want.process.instances + 1);
  await run.perform({
    kind: 'apply',
    deadlineMs: Math.min(own, limitMs),
    begin: async (provider, context) => provider.apply(context, await leavingOthersFields(run), artifact),
  });
  if (!runsNothing(want)) {
    await run.note({
      allInstancesMs: run.elapsed(),
      firstInstanceMs: run.target.firstInstanceMs ?? run.elapsed(),
    });
  }
  if (runsNothing(want)) await run.enter('ready', 'it is there and runs nothing until it is needed');
  else await verify(run);
}

/** A cold standby: nothing answers there that could prove anything, or be offered. */
export function runsNothing({ process }: Pick<TargetSpec, 'process'>): boolean {
  return process.instances === 0;
}

/** Fields that others keep are written as they are there. */
async function leavingOthersFields({
  job,
  provider,
  providerContext,
  patience,
}: TargetRun): Promise<TargetSpec> {
  const { want, drift } = job;
  if (drift === undefined || (drift.ignore.length === 0 && drift.seed.length === 0)) return want;
  const seen = await patience.call(() => provider.observe(providerContext, want.application));
  return leavingTheirs(want, seen, drift);
}

/** Asks until the release answers where it runs: in place, or beside what serves. */
export async function verify(run: TargetRun, trial = false): Promise<readonly ObservedOrigin[]> {
  const { want, health } = run.job;
  const phase = trial ? 'trying' : 'verifying';
  await run.enter(phase, 'asking the platform’s own router which release answers');
  const proof = await verifyRelease({
    clock: run.context.clock,
    platform: want.platform,
    release: want.release.id,
    health,
    timeoutMs: VERIFY_TIMEOUT_MS,
    trial,
    observe: () => run.patience.call(() => run.provider.observe(run.providerContext, want.application)),
    probe: run.context.probe,
    signal: run.providerContext.signal,
  });
  const { unproven } = proof;
  const says = unproven ? 'answers; the release is unproven' : `${want.release.id} answers`;
  await run.enter(trial ? 'tried' : 'ready', says, { unproven });
  return proof.origins;
}

/** Make before break: traffic first learns of the new release, then leaves the old one. */
export async function cutOver(run: TargetRun): Promise<void> {
  const { application, platform, release } = run.job.want;
  await run.context.started?.(application, platform);
  if (!runsNothing(run.job.want)) await run.context.traffic.introduce(application, platform, release.id);
  await run.context.releases.setLive(application, platform, release.id);
  // Where nothing was staged, nothing is to change.
  const { artifact } = run.target;
  if (artifact !== undefined) await applyProcesses(run, run.job.want, artifact);
}

/** A failure here must not fail the deployment: the new release serves, and what is left over can be removed later. */
export async function retireOthers(run: TargetRun): Promise<void> {
  const { application, release } = run.job.want;
  const { previous } = run.target;
  const found = new Set(previous === undefined ? [] : [previous]);
  try {
    const seen = await run.provider.observe(run.providerContext, application);
    if (seen.trial !== undefined && (await isOurs(run, seen.trial.release)))
      await endTrialOf(run, seen.trial.release);
    // What served before, and what deployments of ours that broke off left there: running, or ready to run.
    for (const { id, state } of seen.releases) {
      if (id === release.id || state === 'retired') continue;
      if (await isOurs(run, id)) found.add(id);
    }
  } catch {
    // The next deployment finds them.
  }
  for (const id of found) await retire(run, id);
  await unbindServices(run);
}

/** One that we never recorded is somebody else's, who may be about to let it serve. */
async function isOurs({ context, job }: TargetRun, release: ReleaseId): Promise<boolean> {
  return (await context.releases.get(job.want.application, release)) !== undefined;
}

export async function retire(run: TargetRun, release: ReleaseId): Promise<void> {
  const { application, platform } = run.job.want;
  // Whoever took over decides what is outdated.
  if (!run.context.mayWrite()) return;
  try {
    await run.enter('draining', `${release} leaves the table`);
    await run.context.traffic.withdraw(application, platform, release);
    await run.perform({
      kind: 'retire',
      key: `retire:${release}`,
      deadlineMs: RETIRE_DEADLINE_MS,
      evenIfStopped: true,
      begin: (provider, context) => provider.retire(context, application, release),
    });
  } catch (caught) {
    const error = SluiceError.from(caught);
    run.report(
      'draining',
      `${release} could not be removed (${[error.message, error.details.why].filter(Boolean).join(': ')}); the new release is not affected`,
    );
  }
}

/** Clients first: nothing may still be sent to it. Ending one that is gone succeeds. */
export async function endTrialOf(run: TargetRun, release: ReleaseId): Promise<void> {
  const { application } = run.job.want;
  const { trial: power } = run.provider;
  if (power === undefined || !run.context.mayWrite()) return;
  await run.perform({
    kind: 'endTrial',
    key: `endTrial:${release}`,
    deadlineMs: RETIRE_DEADLINE_MS,
    evenIfStopped: true,
    begin: (_provider, context) => power.end(context, application, release),
  });
}
