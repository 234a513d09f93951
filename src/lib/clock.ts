// Globals like `performance` and `Buffer` are getters; what is asked for with every request is imported.
import { performance } from 'node:perf_hooks';
import type { Clock, Dispose } from '../core/ports.ts';

/** The machine's clock. Timers do not keep the process alive: what must live holds a socket or a child. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run): Dispose {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, run): Dispose {
    const timer = setInterval(run, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      // A sleeper is waited for, so unlike `after` it holds the process.
      const timer = setTimeout(done, ms);
      function aborted(): void {
        clearTimeout(timer);
        reject(signal?.reason);
      }
      function done(): void {
        signal?.removeEventListener('abort', aborted);
        resolve();
      }
      signal?.addEventListener('abort', aborted, { once: true });
    });
  },
};
