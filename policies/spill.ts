import { partThere, type TargetFacts } from '../src/core/facts.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import { type Candidate, type Draft, normalised, withStep } from './draft.ts';
import { fill } from './fill.ts';

/** Capacity: fills the strategy's groups as far as each target can carry; too much for all is spread over all. */
export function spill(draft: Draft): Draft {
  const { policy, facts, candidates } = draft;
  const { shares, rest } = fill(draft.preference, limits(candidates));
  function lines(): readonly string[] {
    const carried = candidates
      .filter(({ rank }) => rank !== 'none')
      .map((candidate) => capacityLine(candidate, policy.overprovision));
    // With nobody to fill, everything is left over; that is no matter of capacity.
    if (rest <= 0 || draft.preference.length === 0) return carried;
    const over = Math.round(facts.demandRps * rest);
    const fate = policy.overload === 'shed' ? 'answered 503' : 'sent all the same';
    return [
      ...carried,
      `${over} rps of ${Math.round(facts.demandRps)} rps are more than all can carry: ${fate}`,
    ];
  }
  const shed = policy.overload === 'shed' && draft.preference.length > 0 ? rest : 0;
  return withStep({ ...draft, shed, shares: normalised(shares) }, 'capacity', lines);
}

/** Part of the demand that a target can carry. Unknown capacity is never a reason to spill. */
export function limitOf(policy: PolicySettings, target: TargetFacts, demandRps: number): number {
  if (target.capacityRps === undefined || demandRps <= 0) return Number.POSITIVE_INFINITY;
  return (policy.overprovision * target.capacityRps * partThere(target)) / demandRps;
}

export function limits(candidates: readonly Candidate[]): (platform: PlatformName) => number {
  return (platform) => {
    for (const candidate of candidates) if (candidate.platform === platform) return candidate.limit;
    return Number.POSITIVE_INFINITY;
  };
}

function capacityLine({ platform, facts }: Candidate, overprovision: number): string {
  const there = partThere(facts);
  const why = there < facts.availability ? ', others are being replaced' : '';
  const part = there < 1 ? `, ${Math.round(there * 100)} % of it there${why}` : '';
  if (facts.capacityRps === undefined) return `${platform} capacity unknown${part}`;
  return `${platform} carries ${Math.round(facts.capacityRps)} rps × ${overprovision}${part}`;
}
