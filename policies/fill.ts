import type { Shares } from '../src/core/decision.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { Preference } from './draft.ts';

/** Below this much of the demand a remainder is rounding. */
const NOTHING = 1e-9;

export interface Filled {
  /** Sum to 1 minus `rest`. */
  readonly shares: Shares;
  /** Part of the demand for which there is no capacity. */
  readonly rest: number;
}

/**
 * Pours the demand (1) into groups, one after the other: by weight, no target beyond its limit, the overflow on to
 * its neighbours and then to the next group. With one target a group this is Envoy's priority load, weighed by
 * capacity instead of by host count.
 */
export function fill(preference: Preference, limitOf: (platform: PlatformName) => number): Filled {
  const shares: Record<PlatformName, number> = {};
  let rest = 1;
  for (const group of preference) {
    if (rest <= NOTHING) break;
    rest = pour(group, rest, limitOf, shares);
  }
  return { shares, rest: rest <= NOTHING ? 0 : rest };
}

/** Fills one group and returns what is left. */
function pour(
  group: Preference[number],
  amount: number,
  limitOf: (platform: PlatformName) => number,
  shares: Record<PlatformName, number>,
): number {
  // Weights of 0 mean "none while others are there"; alone they are equals.
  const weightless = group.every(({ weight }) => weight <= 0);
  let open = weightless ? group.map(({ platform }) => ({ platform, weight: 1 })) : group;
  let left = amount;
  while (left > NOTHING) {
    const total = weightIn(open);
    if (total <= 0) break;
    const portion = left;
    const fits = ({ platform, weight }: Preference[number][number]) =>
      (portion * weight) / total <= limitOf(platform);
    if (open.every(fits)) {
      for (const { platform, weight } of open) if (weight > 0) shares[platform] = (portion * weight) / total;
      return 0;
    }
    for (const member of open) {
      if (fits(member)) continue;
      const limit = limitOf(member.platform);
      shares[member.platform] = limit;
      left -= limit;
    }
    open = open.filter(fits);
  }
  return Math.max(0, left);
}

function weightIn(group: Preference[number]): number {
  let total = 0;
  for (const { weight } of group) total += weight;
  return total;
}
