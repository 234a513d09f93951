import type { Shares } from '../src/core/decision.ts';
import { type Draft, normalised, sum, withStep } from './draft.ts';
import { fill } from './fill.ts';
import { only } from './panic.ts';

/** Evaluated last: at least one target stays active. When nobody can serve, who served last goes on. */
export function safety(draft: Draft): Draft {
  if (sum(Object.values(draft.shares)) > 0)
    return withStep(draft, 'safety', ['at least one target is active']);
  const shares = lastKnown(draft);
  const held = sum(Object.values(shares)) > 0;
  const line = held ? 'nobody can serve: the last known shares stay' : 'nobody can serve and nobody ever did';
  return withStep({ ...draft, shares, mode: 'last-known' }, 'safety', [line]);
}

function lastKnown({ candidates, before }: Draft): Shares {
  const present = new Set(
    candidates.filter(({ facts }) => facts.origins.length > 0).map(({ platform }) => platform),
  );
  for (const remembered of [before.shares, before.lastGood]) {
    const kept = only(remembered, present);
    if (sum(Object.values(kept)) > 0) return normalised(kept);
  }
  // Nobody served yet: those that may are asked, so that a request meets the platform's own answer.
  const eligible = candidates.filter((candidate) => candidate.eligible);
  const first = Math.min(...eligible.map(({ facts }) => facts.tier));
  const group = eligible.filter(({ facts }) => facts.tier === first);
  const preference = [group.map(({ platform, facts }) => ({ platform, weight: facts.weight }))];
  return fill(preference, () => Number.POSITIVE_INFINITY).shares;
}
