import type { PlatformName } from './ids.ts';

/** One of `applications.NAME.tasks`. */
export interface TaskSettings {
  readonly name: string;
  readonly command: string;
  /** `release`: once for each release, before anything of it is promoted. `hand`: only by `sluice run`. */
  readonly when: 'release' | 'hand';
  /** What it does to the data, of those that run with a release. */
  readonly class?: 'expand' | 'contract';
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** Left out: the writer, else the first target. */
  readonly on?: PlatformName;
}

export const DEFAULT_TASK_TIMEOUT_MS = 600_000;

/** A process that runs by the clock and ends: `applications.NAME.processes.NAME` with `schedule`. */
export interface JobSettings {
  readonly name: string;
  readonly command: string;
  readonly memoryBytes: number;
  /** As of processes that run all the time. */
  readonly runOn: 'all' | 'active' | 'one';
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly timeoutMs: number;
  /** While the run before is under way. */
  readonly overlap: 'forbid' | 'allow';
  /** How late it may still begin. */
  readonly catchUpMs: number;
}

export const DEFAULT_JOB_TIMEOUT_MS = 3_600_000;
export const DEFAULT_CATCH_UP_MS = 600_000;
