import type { Clock } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';

export interface ScaledClock extends Clock {
  /** From now on time goes so many times as fast; waits that were begun are not shortened. */
  run(factor: number): void;
}

/** The machine's clock, only faster: for whoever waits by it, 30 s are over in 5 at factor 6. */
export function scaledClock(): ScaledClock {
  const began = systemClock.now();
  let factor = 1;
  let passed = 0;
  let since = systemClock.monotonic();

  function monotonic(): number {
    return passed + (systemClock.monotonic() - since) * factor;
  }

  return {
    run(next) {
      passed = monotonic();
      since = systemClock.monotonic();
      factor = next;
    },
    now: () => Math.round(began + monotonic()),
    monotonic,
    after: (ms, run) => systemClock.after(ms / factor, run),
    every: (ms, run) => systemClock.every(ms / factor, run),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
