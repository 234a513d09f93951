import type { PolicySettings } from '../src/core/settings.ts';
import { type Draft, shareOf } from './draft.ts';

/** Shares that differ less than this for no other reason than demand are not worth a new table. */
const DEAD_BAND = 0.02;

/** Keeps the last shares when only the demand moved a little; rounds the others so that equal is equal. */
export function settle(draft: Draft): Draft {
  const { before } = draft;
  const platforms = draft.candidates.map(({ platform }) => platform);
  const rounded = Object.fromEntries(platforms.map((p) => [p, round(shareOf(draft.shares, p))]));
  const still =
    before.shape === shapeOf(draft) &&
    platforms.every((platform) => {
      return Math.abs(shareOf(rounded, platform) - shareOf(before.shares, platform)) < DEAD_BAND;
    });
  return { ...draft, shares: still ? before.shares : rounded };
}

/** All that may move traffic at once, and not by and by. */
export function shapeOf({ candidates, memory, mode, policy }: Draft): string {
  const targets = candidates.map(({ platform, rank, facts }) => {
    const { membership } = memory[platform] ?? {};
    const step = membership?.kind === 'ramping' ? membership.step : 0;
    const { tier, weight, availability, capacityRps, verdict } = facts;
    const worse = verdict.impaired === undefined ? 0 : 1;
    return `${platform} ${rank} ${membership?.kind} ${step} ${tier} ${weight} ${availability} ${capacityRps} ${worse}`;
  });
  return `${textOf(policy)} ${mode}; ${targets.join('; ')}`;
}

/** Kept: a policy is an object for as long as the configuration stands. */
const texts = new WeakMap<PolicySettings, string>();

function textOf(policy: PolicySettings): string {
  const known = texts.get(policy);
  if (known !== undefined) return known;
  const text = JSON.stringify(policy);
  texts.set(policy, text);
  return text;
}

/** A millionth is far below what any router can tell apart. */
function round(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
