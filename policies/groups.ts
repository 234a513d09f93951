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
    const order = orderOf(candidate);
    const group = groups.find((one) => one.order === order && one.rank === rank);
    const member = { platform, weight: weightOf(candidate) };
    if (group === undefined) groups.push({ rank, order, members: [member] });
    else group.members.push(member);
  }
  groups.sort((a, b) => RANKS[a.rank] - RANKS[b.rank] || a.order - b.order);
  return groups.map(({ members }) => members);
}

interface Group {
  readonly rank: keyof typeof RANKS;
  readonly order: number;
  readonly members: Preference[number][number][];
}

const RANKS = { serving: 0, unknown: 1 } as const;

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
