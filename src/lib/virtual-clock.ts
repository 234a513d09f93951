import type { Clock } from '../core/ports.ts';

interface Timer {
  at: number;
  readonly order: number;
  readonly run: () => void;
  readonly everyMs: number | undefined;
}

export interface VirtualClock extends Clock {
  /** Moves time, running what falls due in order of time; what a timer schedules within the span runs too. */
  advance(ms: number): void;
}

/** Time that stands still until told otherwise: scenarios, tests and `simulate` run on it. */
export function virtualClock(startAt = 0): VirtualClock {
  const timers = new Set<Timer>();
  let now = startAt;
  let order = 0;

  function add(ms: number, run: () => void, everyMs?: number): () => void {
    const timer: Timer = { at: now + ms, order: order++, run, everyMs };
    timers.add(timer);
    return () => void timers.delete(timer);
  }

  function earliest(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.at > until) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }

  return {
    now: () => now,
    monotonic: () => now - startAt,
    after: (ms, run) => add(ms, run),
    every: (ms, run) => add(ms, run, ms),
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const aborted = (): void => {
          dispose();
          reject(signal?.reason);
        };
        const dispose = add(ms, () => {
          signal?.removeEventListener('abort', aborted);
          resolve();
        });
        signal?.addEventListener('abort', aborted);
      });
    },
    advance(ms) {
      const until = now + ms;
      for (let timer = earliest(until); timer; timer = earliest(until)) {
        now = timer.at;
        if (timer.everyMs === undefined) timers.delete(timer);
        else timer.at += timer.everyMs;
        timer.run();
      }
      now = until;
    },
  };
}
