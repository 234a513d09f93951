const UNITS: readonly (readonly [letter: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** `42s`, `3m12s`, `5h`: as kubectl shows ages; small next units only while they matter. */
export function humanDuration(ms: number): string {
  for (const [index, [letter, unit]] of UNITS.entries()) {
    const count = Math.floor(ms / unit);
    if (count === 0) continue;
    const next = UNITS[index + 1];
    const rest = next ? Math.floor((ms % unit) / next[1]) : 0;
    return count < 10 && next && rest > 0 ? `${count}${letter}${rest}${next[0]}` : `${count}${letter}`;
  }
  return '0s';
}
