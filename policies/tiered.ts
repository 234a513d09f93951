import type { Draft } from './draft.ts';
import { groupsOf, prefer, weightIn } from './groups.ts';

/**
 * The `tiered` strategy: the lowest tier first, by weight within a tier, what does not fit goes on to the next.
 * Targets that are `unknown` come after all tiers.
 */
export function tiered(draft: Draft): Draft {
  const preference = groupsOf(draft.candidates, ({ facts }) => facts.tier, weightIn(draft));
  return prefer(draft, preference, ({ facts }) => `tier ${facts.tier}`);
}
