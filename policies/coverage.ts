import type { PlatformName } from '../src/core/ids.ts';
import { type Draft, sum } from './draft.ts';

/**
 * N−1: for each target, the part of today's demand that the others would carry if it died now, 0 to 1. A target of
 * unknown capacity is taken to carry what comes; standbys count with what they run now.
 */
export function coverageOf({ candidates, policy }: Draft): Readonly<Record<PlatformName, number>> {
  const able = candidates.filter(({ rank }) => rank === 'serving');
  return Object.fromEntries(
    candidates.map(({ platform }) => {
      const others = able.filter((other) => other.platform !== platform);
      return [platform, Math.min(1, sum(others.map(({ limit }) => limit)) / policy.overprovision)];
    }),
  );
}
