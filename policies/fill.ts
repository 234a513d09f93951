import type { Shares } from '../src/core/decision.ts';
import type { PlatformName } from '../src/core/ids.ts';
import { type Preference, sum } from './draft.ts';

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
  let open = group
    .map((member) => ({ ...member, weight: weightless ? 1 : member.weight }))
    .filter(({ weight }) => weight > 0);
  let left = amount;
  while (open.length > 0 && left > NOTHING) {
    const total = sum(open.map(({ weight }) => weight));
    const portion = left;
    const full = open.filter(({ platform, weight }) => (portion * weight) / total > limitOf(platform));
    if (full.length === 0) {
      for (const { platform, weight } of open) shares[platform] = (portion * weight) / total;
      return 0;
    }
    for (const { platform } of full) {
      shares[platform] = limitOf(platform);
      left -= limitOf(platform);
    }
    open = open.filter((member) => !full.includes(member));
  }
  return Math.max(0, left);
}
