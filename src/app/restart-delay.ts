/** At once the first time, then 0.2 s, 0.4 s … 5 s for as long as it dies more than once in ten seconds. */
export function restartDelay(deaths: readonly number[], now: number): number {
  const recent = deaths.filter((at) => now - at < 10_000).length;
  return recent <= 1 ? 0 : Math.min(5_000, 100 * 2 ** (recent - 1));
}
