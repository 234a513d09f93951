import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import { holdDownMs } from '../../policies/hold-down.ts';
import { wilsonLower } from '../../policies/wilson.ts';
import { INITIAL_POLICY_STATE } from '../../src/core/policy.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;

describe('verdicts', () => {
  it('unknown ranks after up', () => {
    const targets = [targetFacts({ platform: 'a', state: 'unknown' }), targetFacts({ platform: 'b' })];
    const { decision } = decide(policyOf(), factsOf(targets), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ a: 0, b: 1 });
    expect(decision.targets['a']?.state).toBe('spare');
  });

  it('unknown serves when nobody is up', () => {
    const targets = [
      targetFacts({ platform: 'a', state: 'unknown' }),
      targetFacts({ platform: 'b', state: 'down' }),
    ];
    const { decision } = decide(policyOf(), factsOf(targets), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ a: 1, b: 0 });
  });

  it('not knowing takes nothing from a target that serves', () => {
    const targets = [targetFacts({ platform: 'a', state: 'unknown' }), targetFacts({ platform: 'b' })];
    const { decision } = decide(
      policyOf(),
      factsOf(targets),
      stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN }),
      0,
    );
    expect(decision.shares).toEqual({ a: 0.5, b: 0.5 });
    expect(decision.reasons).toEqual([]);
  });
});

describe('tiers', () => {
  it('serve from the lowest that is up', () => {
    const targets = [
      targetFacts({ platform: 'a', tier: 1, state: 'down' }),
      targetFacts({ platform: 'b', tier: 2, weight: 3 }),
      targetFacts({ platform: 'c', tier: 2, weight: 1 }),
      targetFacts({ platform: 'd', tier: 3 }),
    ];
    const { decision } = decide(policyOf(), factsOf(targets), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ a: 0, b: 0.75, c: 0.25, d: 0 });
    expect(decision.targets['d']?.state).toBe('spare');
    expect(decision.targets['a']?.state).toBe('draining');
  });
});

describe('hold-down', () => {
  it('doubles from its base to its longest', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6].map((failovers) => holdDownMs(policyOf(), failovers) / 1000);
    expect(waits).toEqual([60, 60, 120, 240, 480, 900, 900]);
  });

  it('does not end by itself where failback is manual', () => {
    const targets = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b', tier: 2 })];
    const held = { kind: 'held', since: 0, until: 10 } as const;
    const policy = policyOf({ failback: 'manual' });
    const { decision } = decide(policy, factsOf(targets), stateOf({ b: 1 }, { a: held, b: IN }), 1e9);
    expect(decision.shares).toEqual({ a: 0, b: 1 });
    expect(decision.proof().find(({ stage }) => stage === 'hold-down')?.lines).toEqual([
      'a serves again; failback is manual',
    ]);
  });

  it('gives way for what the others have no capacity for', () => {
    const targets = [
      targetFacts({ platform: 'a', capacityRps: 100 }),
      targetFacts({ platform: 'b', capacityRps: 50 }),
    ];
    const held = { kind: 'held', since: 0, until: 1e6 } as const;
    const state = stateOf({ a: 0, b: 1 }, { a: held, b: IN });
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 100 }), state, 1_000);
    expect(decision.shares['a']).toBeCloseTo(0.3);
    expect(decision.reasons).toEqual(['a is needed before its hold-down is over: 30 %']);
  });
});

describe('panic', () => {
  const targets = [
    targetFacts({ platform: 'a', capacityRps: 20 }),
    targetFacts({ platform: 'b', capacityRps: 100, state: 'starting' }),
    targetFacts({ platform: 'c', capacityRps: 100, state: 'down' }),
  ];

  it('lets the last good shares stand among all that are not down', () => {
    const state = stateOf({ a: 0.2, b: 0.4, c: 0.4 }, { a: IN, b: IN, c: IN });
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 100 }), state, 0);
    expect(decision.mode).toBe('panic');
    expect(decision.shares).toEqual({ a: 0.333333, b: 0.666667, c: 0 });
  });

  it('needs less than 30 % of the needed capacity', () => {
    const state = stateOf({ a: 0.2, b: 0.4, c: 0.4 }, { a: IN, b: IN, c: IN });
    const { decision } = decide(policyOf(), factsOf(targets, { demandRps: 60 }), state, 0);
    expect(decision.mode).toBe('normal');
  });
});

