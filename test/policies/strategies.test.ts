import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { Shares } from '../../src/core/decision.ts';
import type { TargetFacts } from '../../src/core/facts.ts';
import { INITIAL_POLICY_STATE, type PolicyState } from '../../src/core/policy.ts';
import type { PolicySettings } from '../../src/core/settings.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

function sharesOf(
  policy: Partial<PolicySettings>,
  targets: readonly TargetFacts[],
  state: PolicyState = INITIAL_POLICY_STATE,
  demandRps = 0,
): Shares {
  return decide(policyOf(policy), factsOf(targets, { demandRps }), state, 0).decision.shares;
}

function latency(platform: string, ewmaMs: number, more: Partial<TargetFacts> = {}): TargetFacts {
  return targetFacts({ platform, signals: { latency: { ewmaMs, p50Ms: ewmaMs } }, ...more });
}

const IN = { kind: 'in' } as const;

describe('weighted', () => {
  it('serves from everybody by weight, whatever the tier', () => {
    const targets = [
      targetFacts({ platform: 'a', tier: 1, weight: 3 }),
      targetFacts({ platform: 'b', tier: 2, weight: 1 }),
    ];
    expect(sharesOf({ strategy: 'weighted' }, targets)).toEqual({ a: 0.75, b: 0.25 });
  });

  it('leaves out who is down', () => {
    const targets = [targetFacts({ platform: 'a', state: 'down' }), targetFacts({ platform: 'b', tier: 2 })];
    expect(sharesOf({ strategy: 'weighted' }, targets)).toEqual({ a: 0, b: 1 });
  });
});

describe('primary', () => {
  const order = ['b', 'a', 'c'];
  const up = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b' }), targetFacts({ platform: 'c' })];
  const bDown = up.map((t) => (t.platform === 'b' ? targetFacts({ platform: 'b', state: 'down' }) : t));

  it('starts with the first of its order', () => {
    expect(sharesOf({ strategy: 'primary', primary: { order, switch: 'failover' } }, up)).toEqual({
      a: 0,
      b: 1,
      c: 0,
    });
  });

  it('goes to the next when the first is down', () => {
    const policy = { strategy: 'primary', primary: { order, switch: 'failover' } } as const;
    expect(sharesOf(policy, bDown, stateOf({ b: 1 }, { b: IN }))).toEqual({ a: 1, b: 0, c: 0 });
  });

  it.each([
    ['failover', { a: 1, b: 0, c: 0 }],
    ['best', { a: 0, b: 1, c: 0 }],
  ] as const)('with %s gives %j when the first is a full member again', (mode, expected) => {
    const policy = { strategy: 'primary', primary: { order, switch: mode } } as const;
    expect(sharesOf(policy, up, stateOf({ a: 1, b: 0, c: 0 }, { a: IN, b: IN, c: IN }))).toEqual(expected);
  });

  it('with strict is an outage rather than anybody else', () => {
    const policy = policyOf({ strategy: 'primary', primary: { order, switch: 'strict' } });
    const { decision } = decide(policy, factsOf(bDown), INITIAL_POLICY_STATE, 0);
    expect(decision.mode).toBe('outage');
    expect(Object.values(decision.shares).every((share) => share === 0)).toBe(true);
  });

  it('tries platforms that the order does not name last, by tier', () => {
    const targets = [
      targetFacts({ platform: 'x', tier: 2 }),
      targetFacts({ platform: 'y', tier: 1 }),
      ...bDown,
    ];
    const policy = { strategy: 'primary', primary: { order: ['b'], switch: 'best' } } as const;
    expect(sharesOf(policy, targets)['y']).toBe(1);
  });
});

describe('lowest-latency', () => {
  const policy = { strategy: 'lowest-latency' } as const;

  it('gives more to the faster one', () => {
    const shares = sharesOf(policy, [latency('a', 10), latency('b', 20)]);
    expect(shares['a']).toBeCloseTo(0.8, 3);
  });

  it('gives equal parts to equals, and to who was never measured as to the middle one', () => {
    expect(sharesOf(policy, [latency('a', 10), latency('b', 10)])).toEqual({ a: 0.5, b: 0.5 });
    expect(sharesOf(policy, [latency('a', 10), targetFacts({ platform: 'b' })])).toEqual({ a: 0.5, b: 0.5 });
  });

  it('keeps to the tier as long as it has room', () => {
    expect(sharesOf(policy, [latency('a', 100), latency('b', 1, { tier: 2 })])).toEqual({ a: 1, b: 0 });
  });
});

describe('cost', () => {
  const cheap = (more: Partial<TargetFacts> = {}) =>
    targetFacts({ platform: 'cheap', costPerInstanceHour: 0.1, capacityRps: 100, ...more });
  const dear = targetFacts({ platform: 'dear', costPerInstanceHour: 0.4, capacityRps: 1000 });
  const policy = { cost: { maxP95Ms: 300, maxErrorRatio: 0.01 } };

  it('fills the cheaper target first and goes on to the dearer one', () => {
    expect(sharesOf(policy, [dear, cheap()], INITIAL_POLICY_STATE, 100)).toEqual({ cheap: 1, dear: 0 });
    expect(sharesOf(policy, [dear, cheap()], INITIAL_POLICY_STATE, 280)).toEqual({ cheap: 0.5, dear: 0.5 });
  });

  it.each([
    ['slow', { attempts: 100, failed: 0, rps: 10, p95Ms: 400 }],
    ['failing', { attempts: 100, failed: 5, rps: 10, p95Ms: 40 }],
  ])('leaves the cheaper one when it is %s', (_how, traffic) => {
    expect(sharesOf(policy, [dear, cheap({ traffic })], INITIAL_POLICY_STATE, 100)).toEqual({
      cheap: 0,
      dear: 1,
    });
  });
});
