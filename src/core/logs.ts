import type { WireError } from './errors.ts';
import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';
import type { LogLine } from './provider.ts';

export const LOG_SOURCES = [
  'app',
  'build',
  'platform',
  'router',
] as const satisfies readonly LogLine['source'][];
export type LogSource = (typeof LOG_SOURCES)[number];

/** What a person wants to read. */
export interface LogsWish {
  readonly application: ApplicationName;
  /** Undefined: all that can be read. */
  readonly platforms: readonly PlatformName[] | undefined;
  /** Of each platform, and then of all together. */
  readonly lines: number;
  /** Epoch milliseconds; undefined: however old they are. */
  readonly since: number | undefined;
  readonly sources: readonly LogSource[] | undefined;
  /** Go on as it is printed, until the reader goes away. */
  readonly follow: boolean;
}

/** One line of what platforms printed, and in between what we have to say about it ourselves. */
export interface LogEntry {
  /** Epoch milliseconds, by the platform's clock. */
  readonly at: number;
  readonly application: ApplicationName;
  /** Undefined: about all of them. */
  readonly platform?: PlatformName;
  /** `sluice`: our own words: what is missing here, and why. */
  readonly source: LogSource | 'sluice';
  readonly text: string;
  readonly instance?: string;
  readonly release?: ReleaseId;
  readonly number?: number;
  /** Set where a platform could not be read. */
  readonly error?: WireError;
}

/** Who can read the logs of applications. Breaking off the loop, or the signal, ends it. */
export interface Logs {
  logs(wish: LogsWish, signal: AbortSignal): AsyncIterable<LogEntry>;
}
