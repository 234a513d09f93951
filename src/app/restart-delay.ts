import type { Clock } from '../core/ports.ts';

/** A process that lived this long is well; its next death counts as the first again. */
const SETTLED_MS = 10_000;

/** At once the first time, then 0.2 s, 0.4 s … 5 s for as long as every life is a short one. */
export function restartDelay(shortLives: number): number {
  return shortLives === 0 ? 0 : Math.min(5_000, 100 * 2 ** shortLives);
}

export interface RestartBackoff {
  started(): void;
  /** Milliseconds to wait before the next start. */
  ended(): number;
}

export function restartBackoff(clock: Clock): RestartBackoff {
  let startedAt = clock.monotonic();
  let shortLives = 0;
  return {
    started() {
      startedAt = clock.monotonic();
    },
    ended() {
      if (clock.monotonic() - startedAt >= SETTLED_MS) shortLives = 0;
      return restartDelay(shortLives++);
    },
  };
}
