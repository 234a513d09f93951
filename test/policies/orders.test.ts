import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { Decision } from '../../src/core/decision.ts';
import type { TargetFacts } from '../../src/core/facts.ts';
import { INITIAL_POLICY_STATE, type PolicyState } from '../../src/core/policy.ts';
import type { PolicySettings } from '../../src/core/settings.ts';
import type { Window } from '../../src/core/window.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const NOW = 1_000_000;
const IN = { kind: 'in' } as const;

function act(
  kind: OperatorAct['kind'],
  platform: string | undefined,
  more: Partial<OperatorAct> = {},
): OperatorAct {
  return {
    id: 'act-1',
    kind,
    application: undefined,
    platform,
    who: 'ada',
    reason: 'why not',
    since: 0,
    until: undefined,
    ...more,
  };
}

function open(text: string, from = 0, until = Number.POSITIVE_INFINITY): Window {
  return { text, isOpen: (now) => now >= from && now < until, opensNext: () => undefined };
}

function decided(
  acts: readonly OperatorAct[],
  targets: readonly TargetFacts[],
  given: { policy?: Partial<PolicySettings>; state?: PolicyState; now?: number } = {},
): Decision {
  const { policy, state = INITIAL_POLICY_STATE, now = NOW } = given;
  return decide(policyOf(policy), factsOf(targets, { acts }), state, now).decision;
}

const BOTH = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b' })];
const A_DOWN = [targetFacts({ platform: 'a', state: 'down' }), targetFacts({ platform: 'b' })];
const HALVES = stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN });

describe('stop', () => {
  const why = (decision: Decision) =>
    decision
      .proof()
      .find(({ stage }) => stage === 'eligibility')
      ?.lines.join('\n');

  it('takes the traffic away, and serves for nobody, whoever else is down', () => {
    const decision = decided([act('stop', 'a')], BOTH, { state: HALVES });
    expect(decision.shares).toEqual({ a: 0, b: 1 });
    expect(why(decision)).toContain('a may not serve: stopped, ordered by ada: why not');
    const alone = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b', state: 'down' })];
    expect(decided([act('stop', 'a')], alone, { state: HALVES }).shares['a']).toBe(0);
  });

  it('serves on while it empties, where nobody else can', () => {
    const emptying = act('stop', 'a', { emptying: true });
    expect(decided([emptying], BOTH, { state: HALVES }).shares).toEqual({ a: 0, b: 1 });
    const alone = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b', state: 'down' })];
    const decision = decided([emptying], alone, { state: HALVES });
    expect(decision.shares['a']).toBe(1);
    expect(why(decision)).toContain('stopping, ordered by ada');
  });
});

describe('drain', () => {
  it('takes the traffic of a platform away and says who wanted it', () => {
    const decision = decided([act('drain', 'a')], BOTH, { state: HALVES });
    expect(decision.shares).toEqual({ a: 0, b: 1 });
    expect(
      decision
        .proof()
        .find(({ stage }) => stage === 'eligibility')
        ?.lines.join(),
    ).toContain('ordered by ada: why not');
  });

  it('is no failover: who is drained no more returns by its ramp at once', () => {
    const policy = policyOf();
    const facts = factsOf(BOTH, { acts: [act('drain', 'a')] });
    const gone = decide(policy, facts, HALVES, NOW).state;
    expect(gone.failovers).toBeUndefined();
    const back = decide(policy, factsOf(BOTH), gone, NOW + 1_000).state;
    const { decision } = decide(policy, factsOf(BOTH), back, NOW + 1_250);
    expect(decision.shares['a']).toBeGreaterThan(0);
    expect(decision.shares['a']).toBeLessThan(0.5);
  });

  it('is over when it expires', () => {
    expect(decided([act('drain', 'a', { until: NOW })], BOTH).shares).toEqual({ a: 0.5, b: 0.5 });
  });

  it('concerns only the application it names', () => {
    expect(decided([act('drain', 'a', { application: 'other' })], BOTH).shares).toEqual({ a: 0.5, b: 0.5 });
  });

  it('serves from the drained one when nobody else can', () => {
    const decision = decided([act('drain', 'b')], A_DOWN, { state: stateOf({ a: 1 }, { a: IN, b: IN }) });
    expect(decision.shares).toEqual({ a: 0, b: 1 });
    expect(decision.mode).toBe('last-known');
  });
});

