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