describe('safety', () => {
  it('offers those that may serve when nobody ever did', () => {
    const targets = [
      targetFacts({ platform: 'a', state: 'down' }),
      targetFacts({ platform: 'b', tier: 2, state: 'down' }),
    ];
    const { decision } = decide(policyOf(), factsOf(targets), INITIAL_POLICY_STATE, 0);
    expect(decision.shares).toEqual({ a: 1, b: 0 });
    expect(decision.mode).toBe('last-known');
  });

  it('never offers a release that was not asked for and never served', () => {
    const origins = [{ id: 'a/h:1', state: 'up' as const, declared: undefined, answered: ['r-other'] }];
    const targets = [targetFacts({ platform: 'a', origins })];
    const { decision } = decide(
      policyOf(),
      factsOf(targets, { allowedReleases: ['r-1'] }),
      INITIAL_POLICY_STATE,
      0,
    );
    expect(decision.shares).toEqual({ a: 0 });
    expect(decision.targets['a']?.state).toBe('off');
  });

  it('keeps serving what is not eligible when there is nothing else, with all its origins', () => {
    const origins = [{ id: 'a/h:1', state: 'up' as const, declared: undefined, answered: ['r-other'] }];
    const targets = [targetFacts({ platform: 'a', origins })];
    const facts = factsOf(targets, { allowedReleases: ['r-1'] });
    const { decision } = decide(policyOf(), facts, stateOf({ a: 1 }, { a: IN }), 0);
    expect(decision.targets['a']).toEqual({ share: 1, state: 'active', origins: ['a/h:1'] });
  });
});

describe('eligibility', () => {
  const allowedReleases = ['r-1', 'r-2'];
  function statesOf(
    declared: string | undefined,
    answered: readonly (string | undefined)[],
    releaseMatters = true,
  ) {
    const origins = [{ id: 'a/h:1', state: 'up' as const, declared, answered }];
    const targets = [targetFacts({ platform: 'a', origins, releaseMatters }), targetFacts({ platform: 'b' })];
    return decide(policyOf(), factsOf(targets, { allowedReleases }), INITIAL_POLICY_STATE, 0).decision
      .targets['a']?.state;
  }

  it.each([
    ['one wanted release', undefined, ['r-1'], 'active'],
    ['two wanted releases', undefined, ['r-2', 'r-1'], 'active'],
    ['a wanted and an unwanted one', undefined, ['r-1', 'r-9'], 'off'],
    ['none although asked', undefined, [undefined], 'off'],
    ['nothing yet, on an instance of an unwanted one', 'r-9', [], 'off'],
    ['a wanted one, though the platform says another', 'r-9', ['r-1'], 'active'],
    ['nothing, unproven', undefined, [], 'active'],
  ])('of an origin that answers %s', (_name, declared, answered, state) => {
    expect(statesOf(declared, answered)).toBe(state);
  });

  it('asks no release of static targets', () => {
    expect(statesOf('r-9', ['r-9'], false)).toBe('active');
  });

  it('offers of a target only the origins of a wanted release', () => {
    const origins = [
      { id: 'a/h:1', state: 'up' as const, declared: 'r-1', answered: [] },
      { id: 'a/h:2', state: 'up' as const, declared: 'r-9', answered: [] },
    ];
    const facts = factsOf([targetFacts({ platform: 'a', origins })], { allowedReleases });
    expect(decide(policyOf(), facts, INITIAL_POLICY_STATE, 0).decision.targets['a']?.origins).toEqual([
      'a/h:1',
    ]);
  });
});

describe('explanations', () => {
  it('go through every stage in order', () => {
    const { decision } = decide(
      policyOf(),
      factsOf([targetFacts({ platform: 'a' })]),
      INITIAL_POLICY_STATE,
      0,
    );
    expect(decision.proof().map(({ stage }) => stage)).toEqual([
      'attribution',
      'acts',
      'eligibility',
      'verdicts',
      'strategy',
      'capacity',
      'hold-down',
      'ramp',
      'pace',
      'panic',
      'safety',
      'intents',
    ]);
    expect(decision.summary).toBe('a 100 %: all targets stand as the policy wants them');
  });
});

describe('wilsonLower', () => {
  it('asks for more than a few failures', () => {
    expect(wilsonLower(0, 0)).toBe(0);
    expect(wilsonLower(1, 20)).toBeLessThan(0.01);
    expect(wilsonLower(10, 20)).toBeGreaterThan(0.29);
  });
});
