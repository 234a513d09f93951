import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../policies/decide.ts';
import { mayServe } from '../../policies/eligibility.ts';
import type { Facts, TargetFacts } from '../../src/core/facts.ts';
import { INITIAL_POLICY_STATE, type PolicyState } from '../../src/core/policy.ts';
import { factsOf, policyOf, targetFacts } from '../support/facts.ts';

const RELEASES = ['r-1', 'r-2', 'r-9', undefined] as const;

const target = fc.record({
  state: fc.constantFrom('unknown', 'starting', 'up', 'degraded', 'down' as const),
  tier: fc.integer({ min: 1, max: 3 }),
  weight: fc.integer({ min: 0, max: 100 }),
  capacityRps: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
  availability: fc.constantFrom(0.25, 0.5, 1),
  release: fc.constantFrom(...RELEASES),
  failed: fc.integer({ min: 0, max: 50 }),
  hasOrigins: fc.boolean(),
});

const moment = fc.record({
  demandRps: fc.integer({ min: 0, max: 2_000 }),
  allowed: fc.constantFrom([], ['r-1'], ['r-1', 'r-2']),
  afterMs: fc.integer({ min: 0, max: 200_000 }),
  targets: fc.array(target, { minLength: 1, maxLength: 4 }),
});

type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never;

function factsFor({ demandRps, allowed, targets }: Moment): Facts {
  const facts = targets.map((given, index): TargetFacts => {
    const platform = `p${index}`;
    const { release, failed, hasOrigins, ...rest } = given;
    const answered = release === undefined ? [] : [release];
    const origins = [{ id: `${platform}/h:1`, state: 'up' as const, declared: undefined, answered }];
    const traffic = { attempts: 50, failed, rps: 5, p95Ms: 1 };
    return targetFacts({ platform, ...rest, traffic, origins: hasOrigins ? origins : [] });
  });
  return factsOf(facts, { demandRps, allowedReleases: allowed });
}

/** Histories, so that hold-downs and ramps of all kinds are met too. */
const history = fc.array(moment, { minLength: 1, maxLength: 8 });

function play(
  moments: readonly Moment[],
  check: (facts: Facts, shares: Readonly<Record<string, number>>, before: PolicyState) => void,
): void {
  let state: PolicyState = INITIAL_POLICY_STATE;
  let now = 1_000_000;
  for (const given of moments) {
    now += given.afterMs;
    const facts = factsFor(given);
    const answer = decide(policyOf(), facts, state, now);
    check(facts, answer.decision.shares, state);
    state = answer.state;
  }
}

function total(shares: Readonly<Record<string, number>>): number {
  return Object.values(shares).reduce((a, b) => a + b, 0);
}

function serves(facts: Facts, t: TargetFacts): boolean {
  const { state } = t.verdict;
  return (state === 'up' || state === 'degraded') && t.origins.some((origin) => mayServe(facts, t, origin));
}

describe('decisions', () => {
  it('give shares that sum to 1, or none at all', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (_facts, shares) => {
          for (const share of Object.values(shares)) expect(share).toBeGreaterThanOrEqual(0);
          if (total(shares) !== 0) expect(total(shares)).toBeCloseTo(1, 4);
        }),
      ),
    );
  });

  it('give nothing to a target that is down or not eligible while another one is up', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, shares) => {
          if (!facts.targets.some((t) => serves(facts, t))) return;
          for (const t of facts.targets) {
            const eligible = t.origins.some((origin) => mayServe(facts, t, origin));
            if (t.verdict.state === 'down' || !eligible) expect(shares[t.platform]).toBe(0);
          }
        }),
      ),
    );
  });

  it('always serve from somewhere while anybody can', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, shares) => {
          if (facts.targets.some((t) => serves(facts, t))) expect(total(shares)).toBeCloseTo(1, 4);
        }),
      ),
    );
  });

  it('are equal for equal arguments, and arguments are left as they were', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, _shares, before) => {
          const copy = JSON.stringify([facts, before]);
          const first = decide(policyOf(), facts, before, 5_000_000);
          expect(decide(policyOf(), facts, before, 5_000_000)).toEqual(first);
          expect(JSON.stringify([facts, before])).toBe(copy);
        }),
      ),
    );
  });

  it('survive being written down between two of them', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, _shares, before) => {
          const kept: PolicyState = JSON.parse(JSON.stringify(before));
          expect(decide(policyOf(), facts, kept, 5_000_000)).toEqual(
            decide(policyOf(), facts, before, 5_000_000),
          );
        }),
      ),
    );
  });
});
