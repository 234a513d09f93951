import type { Shares } from '../src/core/decision.ts';
import type { PlatformName } from '../src/core/ids.ts';
import { type Candidate, type Draft, normalised, sum, withStep } from './draft.ts';

/** Part of the needed capacity below which we doubt our eyes more than the platforms. */
export const PANIC_BELOW = 0.3;

/**
 * With very little healthy capacity left, the last shares that were good stand, among all that are not known to be
 * down. Whoever is down gets nothing as long as another can serve.
 */
export function panic(draft: Draft): Draft {
  const serving = draft.candidates.filter(({ rank }) => rank === 'serving');
  const healthy = sum(serving.map(({ limit }) => limit)) / draft.policy.overprovision;
  if (serving.length === 0 || healthy >= PANIC_BELOW) return withStep(draft, 'panic', ['no']);

  const standing = new Set(draft.candidates.filter(isStanding).map(({ platform }) => platform));
  const kept = only(draft.before.lastGood, standing);
  const shares = sum(Object.values(kept)) > 0 ? normalised(kept) : draft.shares;
  const percent = Math.round(healthy * 100);
  const line = `only ${percent} % of the needed capacity is healthy: the last good shares stand`;
  return withStep({ ...draft, shares, mode: 'panic' }, 'panic', [line]);
}

function isStanding({ eligible, rank, facts }: Candidate): boolean {
  return eligible && (rank !== 'none' || facts.verdict.state === 'starting');
}

export function only(shares: Shares, platforms: ReadonlySet<PlatformName>): Shares {
  return Object.fromEntries(Object.entries(shares).filter(([platform]) => platforms.has(platform)));
}
