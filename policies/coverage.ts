import type { PlatformName } from '../src/core/ids.ts';
import type { Draft } from './draft.ts';
import { fullLimit } from './growth.ts';

/**
 * N−1: for each target, the part of today's demand that the others would carry if it died now, 0 to 1. A target of
 * unknown capacity is taken to carry what comes; standbys count with what they run now, and
 * cold ones with what they may grow to, if it was ever measured how long that takes.
 */
export function coverageOf({ candidates, policy, facts }: Draft): Readonly<Record<PlatformName, number>> {
  const coverage: Record<PlatformName, number> = {};
  for (const { platform } of candidates) {
    let carried = 0;
    for (const other of candidates) {
      if (other.platform === platform) continue;
      if (other.rank === 'serving') carried += other.limit;
      else if (other.asleep && other.facts.timeToCapacityMs !== undefined)
        carried += policy.overprovision * fullLimit(other, facts.demandRps);
    }
    coverage[platform] = Math.min(1, carried / policy.overprovision);
  }
  return coverage;
}
