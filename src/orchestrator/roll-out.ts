import type { DeploymentTarget } from '../core/deployment.ts';
import type { DriftSettings } from '../core/drift.ts';
import { platformError, SluiceError, toWire } from '../core/errors.ts';
import type { DeploymentPhase } from '../core/events.ts';
import type { DeploymentId, ReleaseId } from '../core/ids.ts';
import type {
  Bundle,
  Operation,
  OperationHandle,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../core/provider.ts';
import type { HealthSettings } from '../core/settings.ts';
import { type AwaitOptions, awaitOperation, pollToEnd } from './await-operation.ts';
import type { DeploymentContext } from './context.ts';
import { leavingTheirs } from './drift-fields.ts';
import { awayMessage, createPatience, type Patience } from './patience.ts';
import { verifyRelease } from './verify.ts';

const STAGE_DEADLINE_MS = 15 * 60_000;
const RETIRE_DEADLINE_MS = 2 * 60_000;
const VERIFY_TIMEOUT_MS = 30_000;
const NOTHING_BEGUN: ReadonlySet<DeploymentPhase> = new Set(['queued', 'staged']);

export interface RollOut {
  readonly deployment: DeploymentId;
  readonly want: TargetSpec;
  readonly health: HealthSettings;
  readonly bundle: Bundle;
  /** Whose fields are whose. */
  readonly drift: DriftSettings | undefined;
  /** Where the journal left off; a fresh target starts as `queued`. */
  readonly from: DeploymentTarget;
}

/**
 * One release onto one platform: stage → apply → verify → cut over → retire the old. Each step is idempotent and
 * journalled, so this may be called again at any point and goes on. Never throws: the outcome is in the journal.
 */
export async function rollOut(context: DeploymentContext, job: RollOut): Promise<DeploymentTarget> {
  const { want, deployment } = job;
  const run = runOf(context, job);
  try {
    checkNotFrozen(run);
    await firstLook(run);
    const artifact = await stage(run);
    await apply(run, artifact);
    const { unproven } = await verify(run);
    await cutOver(run);
    await retireOthers(run);
    return await run.end('live', { unproven });
  } catch (caught) {
    if (run.stopped(caught)) return await run.end('stopped', {});
    const error = SluiceError.from(caught);
    if (error.code === 'BUG')
      context.logger.error({ deployment, platform: want.platform, err: caught }, error.message);
    return await run.end('failed', { error: toWire(error) });
  }
}

/** Said at once instead of after all the tries that an API deserves which we do not know to be away. */
function checkNotFrozen({ context, job, target }: Run): void {
  const { application, platform } = job.want;
  if (!NOTHING_BEGUN.has(target.phase)) return;
  const why = context.frozen?.(application, platform);
  if (why === undefined) return;
  throw platformError('unavailable', platform, `${platform} takes no deployment now`, {
    why,
    remedy: `when its API answers again: sluice deployments resume ${job.deployment}`,
  });
}

/**
 * What serves before, to be retired after the cut-over. Here no patience is shown: an address that never answered is
 * more likely wrong than away for a moment.
 */
async function firstLook(run: Run): Promise<void> {
  const { want } = run.job;
  if (run.target.previous !== undefined) return;
  const seen = await run.provider.observe(run.providerContext, want.application);
  const serving = seen.serving ?? seen.releases.find((release) => release.state === 'running')?.id;
  if (serving !== undefined && serving !== want.release.id) await run.note({ previous: serving });
}

async function stage(run: Run): Promise<StagedArtifact> {
  const kept = run.target.artifact;
  if (kept) return kept;
  run.checkpoint();
  await run.enter(
    'staging',
    `${run.job.want.release.sourceDigest.slice(0, 19)}, ${run.job.bundle.files.length} files`,
  );
  const artifact = await run.perform('stage', STAGE_DEADLINE_MS, (provider, context) =>
    provider.stage(context, run.job.want, run.job.bundle),
  );
  const staged = artifact ?? { native: {} };
  await run.enter('staged', staged.digest ?? 'ready to run', { artifact: staged });
  return staged;
}

async function apply(run: Run, artifact: StagedArtifact): Promise<void> {
  const { want } = run.job;
  run.checkpoint();
  await run.enter('applying', `${want.process.instances} instances`);
  // Rolling replaces one instance after the other: the time for all grows with their number.
  const deadline = (want.health.startTimeoutMs + 30_000) * Math.max(2, want.process.instances + 1);
  await run.perform('apply', deadline, async (provider, context) =>
    provider.apply(context, await leavingOthersFields(run), artifact),
  );
  await run.note({
    allInstancesMs: run.elapsed(),
    firstInstanceMs: run.target.firstInstanceMs ?? run.elapsed(),
  });
}

/** Fields that others keep are written as they are there. */
async function leavingOthersFields({ job, provider, providerContext, patience }: Run): Promise<TargetSpec> {
  const { want, drift } = job;
  if (drift === undefined || (drift.ignore.length === 0 && drift.seed.length === 0)) return want;
  return leavingTheirs(
    want,
    await patience.call(() => provider.observe(providerContext, want.application)),
    drift,
  );
}

async function verify(run: Run): Promise<{ unproven: boolean }> {
  const { want, health } = run.job;
  await run.enter('verifying', 'asking the platform’s own router which release answers');
  const proof = await verifyRelease({
    clock: run.context.clock,
    platform: want.platform,
    release: want.release.id,
    health,
    timeoutMs: VERIFY_TIMEOUT_MS,
    observe: () => run.patience.call(() => run.provider.observe(run.providerContext, want.application)),
    probe: run.context.probe,
    signal: run.providerContext.signal,
  });
  await run.enter(
    'ready',
    proof.unproven ? 'answers; the release is unproven' : `${want.release.id} answers`,
  );
  return proof;
}

/** Make before break: traffic first learns of the new release, then leaves the old one. */
async function cutOver(run: Run): Promise<void> {
  const { application, platform, release } = run.job.want;
  await run.context.traffic.introduce(application, platform, release.id);
  await run.context.releases.setLive(application, platform, release.id);
}

/** A failure here must not fail the deployment: the new release serves, and what is left over can be removed later. */
async function retireOthers(run: Run): Promise<void> {
  const { application, platform } = run.job.want;
  for (const release of await outdated(run)) {
    // Whoever took over decides what is outdated.
    if (!run.context.mayWrite()) return;
    try {
      await run.enter('draining', `${release} leaves the table`);
      await run.context.traffic.withdraw(application, platform, release);
      await run.perform('retire', RETIRE_DEADLINE_MS, (provider, context) =>
        provider.retire(context, application, release),
      );
    } catch (caught) {
      const error = SluiceError.from(caught);
      run.report(
        'draining',
        `${release} could not be removed (${[error.message, error.details.why].filter(Boolean).join(': ')}); the new release is not affected`,
      );
    }
  }
}

/** What served before, and what deployments of ours that broke off left there: running, or ready to run. */
async function outdated(run: Run): Promise<readonly ReleaseId[]> {
  const { application, release } = run.job.want;
  const { previous } = run.target;
  const found = new Set(previous === undefined ? [] : [previous]);
  try {
    const seen = await run.provider.observe(run.providerContext, application);
    for (const { id, state } of seen.releases) {
      if (id === release.id || state === 'retired') continue;
      // One that we never recorded is somebody else's, who may be about to let it serve.
      if (await run.context.releases.get(application, id)) found.add(id);
    }
  } catch {
    // The next deployment finds them.
  }
  return [...found];
}

/** What the steps share: where the journal stands, and how to write to it. */
interface Run {
  readonly context: DeploymentContext;
  readonly job: RollOut;
  readonly provider: ReturnType<DeploymentContext['provider']>;
  readonly providerContext: ProviderContext;
  readonly target: DeploymentTarget;
  readonly patience: Patience;
  elapsed(): number;
  /** Between steps: stops when asked to, or when the lease is gone. */
  checkpoint(): void;
  enter(phase: DeploymentPhase, message: string, change?: Partial<DeploymentTarget>): Promise<void>;
  note(change: Partial<DeploymentTarget>): Promise<void>;
  report(phase: DeploymentPhase, message: string): void;
  perform(
    kind: OperationHandle['kind'],
    deadlineMs: number,
    begin: (provider: Run['provider'], context: ProviderContext) => Promise<Operation>,
  ): Promise<StagedArtifact | undefined>;
  stopped(caught: unknown): boolean;
  end(phase: 'live' | 'failed' | 'stopped', change: Partial<DeploymentTarget>): Promise<DeploymentTarget>;
}

class Stopped extends Error {}

function runOf(context: DeploymentContext, job: RollOut): Run {
  const { clock, events, journal } = context;
  const { application, platform } = job.want;
  const provider = context.provider(platform);
  const aborted = new AbortController();
  let target = job.from;
  // A resumed target keeps its first start, but a person wants to see this run's seconds.
  const startedAt = clock.now();
  const elapsed = (): number => clock.now() - startedAt;
  const providerContext: ProviderContext = {
    signal: aborted.signal,
    now: () => clock.now(),
    log: (line) =>
      void events.append({
        type: 'deployment.log',
        deployment: job.deployment,
        platform,
        source: line.source,
        text: line.text,
      }),
  };

  async function note(change: Partial<DeploymentTarget>): Promise<void> {
    target = await journal.target(job.deployment, platform, change);
  }
  function report(phase: DeploymentPhase, message: string): void {
    events.append({
      type: 'deployment.progress',
      deployment: job.deployment,
      application,
      platform,
      phase,
      message,
      elapsedMs: elapsed(),
    });
  }

  function requireLease(): void {
    if (context.mayWrite()) return;
    throw new SluiceError('LOCK_HELD', `the lease on ${application} was lost while deploying`, {
      where: platform,
      remedy: `another deployment took over; see \`sluice deployments\`, then resume with \`sluice deployments resume ${job.deployment}\``,
    });
  }
  function checkpoint(): void {
    if (context.stop.aborted) throw new Stopped();
    requireLease();
  }
  const patience = createPatience({
    clock,
    signal: aborted.signal,
    onAway: (error, longestMs) => report(target.phase, awayMessage(error, longestMs)),
  });

  return {
    context,
    job,
    provider,
    patience,
    providerContext,
    get target() {
      return target;
    },
    elapsed,
    note,
    report,
    checkpoint,
    async enter(phase, message, change = {}) {
      await note({ phase, ...change });
      report(phase, message);
    },
    async perform(kind, deadlineMs, begin) {
      const phase: DeploymentPhase =
        kind === 'stage' ? 'staging' : kind === 'apply' ? 'starting' : 'draining';
      let lastMessage = '';
      const options: AwaitOptions = {
        clock,
        provider,
        context: providerContext,
        patience,
        deadlineMs,
        store: (handle) => note({ handle }),
        onProgress(status) {
          const done = status.progress?.done ?? 0;
          if (kind === 'apply' && done > 0 && target.firstInstanceMs === undefined) {
            target = { ...target, firstInstanceMs: elapsed() };
            void note({ firstInstanceMs: elapsed() });
          }
          if (status.message !== lastMessage) report(phase, status.message);
          lastMessage = status.message;
        },
      };
      const begun = target.handle;
      // Journalled by whoever was here before us: go on with that one.
      if (begun?.kind === kind && kind !== 'retire') return await pollToEnd(begun, options);
      // The API may have been away for minutes before another try. What serves already is tidied to the end.
      const check = kind === 'retire' ? requireLease : checkpoint;
      const operation = await patience.call(() => {
        check();
        return begin(provider, providerContext);
      });
      return await awaitOperation(operation, options);
    },
    stopped: (caught) => caught instanceof Stopped,
    async end(phase, change) {
      await note({ phase, ...change, endedAt: clock.now() });
      events.append({
        type: 'deployment.target',
        deployment: job.deployment,
        application,
        platform,
        outcome: phase,
        ...(target.firstInstanceMs === undefined ? {} : { firstInstanceMs: target.firstInstanceMs }),
        ...(target.allInstancesMs === undefined ? {} : { allInstancesMs: target.allInstancesMs }),
        ...(target.unproven === undefined ? {} : { unproven: target.unproven }),
        ...(target.error === undefined ? {} : { error: target.error }),
      });
      return target;
    },
  };
}
