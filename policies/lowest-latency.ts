import type { Candidate, Draft } from './draft.ts';
import { groupsOf, prefer, weightIn } from './groups.ts';

/** Nobody is faster than this to us: below it differences are noise. */
const FLOOR_MS = 1;

/**
 * The `lowest-latency` strategy: within a tier by peak EWMA (Finagle; τ = 10 s). Requests choose two origins and take
 * the cheaper (P2C); across platforms that would send everything to the faster one until it is the slower one, so
 * here weights fall with the square of the latency instead, which settles.
 */
export function lowestLatency(draft: Draft): Draft {
  const known = draft.candidates.flatMap(({ facts }) => latencyOf(facts) ?? []);
  // Who was never measured counts as the middle one: it gets enough to be measured.
  const middle = known.sort((a, b) => a - b)[Math.floor((known.length - 1) / 2)] ?? FLOOR_MS;
  const weight = weightIn(draft);
  const weightOf = (candidate: Candidate) => {
    const latency = Math.max(FLOOR_MS, latencyOf(candidate.facts) ?? middle);
    return weight(candidate) * (Math.max(FLOOR_MS, middle) / latency) ** 2;
  };
  const preference = groupsOf(draft.candidates, ({ facts }) => facts.tier, weightOf);
  return prefer(draft, preference, ({ facts }) => `tier ${facts.tier} by latency`);
}

function latencyOf(facts: Candidate['facts']): number | undefined {
  const ewma = facts.signals?.latency?.ewmaMs;
  return ewma === undefined || ewma <= 0 ? undefined : ewma;
}
