import { type Candidate, type Draft, type Preference, withStep } from './draft.ts';

/**
 * The `tiered` strategy: the lowest tier first, by weight within a tier, what does not fit goes on to the next.
 * A target with half its instances counts with half its weight. Targets that are `unknown` come after all tiers.
 */
export function tiered(draft: Draft): Draft {
  const preference = preferenceOf(draft.candidates);
  const lines = preference.map((group) => {
    const members = group.map(({ platform, weight }) => `${platform} weight ${round(weight)}`);
    return `${groupName(draft.candidates, group)}: ${members.join(', ')}`;
  });
  return withStep({ ...draft, preference }, 'strategy', lines.length > 0 ? lines : ['nobody can serve']);
}

export function preferenceOf(candidates: readonly Candidate[]): Preference {
  const groups: { platform: string; weight: number }[][] = [];
  for (const rank of ['serving', 'unknown'] as const) {
    const ranked = candidates.filter((candidate) => candidate.rank === rank);
    const tiers = [...new Set(ranked.map(({ facts }) => facts.tier))].sort((a, b) => a - b);
    for (const tier of tiers) {
      const members = ranked.filter(({ facts }) => facts.tier === tier);
      groups.push(
        members.map(({ platform, facts }) => ({ platform, weight: facts.weight * facts.availability })),
      );
    }
  }
  return groups;
}

function groupName(candidates: readonly Candidate[], group: Preference[number]): string {
  const first = candidates.find(({ platform }) => platform === group[0]?.platform);
  return `tier ${first?.facts.tier ?? '?'}${first?.rank === 'unknown' ? ', not yet known to serve' : ''}`;
}

function round(weight: number): number {
  return Math.round(weight * 10) / 10;
}
