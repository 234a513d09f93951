import type { Event } from './ports.ts';

/**
 * Runs an application's instances as supervised child processes. `src/runner` implements it; `sluice host` and the
 * local platforms are built on it.
 */
export interface Runner {
  /** Starts supervising; resolves as soon as the process is spawned, not when it is ready. */
  start(spec: InstanceSpec): Promise<RunningInstance>;
  get(id: string): RunningInstance | undefined;
  list(): readonly RunningInstance[];
  /** SIGTERM to the process group, SIGKILL after `stopGraceMs`; resolves when it is gone. Unknown ids are fine. */
  stop(id: string): Promise<void>;
  /** The last lines, oldest first. Kept for stopped instances until they are started anew or forgotten. */
  logs(id: string, lines: number): readonly RunnerLogLine[];
  /** What came after a mark; without one all that is kept. */
  logsAfter(id: string, mark: LogMark | undefined): LogsAfter;
  /** Drops what is remembered of a stopped instance. */
  forget(id: string): void;
  readonly onChange: Event<RunningInstance>;
  readonly onLog: Event<RunnerLogLine>;
  /** Stops everything. */
  close(): Promise<void>;
}

export interface InstanceSpec {
  readonly id: string;
  /** Run by `sh -c` in a process group of its own. */
  readonly command: string;
  readonly cwd: string;
  /** Complete but for `PORT`, which the runner adds. Nothing of our own environment leaks in but PATH, HOME, LANG and TZ. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined takes a free one on loopback, kept over restarts. */
  readonly port?: number;
  readonly startDetection: StartDetection;
  readonly startTimeoutMs: number;
  readonly stopGraceMs: number;
  /** Never restart: the owner decides (a Kubernetes pod is replaced, not restarted, by some owners). Default true. */
  readonly restart?: boolean;
  /** Lines are also appended here, rotated by size. */
  readonly logFile?: string;
}

export type StartDetection =
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'tcp' }
  /** Nothing listens: it is ready when it has not ended by then. */
  | { readonly kind: 'alive'; readonly forMs: number }
  /** A regular expression matched against each line it prints. */
  | { readonly kind: 'log'; readonly pattern: string };

export interface RunningInstance {
  readonly id: string;
  readonly state: 'starting' | 'running' | 'backing-off' | 'crash-loop' | 'stopping' | 'stopped';
  readonly port: number;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  /** Why it is not running, in words: `exited with code 1`, `killed by SIGKILL`, `not ready after 5s`. */
  readonly reason: string | undefined;
  readonly exitCode: number | undefined;
  /** Share of one core since the last look and resident bytes; undefined before the first look. */
  readonly usage: { readonly cpu: number; readonly memoryBytes: number } | undefined;
}

/** A place in an instance's output. */
export interface LogMark {
  /** Another number means another memory: its lines are all new. */
  readonly memory: number;
  readonly lines: number;
}

export interface LogsAfter {
  readonly lines: readonly RunnerLogLine[];
  readonly mark: LogMark;
  /** Some after the mark were forgotten already. */
  readonly missed: boolean;
}

export interface RunnerLogLine {
  readonly instance: string;
  readonly at: number;
  readonly stream: 'out' | 'err';
  readonly text: string;
}
