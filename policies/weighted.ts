import type { Draft } from './draft.ts';
import { groupsOf, prefer, weightIn } from './groups.ts';

/** The `weighted` strategy: everybody at once, by weight; tiers mean nothing. */
export function weighted(draft: Draft): Draft {
  const preference = groupsOf(draft.candidates, () => 0, weightIn(draft));
  return prefer(draft, preference, () => 'by weight');
}
