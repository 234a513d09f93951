import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { Facts } from '../../src/core/facts.ts';
import type { PolicyRule, RuleAct } from '../../src/core/policy-settings.ts';
import type { Predicate } from '../../src/core/predicate.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;
const BEFORE = stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN });

/** Holds on targets that fail at all. */
const failing: Predicate = {
  text: 'target.error_ratio > 0',
  perTarget: true,
  holds: ({ facts, platform }) => facts.targets.some((t) => t.platform === platform && t.traffic.failed > 0),
};

function rule(act: RuleAct, more: Partial<PolicyRule> = {}): PolicyRule {
  return { name: 'r', priority: 0, when: failing, forMs: 0, act, ...more };
}

function facts(failed: number, given: Partial<Facts> = {}): Facts {
  const traffic = { attempts: 100, failed, rps: 10, p95Ms: 1 };
  return factsOf([targetFacts({ platform: 'a', traffic }), targetFacts({ platform: 'b' })], given);
}

describe('rules', () => {
  it('shift a part at a time', () => {
    const policy = policyOf({ rules: [rule({ kind: 'shift', by: 0.5, everyMs: 60_000 })] });
    const first = decide(policy, facts(1), BEFORE, 0);
    expect(first.decision.shares).toEqual({ a: 0.25, b: 0.75 });
    const later = decide(policy, facts(1), first.state, 60_000);
    expect(later.decision.shares).toEqual({ a: 0, b: 1 });
  });

  it('let a target return like one that failed, and longer after the next time', () => {
    const policy = policyOf({ rules: [rule({ kind: 'drain' })], ramp: { steps: [0.5, 1], everyMs: 30_000 } });
    const share = (given: ReturnType<typeof decide>) => given.decision.shares['a'];
    const gone = decide(policy, facts(1), BEFORE, 0);
    const quiet = decide(policy, facts(0), gone.state, 59_000);
    expect(share(quiet)).toBe(0);
    const due = decide(policy, facts(0), quiet.state, 60_000);
    const returning = decide(policy, facts(0), due.state, 60_250);
    expect(share(returning)).toBe(0.25);
    const again = decide(policy, facts(1), returning.state, 61_000);
    expect(share(again)).toBe(0);
    expect(share(decide(policy, facts(0), again.state, 61_000 + 119_000))).toBe(0);
    const full = decide(policy, facts(0), returning.state, 91_000);
    expect(share(full)).toBe(0.5);
  });

  it('wait until their condition has held for long enough without a break', () => {
    const policy = policyOf({ rules: [rule({ kind: 'drain' }, { forMs: 10_000 })] });
    const one = decide(policy, facts(1), BEFORE, 0);
    const broken = decide(policy, facts(0), one.state, 5_000);
    const again = decide(policy, facts(1), broken.state, 6_000);
    const early = decide(policy, facts(1), again.state, 15_000);
    expect(early.decision.shares).toEqual({ a: 0.5, b: 0.5 });
    expect(decide(policy, facts(1), early.state, 16_000).decision.shares).toEqual({ a: 0, b: 1 });
  });

  it('let the one with the higher priority have the say about a target', () => {
    const rules = [
      rule({ kind: 'drain' }, { name: 'low', priority: 1 }),
      rule({ kind: 'shift', by: 0.5, everyMs: 0 }, { name: 'high', priority: 2 }),
    ];
    expect(decide(policyOf({ rules }), facts(1), BEFORE, 0).decision.shares).toEqual({ a: 0.25, b: 0.75 });
  });

  it('tell and propose without moving anything', () => {
    const rules = [
      rule({ kind: 'notify', text: 'look' }),
      rule({ kind: 'propose', what: 'drain' }, { name: 'p' }),
    ];
    const { decision } = decide(policyOf({ rules }), facts(1), BEFORE, 0);
    expect(decision.shares).toEqual({ a: 0.5, b: 0.5 });
    expect(decision.intents).toEqual([
      { kind: 'notify', text: 'r: look' },
      { kind: 'propose', what: 'drain', platform: 'a', reason: 'rule p' },
    ]);
  });
});

describe('error budgets', () => {
  const trigger = { longMs: 60_000, shortMs: 10_000, rate: 14.4, act: { kind: 'drain' } as const };
  const policy = policyOf({ budget: { objective: 0.999, triggers: [trigger] } });

  it.each([
    ['both windows burn', { '60s': 0.02, '10s': 0.02 }, { a: 0, b: 1 }],
    ['only the long one does', { '60s': 0.02, '10s': 0.001 }, { a: 0.5, b: 0.5 }],
    ['only the short one does', { '60s': 0.001, '10s': 0.5 }, { a: 0.5, b: 0.5 }],
    ['nothing is known', {}, { a: 0.5, b: 0.5 }],
  ])('when %s', (_when, some, expected) => {
    const none = {
      '10s': undefined,
      '60s': undefined,
      '5m': undefined,
      '30m': undefined,
      '1h': undefined,
      '6h': undefined,
    };
    const { decision } = decide(policy, facts(2, { errorRatio: { ...none, ...some } }), BEFORE, 0);
    expect(decision.shares).toEqual(expected);
  });
});
