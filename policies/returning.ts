import type { Shares } from '../src/core/decision.ts';
import type { PlatformName } from '../src/core/ids.ts';
import { type Draft, normalised, shareOf, sum } from './draft.ts';
import { fill } from './fill.ts';
import { limits } from './spill.ts';

/** Parts that who waits or ramps has of its full share now. */
export function returningParts({ memory, policy }: Draft): Record<PlatformName, number> {
  const parts: Record<PlatformName, number> = {};
  for (const [platform, { membership }] of Object.entries(memory)) {
    if (membership.kind === 'held') parts[platform] = 0;
    if (membership.kind === 'ramping') parts[platform] = policy.ramp.steps[membership.step] ?? 1;
  }
  return parts;
}

/**
 * Shares while some targets are on their way back: each of them gets the given part (0 to 1) of what it would have
 * as a full member, and beyond that only what the others have no capacity for; the others share the remainder.
 */
export function withReturning(draft: Draft, parts: Readonly<Record<PlatformName, number>>): Shares {
  const limitOf = limits(draft.candidates);
  const wish = normalised(fill(draft.preference, limitOf).shares);
  const others = draft.preference.map((group) =>
    group.filter(({ platform }) => parts[platform] === undefined),
  );
  const base = fill(others, limitOf);
  const settled = normalised(base.shares);
  if (sum(Object.values(settled)) === 0) return wish;

  const wished = sum(Object.keys(parts).map((platform) => shareOf(wish, platform)));
  const shares: Record<PlatformName, number> = {};
  let given = 0;
  for (const [platform, part] of Object.entries(parts)) {
    const full = shareOf(wish, platform);
    if (full === 0) continue;
    const overflow = Math.min(full, (base.rest * full) / wished);
    const share = Math.max(part * full, overflow);
    if (share > 0) shares[platform] = share;
    given += share;
  }
  for (const [platform, share] of Object.entries(settled)) {
    if (given < 1) shares[platform] = share * (1 - given);
  }
  return shares;
}
