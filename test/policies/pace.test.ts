import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../policies/decide.ts';
import type { PolicyState } from '../../src/core/policy.ts';
import type { SafetyRule } from '../../src/core/policy-settings.ts';
import type { PolicySettings } from '../../src/core/settings.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;
const AB = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b' })];
const SKEWED = stateOf({ a: 1, b: 0 }, { a: IN, b: IN });

function next(policy: Partial<PolicySettings>, state: PolicyState, now: number, targets = AB, demandRps = 0) {
  return decide(policyOf(policy), factsOf(targets, { demandRps }), state, now);
}

describe('pace', () => {
  it('moves at most so much within a minute, and the rest later', () => {
    const policy = { maxShiftPerMinute: 0.2 };
    const first = next(policy, SKEWED, 0);
    expect(first.decision.shares).toEqual({ a: 0.8, b: 0.2 });
    const second = next(policy, first.state, 30_000);
    expect(second.decision.shares).toEqual({ a: 0.8, b: 0.2 });
    expect(next(policy, second.state, 61_000).decision.shares).toEqual({ a: 0.6, b: 0.4 });
  });

  it('does not slow down a failover', () => {
    const down = [targetFacts({ platform: 'a', state: 'down' }), targetFacts({ platform: 'b' })];
    expect(next({ maxShiftPerMinute: 0.01 }, SKEWED, 0, down).decision.shares).toEqual({ a: 0, b: 1 });
  });

  it('does not hold back what a target cannot carry any more', () => {
    const half = [targetFacts({ platform: 'a', capacityRps: 50 }), targetFacts({ platform: 'b', tier: 2 })];
    const { decision } = next({ maxShiftPerMinute: 0.01 }, SKEWED, 0, half, 100);
    expect(decision.shares['a']).toBeCloseTo(0.7, 2);
  });

  it('waits after a failover before anything voluntary', () => {
    const state = { ...SKEWED, failovers: [1_000] };
    expect(next({ minDelayMs: 60_000 }, state, 30_000).decision.shares).toEqual({ a: 1, b: 0 });
    expect(next({ minDelayMs: 60_000 }, state, 61_000).decision.shares).toEqual({ a: 0.5, b: 0.5 });
  });

  it('never moves more than its limit within any minute, whatever happens', () => {
    const weights = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 40_000 })), {
      minLength: 2,
      maxLength: 12,
    });
    fc.assert(
      fc.property(weights, (steps) => {
        let state = stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN });
        let now = 0;
        const moves: { at: number; part: number }[] = [];
        for (const [weight, afterMs] of steps) {
          now += afterMs;
          const targets = [
            targetFacts({ platform: 'a', weight }),
            targetFacts({ platform: 'b', weight: 9 - weight }),
          ];
          const answer = next({ maxShiftPerMinute: 0.25 }, state, now, targets);
          moves.push({
            at: now,
            part: Math.abs((answer.decision.shares['a'] ?? 0) - (state.shares['a'] ?? 0)),
          });
          state = answer.state;
          const lastMinute = moves.filter(({ at }) => now - at < 60_000);
          expect(lastMinute.reduce((sum, { part }) => sum + part, 0)).toBeLessThanOrEqual(0.25 + 1e-5);
        }
      }),
    );
  });
});

describe('too many failovers', () => {
  const aDown = [targetFacts({ platform: 'a', state: 'down' }), targetFacts({ platform: 'b' })];

  it('freeze what is voluntary and call a person once', () => {
    const before = { ...stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN }), failovers: [1, 2] };
    const first = next({}, before, 1_000, aDown);
    expect(first.decision.frozen?.why).toContain('3 automatic failovers');
    expect(first.decision.intents).toContainEqual(expect.objectContaining({ kind: 'call' }));
    expect(first.decision.shares).toEqual({ a: 0, b: 1 });
    const later = next({}, first.state, 4_000_000);
    expect(later.decision.frozen).toBeDefined();
    expect(later.decision.intents).not.toContainEqual(expect.objectContaining({ kind: 'call' }));
    expect(next({}, later.state, 8_000_000).decision.shares).toEqual({ a: 0, b: 1 });
  });

  it('do not keep traffic on who is down', () => {
    const frozen = { ...stateOf({ a: 0, b: 1 }, { a: IN, b: IN }), frozen: { since: 0, why: 'too many' } };
    const bDown = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b', state: 'down' })];
    expect(next({}, frozen, 1_000, bDown).decision.shares).toEqual({ a: 1, b: 0 });
  });
});

describe('safety rules', () => {
  const shut = { text: 'automation', perTarget: false, holds: () => false };
  const rules: readonly [string, SafetyRule][] = [
    ['a gate that is shut', { name: 'master', kind: 'gate', open: shut }],
    ['an assertion that would not hold', { name: 'spread', kind: 'assert', that: shut }],
    ['a floor that would be missed', { name: 'floor', kind: 'floor', ratio: 50 }],
  ];
  const limited = AB.map((target) => ({ ...target, capacityRps: 100 }));

  it.each(rules)('%s vetoes what is voluntary and changes nothing', (_what, rule) => {
    const { decision } = next({ safety: [rule] }, SKEWED, 0, limited, 100);
    expect(decision.shares).toEqual({ a: 1, b: 0 });
    expect(decision.proof().find(({ stage }) => stage === 'safety')?.lines[0]).toContain(rule.name);
  });

  it.each(rules)('%s does not keep traffic on who is down', (_what, rule) => {
    const aDown = [
      targetFacts({ platform: 'a', state: 'down' }),
      targetFacts({ platform: 'b', capacityRps: 100 }),
    ];
    expect(next({ safety: [rule] }, SKEWED, 0, aDown, 100).decision.shares).toEqual({ a: 0, b: 1 });
  });
});
