/** Diego restarts the first crashes at once and only then begins to wait. */
const IMMEDIATE_RESTARTS = 3;

interface CrashDelays {
  readonly first: number;
  readonly longest: number;
}

/** Milliseconds until the next start after this many crashes in a row. */
export function restartDelay(crashes: number, delays: CrashDelays): number {
  if (crashes < IMMEDIATE_RESTARTS) return 0;
  return Math.min(delays.longest, delays.first * 2 ** (crashes - IMMEDIATE_RESTARTS));
}
