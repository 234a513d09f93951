import type { Random } from '../core/ports.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Being up this long proves that whatever was wrong is over. */
const PROVEN_AFTER_MS = 30_000;
const CRASH_LOOP_EXITS = 5;
const CRASH_LOOP_WINDOW_MS = 60_000;

/** What must be remembered between two exits of one instance. */
export interface RestartHistory {
  /** Epoch milliseconds of the exits that still count towards a crash loop. */
  readonly exits: readonly number[];
  /** Exits in a row without a proven run between them. */
  readonly failures: number;
  readonly crashLoop: boolean;
}

export const NO_EXITS: RestartHistory = { exits: [], failures: 0, crashLoop: false };

interface InstanceExit {
  readonly at: number;
  /** When it became ready; undefined if it never did. */
  readonly readyAt: number | undefined;
}

/**
 * How long to wait before the next start: 0.5 s doubling to 30 s, each with up to a quarter of jitter taken off so
 * that many instances killed together do not return together. Five exits within a minute are a crash loop, which
 * is retried at the longest wait and ends only with a run of 30 s.
 */
export function afterExit(
  history: RestartHistory,
  exit: InstanceExit,
  random: Random,
): { readonly history: RestartHistory; readonly waitMs: number } {
  const proven = exit.readyAt !== undefined && exit.at - exit.readyAt >= PROVEN_AFTER_MS;
  const before = proven ? NO_EXITS : history;
  const exits = [...before.exits.filter((at) => exit.at - at < CRASH_LOOP_WINDOW_MS), exit.at];
  const crashLoop = before.crashLoop || exits.length >= CRASH_LOOP_EXITS;
  const longest = crashLoop
    ? LONGEST_WAIT_MS
    : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** before.failures);
  return {
    history: { exits, failures: before.failures + 1, crashLoop },
    waitMs: longest * (1 - random() / 4),
  };
}