describe('fence', () => {
  it('gives a platform nothing, even when nobody else can serve', () => {
    const decision = decided([act('fence', 'b')], A_DOWN, { state: stateOf({ b: 1 }, { b: IN }) });
    expect(decision.shares['b'] ?? 0).toBe(0);
  });
});

describe('break-glass', () => {
  it('leads even to a fenced platform', () => {
    const acts = [act('fence', 'b'), act('failover', 'b', { breakGlass: true })];
    expect(decided(acts, A_DOWN, { state: stateOf({ a: 1 }, { a: IN, b: IN }) }).shares).toEqual({
      a: 0,
      b: 1,
    });
  });
});

describe('failover to', () => {
  it('sends everything to the named platform at once', () => {
    const policy = { maxShiftPerMinute: 0.1 };
    expect(decided([act('failover', 'b')], BOTH, { state: HALVES, policy }).shares).toEqual({ a: 0, b: 1 });
  });

  it('does not wait for a hold-down', () => {
    const state = stateOf({ b: 1 }, { a: { kind: 'out', since: 0 }, b: IN });
    expect(decided([act('failover', 'a')], BOTH, { state }).shares).toEqual({ a: 1, b: 0 });
  });

  it('does not send anything to one that is down', () => {
    expect(decided([act('failover', 'a')], A_DOWN).shares).toEqual({ a: 0, b: 1 });
  });
});

describe('hold', () => {
  it('keeps what need not move', () => {
    const before = stateOf({ a: 0.9, b: 0.1 }, { a: IN, b: IN });
    expect(decided([act('hold', undefined)], BOTH, { state: before }).shares).toEqual({ a: 0.9, b: 0.1 });
  });

  it('does not keep traffic on a platform that is down', () => {
    expect(decided([act('hold', undefined)], A_DOWN, { state: HALVES }).shares).toEqual({ a: 0, b: 1 });
  });

  it('lets nobody return', () => {
    const state = stateOf({ b: 1 }, { a: { kind: 'held', since: 0, until: 10 }, b: IN });
    expect(decided([act('hold', undefined)], BOTH, { state }).shares).toEqual({ a: 0, b: 1 });
    expect(decided([], BOTH, { state }).shares['a']).toBeGreaterThan(0);
  });
});

describe('failback', () => {
  const state = stateOf({ b: 1 }, { a: { kind: 'held', since: 0, until: NOW + 60_000 }, b: IN });

  it('is done when a person says so, although it is manual and the hold-down is not over', () => {
    const policy = { failback: 'manual' } as const;
    expect(decided([act('failback', 'a')], BOTH, { state, policy }).shares['a']).toBeGreaterThan(0);
    expect(decided([], BOTH, { state, policy, now: NOW + 120_000 }).shares['a']).toBe(0);
  });

  it.each([
    ['open', open('nights'), true],
    ['shut', open('nights', NOW + 1e9), false],
  ])('waits for its window when scheduled: %s', (_how, failbackWindow, returns) => {
    const policy = { failback: 'scheduled', failbackWindow } as const;
    const share = decided([], BOTH, { state, policy, now: NOW + 120_000 }).shares['a'] ?? 0;
    expect(share > 0).toBe(returns);
  });

  it('does not happen in a freeze', () => {
    const policy = { freeze: [{ window: open('black friday'), deny: ['failback'] as const }] };
    expect(decided([], BOTH, { state, policy, now: NOW + 120_000 }).shares['a']).toBe(0);
  });
});

describe('weights', () => {
  it('count instead of the configured ones', () => {
    const acts = [act('weights', undefined, { weights: { a: 1, b: 9 } })];
    expect(decided(acts, BOTH, { state: HALVES }).shares).toEqual({ a: 0.1, b: 0.9 });
  });
});

describe('maintenance', () => {
  const maintenance = [{ platform: 'a', window: open('Sundays', 0, NOW + 10) }];

  it('drains its platform while the window is open', () => {
    expect(decided([], BOTH, { policy: { maintenance } }).shares).toEqual({ a: 0, b: 1 });
    expect(decided([], BOTH, { policy: { maintenance }, now: NOW + 10 }).shares).toEqual({ a: 0.5, b: 0.5 });
  });

  it('is left out while its exception holds', () => {
    const unless = { text: 'true', perTarget: false, holds: () => true };
    const policy = { maintenance: maintenance.map((one) => ({ ...one, unless })) };
    expect(decided([], BOTH, { policy }).shares).toEqual({ a: 0.5, b: 0.5 });
  });
});
