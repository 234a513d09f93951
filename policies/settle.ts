import type { Shares } from '../src/core/decision.ts';
import { type Draft, shareOf } from './draft.ts';
import { shapeOf } from './shape.ts';

/** Shares that differ less than this for no other reason than demand are not worth a new table. */
const DEAD_BAND = 0.02;

/** Keeps the last shares when only the demand moved a little; rounds the others so that equal is equal. */
export function settle(draft: Draft): Draft {
  const shape = shapeOf(draft);
  const still = shape === draft.before.shape && isNear(draft);
  return { ...draft, shape, shares: still ? draft.before.shares : rounded(draft) };
}

function isNear({ candidates, shares, before }: Draft): boolean {
  return candidates.every(
    ({ platform }) =>
      Math.abs(round(shareOf(shares, platform)) - shareOf(before.shares, platform)) < DEAD_BAND,
  );
}

function rounded({ candidates, shares }: Draft): Shares {
  const out: Record<string, number> = {};
  for (const { platform } of candidates) out[platform] = round(shareOf(shares, platform));
  return out;
}

/** A millionth is far below what any router can tell apart. */
function round(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
