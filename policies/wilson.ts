/** 95 %, two-sided. */
const Z = 1.96;

/** Lower end of Wilson's interval: a failure ratio that is at least this high with few samples in mind. */
export function wilsonLower(failed: number, attempts: number): number {
  if (attempts === 0) return 0;
  const p = failed / attempts;
  const z2 = Z * Z;
  const centre = p + z2 / (2 * attempts);
  const spread = Z * Math.sqrt((p * (1 - p) + z2 / (4 * attempts)) / attempts);
  return Math.max(0, (centre - spread) / (1 + z2 / attempts));
}
