import type { LogEntry } from '../core/logs.ts';

/** As long as a line waits for earlier ones of other platforms. */
const WAIT_MS = 1_500;
const MOST_WAITING = 10_000;

interface Waiting {
  readonly entry: LogEntry;
  readonly arrivedAt: number;
}

/**
 * Lines of several platforms in the order of their time. Platforms tell late, each by another delay: a line is held for a
 * moment, and goes out with all that is earlier. Who takes too slowly loses the oldest, and learns how many.
 */
export interface LineMerge {
  add(entries: readonly LogEntry[], now: number): void;
  /** What need not wait any more, in order. */
  take(now: number): readonly LogEntry[];
  /** All that is there. */
  rest(): readonly LogEntry[];
  /** Lost since it was asked last. */
  takeLost(): number;
}

export function createLineMerge(waitMs = WAIT_MS, most = MOST_WAITING): LineMerge {
  let waiting: Waiting[] = [];
  let lost = 0;

  function out(isDue: (one: Waiting) => boolean): readonly LogEntry[] {
    const due = waiting.filter(isDue);
    waiting = waiting.filter((one) => !isDue(one));
    // A stable sort: lines of one moment stay as their platform gave them.
    return due.map(({ entry }) => entry).sort((a, b) => a.at - b.at);
  }

  return {
    add(entries, now) {
      for (const entry of entries) waiting.push({ entry, arrivedAt: now });
      const over = waiting.length - most;
      if (over <= 0) return;
      waiting = waiting.sort((a, b) => a.entry.at - b.entry.at).slice(over);
      lost += over;
    },
    take(now) {
      let until = Number.NEGATIVE_INFINITY;
      for (const { entry, arrivedAt } of waiting) {
        if (arrivedAt + waitMs <= now) until = Math.max(until, entry.at);
      }
      return out(({ entry }) => entry.at <= until);
    },
    rest: () => out(() => true),
    takeLost() {
      const count = lost;
      lost = 0;
      return count;
    },
  };
}
