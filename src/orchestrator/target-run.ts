import type { DeploymentTarget } from '../core/deployment.ts';
import type { DriftSettings } from '../core/drift.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { DeploymentPhase } from '../core/events.ts';
import type { DeploymentId, PlatformName } from '../core/ids.ts';
import type {
  Bundle,
  Operation,
  OperationHandle,
  PlatformProvider,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../core/provider.ts';
import type { HealthSettings } from '../core/settings.ts';
import { type AwaitOptions, awaitOperation, OperationLost, pollToEnd } from './await-operation.ts';
import type { DeploymentContext } from './context.ts';
import type { Lending } from './lending.ts';
import { awayMessage, createPatience, type Patience } from './patience.ts';

export interface TargetJob {
  readonly deployment: DeploymentId;
  readonly want: TargetSpec;
  readonly health: HealthSettings;
  /** Undefined: an image runs. */
  readonly bundle: Bundle | undefined;
  /** The platform whose build is taken; left out: it builds itself. */
  readonly buildOn?: PlatformName | undefined;
  readonly lending?: Lending | undefined;
  /** Whose fields are whose. */
  readonly drift: DriftSettings | undefined;
  /** Where the journal left off; a fresh target starts as `queued`. */
  readonly from: DeploymentTarget;
}

/** What the steps on one platform share: where the journal stands, and how to write to it. */
export interface TargetRun {
  readonly context: DeploymentContext;
  readonly job: TargetJob;
  readonly provider: PlatformProvider;
  readonly providerContext: ProviderContext;
  readonly target: DeploymentTarget;
  readonly patience: Patience;
  elapsed(): number;
  /** Between steps: stops when asked to, or when the lease is gone. */
  checkpoint(): void;
  enter(phase: DeploymentPhase, message: string, change?: Partial<DeploymentTarget>): Promise<void>;
  note(change: Partial<DeploymentTarget>): Promise<void>;
  report(phase: DeploymentPhase, message: string): void;
  /** Begins an operation and waits for its end; one that an earlier process began under the same key goes on. */
  perform(wish: {
    readonly kind: OperationHandle['kind'];
    /** Where a step occurs more than once. */
    readonly key?: string;
    readonly deadlineMs: number;
    /** What clears up goes on to its end also when somebody asked to stop. */
    readonly evenIfStopped?: boolean;
    readonly begin: (provider: PlatformProvider, context: ProviderContext) => Promise<Operation>;
  }): Promise<StagedArtifact | undefined>;
  /** What was caught, in the journal: asked to stop, or failed. */
  endWith(caught: unknown): Promise<DeploymentTarget>;
  end(phase: EndPhase, change: Partial<DeploymentTarget>): Promise<DeploymentTarget>;
  /** Nothing is waited for or written any more; what was begun on the platform goes on there. */
  abort(why: Error): void;
  /** What the work comes to, or why it was aborted: also where a platform does not hear of it. */
  unlessAborted<T>(work: Promise<T>): Promise<T>;
}

export type EndPhase = 'live' | 'failed' | 'stopped' | 'rolledBack';

/** A person, or the end of the process, asked to stop. */
export class Stopped extends Error {}

const PHASE_OF: Readonly<Record<OperationHandle['kind'], DeploymentPhase>> = {
  stage: 'staging',
  apply: 'starting',
  trial: 'trying',
  endTrial: 'draining',
  retire: 'draining',
  scale: 'starting',
  destroy: 'draining',
  processes: 'starting',
  services: 'staging',
  task: 'staged',
  stop: 'draining',
  start: 'starting',
  restart: 'starting',
};

export function targetRun(context: DeploymentContext, job: TargetJob): TargetRun {
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
    // Others go on from what is in the journal.
    aborted.signal.throwIfAborted();
    await write(change);
  }
  async function write(change: Partial<DeploymentTarget>): Promise<void> {
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

  function checkpoint(): void {
    aborted.signal.throwIfAborted();
    if (context.stop.aborted) throw new Stopped();
    checkLease(context, application, job.deployment);
  }
  const patience = createPatience({
    clock,
    signal: aborted.signal,
    onAway: (error, longestMs) => report(target.phase, awayMessage(error, longestMs)),
  });

  const run: TargetRun = {
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
    async perform({ kind, key = kind, deadlineMs, evenIfStopped = false, begin }) {
      let lastMessage = '';
      const options: AwaitOptions = {
        clock,
        provider,
        context: providerContext,
        patience,
        deadlineMs,
        store: (handle) => note({ handle, handleOf: key }),
        onProgress(status) {
          const done = status.progress?.done ?? 0;
          if (kind === 'apply' && done > 0 && target.firstInstanceMs === undefined) {
            target = { ...target, firstInstanceMs: elapsed() };
            void note({ firstInstanceMs: elapsed() });
          }
          if (status.message !== lastMessage) report(PHASE_OF[kind], status.message);
          lastMessage = status.message;
        },
      };
      const { handle, handleOf = handle?.kind } = target;
      // Journalled by whoever was here before us: go on with that one.
      if (handle !== undefined && handleOf === key) {
        try {
          return await pollToEnd(handle, options);
        } catch (error) {
          // The platform has forgotten it, and whatever became of it: beginning it again is safe.
          if (!(error instanceof OperationLost)) throw error;
        }
      }
      // The API may have been away for minutes before another try.
      const operation = await patience.call(async () => {
        await context.confirmLease();
        if (evenIfStopped) checkLease(context, application, job.deployment);
        else checkpoint();
        aborted.signal.throwIfAborted();
        return begin(provider, providerContext);
      });
      return await awaitOperation(operation, options);
    },
    async endWith(caught) {
      if (caught instanceof Stopped) return run.end('stopped', {});
      const error = SluiceError.from(aborted.signal.aborted ? aborted.signal.reason : caught);
      if (error.code === 'BUG')
        context.logger.error({ deployment: job.deployment, platform, err: caught }, error.message);
      return run.end('failed', { error: toWire(error) });
    },
    async end(phase, change) {
      await write({ phase, ...change, endedAt: clock.now() });
      events.append({
        type: 'deployment.target',
        deployment: job.deployment,
        application,
        platform,
        outcome: phase,
        ...(target.firstInstanceMs === undefined ? {} : { firstInstanceMs: target.firstInstanceMs }),
        ...(target.allInstancesMs === undefined ? {} : { allInstancesMs: target.allInstancesMs }),
        ...(target.unproven === undefined ? {} : { unproven: target.unproven }),
        ...(target.back === undefined ? {} : { back: target.back }),
        ...(target.error === undefined ? {} : { error: target.error }),
      });
      return target;
    },
    abort: (why) => aborted.abort(why),
    unlessAborted(work) {
      const { signal } = aborted;
      return new Promise((resolve, reject) => {
        const onAbort = (): void => reject(signal.reason);
        if (signal.aborted) onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
      });
    },
  };
  return run;
}

/** No write may follow once somebody else may be writing. */
export function checkLease(context: DeploymentContext, application: string, deployment: DeploymentId): void {
  if (context.mayWrite()) return;
  throw new SluiceError('LOCK_HELD', `the lease on ${application} was lost while deploying`, {
    where: application,
    remedy: `another deployment took over, or somebody broke the lock; see \`sluice deployments\`, then resume with \`sluice deployments resume ${deployment}\``,
  });
}
