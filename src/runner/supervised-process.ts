import { constants } from 'node:os';
import type { RunnerLogLine } from '../core/runner.ts';
import type { ProcessIdentity } from './proc.ts';

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** One run of an instance: a child of ours, or one that a former owner left behind. */
export interface SupervisedProcess {
  readonly identity: ProcessIdentity;
  /** Settles when the whole process group is gone and its output was read. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** SIGTERM to the group, SIGKILL after `graceMs`; resolves like `exited`. Repeatable. */
  terminate(graceMs: number): Promise<void>;
  /** Stops looking at it and leaves it running. Only where the owner's end does not end it. */
  leave(): void;
}

export interface ProcessExit {
  /** Undefined when a signal ended it, or when nobody was there to see. */
  readonly code: number | undefined;
  /** `exited with code 1`, `killed by SIGKILL`. */
  readonly reason: string;
}

export type OnOutput = (stream: RunnerLogLine['stream'], text: string) => void;

/** Shells report a signal that ended what they ran as 128 + its number. */
export function describeExit(code: number | null, signal: string | null): ProcessExit {
  if (signal !== null) return { code: undefined, reason: `killed by ${signal}` };
  const name = code !== null && code > 128 ? SIGNAL_NAMES.get(code - 128) : undefined;
  return { code: code ?? undefined, reason: name ? `killed by ${name}` : `exited with code ${code}` };
}
