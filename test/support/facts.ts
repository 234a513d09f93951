import type { Facts, TargetFacts } from '../../src/core/facts.ts';
import type { Membership, PolicyState } from '../../src/core/policy.ts';
import { DEFAULT_POLICY, type PolicySettings } from '../../src/core/settings.ts';
import type { VerdictState } from '../../src/core/verdict.ts';

export function targetFacts(
  given: Partial<TargetFacts> & { readonly platform: string; readonly state?: VerdictState },
): TargetFacts {
  const { state = 'up', ...rest } = given;
  return {
    tier: 1,
    weight: 1,
    verdict: { state, since: 0, cause: state, evidence: [] },
    origins: [
      {
        id: `${given.platform}/h:1`,
        state: state === 'down' ? 'down' : 'up',
        declared: undefined,
        answered: [],
      },
    ],
    capacityRps: undefined,
    availability: 1,
    releaseMatters: true,
    traffic: { attempts: 0, failed: 0, rps: 0, p95Ms: 0 },
    ...rest,
  };
}

export function factsOf(targets: readonly TargetFacts[], given: Partial<Facts> = {}): Facts {
  return { application: 'shop', demandRps: 0, allowedReleases: [], targets, ...given };
}

export function policyOf(given: Partial<PolicySettings> = {}): PolicySettings {
  return { ...DEFAULT_POLICY, ...given };
}

export function stateOf(
  shares: Readonly<Record<string, number>>,
  memberships: Readonly<Record<string, Membership>> = {},
): PolicyState {
  const targets = Object.fromEntries(
    Object.entries(memberships).map(([platform, membership]) => [platform, { membership, failovers: [] }]),
  );
  return { shares, lastGood: shares, targets };
}
