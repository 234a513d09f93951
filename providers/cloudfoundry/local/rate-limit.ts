import type { Clock } from '../../../src/core/ports.ts';

const GENERAL_LIMIT = 20_000;
/** For whoever shows no good token, by address. */
export const UNAUTHENTICATED_LIMIT = 1_000;
const RESET_MINUTES = 60;

export const RATE_LIMITS = {
  enabled: true,
  general_limit: GENERAL_LIMIT,
  reset_interval_in_minutes: RESET_MINUTES,
} as const;

export interface RateLimiter {
  /** Counts one request of this user and says what to tell about it. */
  count(user: string): { readonly headers: Record<string, string>; readonly over: boolean };
}

/** Per user and hour. `Remaining` is rounded down in steps of a tenth of the limit, as on the real one: an estimate. */
export function createRateLimiter(clock: Clock, limit = GENERAL_LIMIT): RateLimiter {
  const windows = new Map<string, { used: number; resetAt: number }>();
  return {
    count(user) {
      let window = windows.get(user);
      if (!window || window.resetAt <= clock.now()) {
        window = { used: 0, resetAt: clock.now() + RESET_MINUTES * 60_000 };
        windows.set(user, window);
      }
      window.used += 1;
      const step = Math.max(1, Math.floor(limit / 10));
      const remaining = Math.floor(Math.max(0, limit - window.used) / step) * step;
      return {
        headers: {
          'x-ratelimit-limit': String(limit),
          'x-ratelimit-remaining': String(remaining),
          'x-ratelimit-reset': String(Math.floor(window.resetAt / 1_000)),
        },
        over: window.used > limit,
      };
    },
  };
}
