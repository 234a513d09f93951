import type { PlatformName } from '../src/core/ids.ts';
import type { Draft } from './draft.ts';

/**
 * N−1: for each target, the part of today's demand that the others would carry if it died now, 0 to 1. A target of
 * unknown capacity is taken to carry what comes; standbys count with what they run now.
 */
export function coverageOf({ candidates, policy }: Draft): Readonly<Record<PlatformName, number>> {
  const coverage: Record<PlatformName, number> = {};
  for (const { platform } of candidates) {
    let carried = 0;
    for (const other of candidates)
      if (other.rank === 'serving' && other.platform !== platform) carried += other.limit;
    coverage[platform] = Math.min(1, carried / policy.overprovision);
  }
  return coverage;
}
