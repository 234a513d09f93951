/** As many checks as Nagios looks back over. */
export const FLAP_CHECKS = 21;

/**
 * Nagios' measure of flapping: the part of the last 21 checks at which the state changed, the newest change weighing
 * 1.2 and the oldest 0.8; 0 to 1. `history` is oldest first, true for well.
 */
export function flapOf(history: readonly boolean[]): number {
  const recent = history.slice(-FLAP_CHECKS);
  const transitions = FLAP_CHECKS - 1;
  const skipped = FLAP_CHECKS - recent.length;
  let changed = 0;
  for (let i = 1; i < recent.length; i++) {
    if (recent[i] === recent[i - 1]) continue;
    const place = skipped + i - 1;
    changed += 0.8 + (0.4 * place) / (transitions - 1);
  }
  return changed / transitions;
}
