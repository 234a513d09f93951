import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import { fill } from '../../policies/fill.ts';
import { INITIAL_POLICY_STATE } from '../../src/core/policy.ts';
import { factsOf, policyOf, targetFacts } from '../support/facts.ts';

/** Envoy's vectors: healthy percent of each level, and the load each one gets. */
const VECTORS: readonly [readonly number[], readonly number[]][] = [
  [
    [72, 72],
    [100, 0],
  ],
  [
    [71, 71],
    [99, 1],
  ],
  [
    [50, 50],
    [70, 30],
  ],
  [
    [25, 100],
    [35, 65],
  ],
  [
    [25, 25],
    [50, 50],
  ],
  [
    [5, 65],
    [7, 93],
  ],
  [
    [50, 50, 100],
    [70, 30, 0],
  ],
  [
    [25, 25, 100],
    [35, 35, 30],
  ],
  [
    [25, 25, 20],
    [36, 36, 28],
  ],
];

describe('spill by capacity', () => {
  it.each(VECTORS)('of levels that can carry %j %% of the demand gives %j', (capacities, expected) => {
    const targets = capacities.map((capacityRps, tier) =>
      targetFacts({ platform: `p${tier}`, tier, capacityRps }),
    );
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 100 }), INITIAL_POLICY_STATE, 0);
    targets.forEach(({ platform }, level) => {
      // Envoy counts whole percents and gives what rounding leaves to the first level; we do not round.
      const difference = (decision.shares[platform] ?? 0) * 100 - (expected[level] ?? 0);
      expect(Math.abs(difference)).toBeLessThan(1);
    });
  });

  it('weighs by capacity and not by the number of instances', () => {
    // Ten small instances in front of two big ones: a count would keep all traffic on the first tier.
    const targets = [
      targetFacts({ platform: 'small', tier: 1, capacityRps: 100 }),
      targetFacts({ platform: 'big', tier: 2, capacityRps: 2_000 }),
    ];
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 700 }), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ small: 0.2, big: 0.8 });
  });

  it('is never caused by a capacity that nobody knows', () => {
    const targets = [
      targetFacts({ platform: 'a', tier: 1, availability: 0.1, state: 'degraded' }),
      targetFacts({ platform: 'b', tier: 2, capacityRps: 1_000 }),
    ];
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 10_000 }), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ a: 1, b: 0 });
  });

  it('says what is more than all can carry, and sends it all the same', () => {
    const targets = [targetFacts({ platform: 'a', capacityRps: 50 })];
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 100 }), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ a: 1 });
    const step = decision.proof().find(({ stage }) => stage === 'capacity');
    expect(step?.lines.at(-1)).toBe('30 rps of 100 rps are more than all can carry: sent all the same');
  });

  it('is not what it calls it when nobody can serve at all', () => {
    const targets = [targetFacts({ platform: 'a', state: 'down' })];
    const { decision } = decide(policyOf(), factsOf(targets), INITIAL_POLICY_STATE, 0);
    expect(JSON.stringify(decision.proof())).not.toContain('more than all can carry');
  });
});

describe('fill', () => {
  const NO_LIMIT = (): number => Number.POSITIVE_INFINITY;

  it('shares by weight within a group', () => {
    const group = [
      { platform: 'a', weight: 60 },
      { platform: 'b', weight: 40 },
    ];
    expect(fill([group], NO_LIMIT)).toEqual({ shares: { a: 0.6, b: 0.4 }, rest: 0 });
  });

  it('hands on to its neighbours what one of a group cannot carry', () => {
    const group = [
      { platform: 'a', weight: 60 },
      { platform: 'b', weight: 20 },
      { platform: 'c', weight: 20 },
    ];
    const { shares } = fill([group], (platform) => (platform === 'a' ? 0.2 : 1));
    expect(shares).toEqual({ a: 0.2, b: 0.4, c: 0.4 });
  });

  it('gives a target of weight 0 nothing beside others and all when it is alone', () => {
    const zero = { platform: 'a', weight: 0 };
    expect(fill([[zero, { platform: 'b', weight: 1 }]], NO_LIMIT).shares).toEqual({ b: 1 });
    expect(fill([[zero]], NO_LIMIT).shares).toEqual({ a: 1 });
  });

  it('of nobody leaves everything', () => {
    expect(fill([], NO_LIMIT)).toEqual({ shares: {}, rest: 1 });
  });
});
