import { platformError, type SluiceError, type WireError } from './errors.ts';
import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';
import type { Operation, OperationHandle, ProviderContext, StagedArtifact, TargetSpec } from './provider.ts';

/** A command that is run once with the files and the environment of a release, and ends. */
export interface TaskSpec {
  /** `migrate`. */
  readonly name: string;
  /**
   * Tells this run from every other, on all platforms and for ever: small letters, digits and hyphens, at most 40.
   * Whoever asks for the same run again means the same one.
   */
  readonly run: string;
  readonly command: string;
  readonly memoryBytes: number;
  /** It is ended when it takes longer. */
  readonly timeoutMs: number;
}

/**
 * Migrations, jobs by the clock, and what a person wants to run once. No instance that serves is touched, and the
 * release needs not serve: it must be staged.
 */
export interface TaskPower {
  /**
   * Begins it. A run that was begun before is found and not begun again, whether it is still under way or has ended:
   * that is what lets a migration run once although who ordered it was killed. `poll` says `failed` with class
   * `taskFailed` when the command failed, and `lost` when the platform no longer knows of it.
   */
  start(
    context: ProviderContext,
    want: TargetSpec,
    artifact: StagedArtifact,
    task: TaskSpec,
  ): Promise<Operation>;
  /** Ends it early: polls say `failed` or `lost` then. One that has ended stays as it is. */
  cancel(context: ProviderContext, handle: OperationHandle): Promise<void>;
  /** How it ended is on record: what the platform keeps of it may go, and will not be found again. */
  forget(context: ProviderContext, handle: OperationHandle): Promise<void>;
}

/** Its files and its environment are needed still; whoever deploys next finds the release again. */
export function taskAtWork(platform: PlatformName, release: ReleaseId, run: string): SluiceError {
  return platformError('conflict', platform, `release ${release} is not retired: a task runs with it`, {
    why: `run ${run} has not ended`,
    remedy: `the next deployment retires it, or end the run: sluice tasks cancel ${run}`,
  });
}

/** One run as it is kept: what is meant is written before it is begun, the handle before it is first polled. */
export interface TaskRecord {
  readonly application: ApplicationName;
  readonly task: string;
  readonly run: string;
  readonly release: ReleaseId;
  readonly platform: PlatformName;
  readonly trigger: TaskTrigger;
  readonly state: TaskState;
  readonly startedAt: number;
  /** How long it may take, for whoever goes on with it; left out: it was begun before this was kept. */
  readonly timeoutMs?: number;
  readonly endedAt?: number;
  readonly handle?: OperationHandle;
  readonly error?: WireError;
}

/** Who wanted it: a release before it is promoted, a person, or the clock. */
export type TaskTrigger = 'release' | 'hand' | 'schedule';

/** `begun`: it may be at work. `unknown`: the platform cannot say how it ended. */
export type TaskState = 'begun' | 'succeeded' | 'failed' | 'unknown';
