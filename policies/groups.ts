import { type Candidate, type Draft, type Preference, withStep } from './draft.ts';

/**
 * Groups in the order in which they are filled: who is known to serve before who might, then by `orderOf`
 * ascending; equals share a group by weight.
 */
export function groupsOf(
  candidates: readonly Candidate[],
  orderOf: (candidate: Candidate) => number,
  weightOf: (candidate: Candidate) => number,
): Preference {
  const groups: Group[] = [];
  for (const candidate of candidates) {
    const { rank, platform } = candidate;
    if (rank === 'none') continue;
    const group = groupIn(groups, rank, orderOf(candidate));
    group.members.push({ platform, weight: weightOf(candidate) });
  }
  return groups.map(({ members }) => members);
}

interface Group {
  readonly rank: keyof typeof RANKS;
  readonly order: number;
  readonly members: Preference[number][number][];
}

const RANKS = { serving: 0, unknown: 1 } as const;

/** The one that is there, or a new one in its place. */
function groupIn(groups: Group[], rank: Group['rank'], order: number): Group {
  let place = 0;
  for (const group of groups) {
    const later = RANKS[group.rank] - RANKS[rank] || group.order - order;
    if (later === 0) return group;
    if (later > 0) break;
    place += 1;
  }
  const made: Group = { rank, order, members: [] };
  groups.splice(place, 0, made);
  return made;
}

/** Of one that answers, but worse than the policy wants. Of its weight and not its capacity: when all are, nobody is. */
const IMPAIRED = 0.5;

/** The configured weight, or the one a person ordered; a target with half its instances counts half. */
export function weightIn({ orders }: Draft): (candidate: Candidate) => number {
  return ({ platform, facts }) => {
    const weight = (orders.weights?.[platform] ?? facts.weight) * facts.availability;
    return facts.verdict.impaired === undefined ? weight : weight * IMPAIRED;
  };
}

/** Hands on the preference with a line for each group. */
export function prefer(draft: Draft, preference: Preference, nameOf: (first: Candidate) => string): Draft {
  function lines(): readonly string[] {
    if (preference.length === 0) return ['nobody can serve'];
    return preference.map((group) => {
      const first = draft.candidates.find(({ platform }) => platform === group[0]?.platform);
      const members = group.map(({ platform, weight }) => `${platform} weight ${round(weight)}`);
      const unsure = first?.rank === 'unknown' ? ', not yet known to serve' : '';
      return `${first === undefined ? '?' : nameOf(first)}${unsure}: ${members.join(', ')}`;
    });
  }
  return withStep({ ...draft, preference }, 'strategy', lines);
}

function round(weight: number): number {
  return weight >= 1 ? Math.round(weight * 10) / 10 : Number(weight.toPrecision(2));
}
