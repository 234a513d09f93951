import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { PolicyState } from '../../src/core/policy.ts';
import type { VerdictState } from '../../src/core/verdict.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const NOW = 1_000_000;
const AWAY: PolicyState = stateOf(
  { a: 0, b: 0.5, c: 0.5 },
  { a: { kind: 'out', since: 0, drained: true }, b: { kind: 'in' }, c: { kind: 'in' } },
);

function act(given: Partial<OperatorAct>): OperatorAct {
  return {
    ...{ id: 'x', kind: 'drain', application: 'shop', platform: 'a', who: 'drill lose-a', reason: '' },
    ...{ since: NOW - 10_000, until: undefined },
    ...given,
  };
}

const DRILL = act({ drill: 'dr-1' });

function sharesWith(
  acts: readonly OperatorAct[],
  { b = 'up', policy = {} }: { b?: VerdictState; policy?: Parameters<typeof policyOf>[0] } = {},
) {
  const targets = [
    targetFacts({ platform: 'a' }),
    targetFacts({ platform: 'b', state: b }),
    targetFacts({ platform: 'c' }),
  ];
  const { decision } = decide(policyOf(policy), factsOf(targets, { acts }), AWAY, NOW);
  return {
    shares: Object.fromEntries(
      Object.entries(decision.shares)
        .filter(([, share]) => share > 0)
        .map(([name, share]) => [name, Math.round(share * 100) / 100]),
    ),
    acts:
      decision
        .proof()
        .find(({ stage }) => stage === 'acts')
        ?.lines.join('\n') ?? '',
  };
}

describe('the drain of a drill', () => {
  it('holds while nothing of a higher class happens', () => {
    expect(sharesWith([DRILL]).shares).toEqual({ b: 0.5, c: 0.5 });
    expect(
      sharesWith([act({ kind: 'weights', platform: undefined, who: 'ada', since: NOW - 20_000 }), DRILL])
        .shares,
    ).toEqual({
      b: 0.5,
      c: 0.5,
    });
  });

  it('gives way to a real failover: who was away is back at once, whole', () => {
    const { shares, acts } = sharesWith([DRILL], { b: 'down' });
    expect(shares).toEqual({ a: 0.5, c: 0.5 });
    expect(acts).toContain('drill lose-a gives way: b is down');
    // A drain by a person does not.
    expect(sharesWith([act({ who: 'ada' })], { b: 'down' }).shares).toEqual({ c: 1 });
  });

  it('gives way to a later order of a person, and to break-glass', () => {
    const order = act({ id: 'y', who: 'ada', platform: 'b', since: NOW - 1_000 });
    expect(sharesWith([DRILL, order]).shares).toEqual({ a: 0.5, c: 0.5 });
    expect(sharesWith([DRILL, act({ ...order, since: 0, breakGlass: true })]).shares).toEqual({
      a: 0.5,
      c: 0.5,
    });
    expect(sharesWith([DRILL, act({ ...order, since: NOW - 20_000 })]).shares).toEqual({ c: 1 });
    expect(sharesWith([DRILL, act({ ...order, platform: 'elsewhere' })]).shares).toEqual({ b: 0.5, c: 0.5 });
  });

  it('does not give way to a hold, which keeps traffic where it is', () => {
    const hold = act({ id: 'y', who: 'ada', kind: 'hold', platform: undefined, since: NOW });
    expect(sharesWith([DRILL, hold]).shares).toEqual({ b: 0.5, c: 0.5 });
    expect(sharesWith([hold, act({ drill: 'dr-1', kind: 'failback', atOnce: true })]).shares).toEqual({
      b: 0.5,
      c: 0.5,
    });
  });
});

describe('a recall', () => {
  const recall = act({ drill: 'dr-1', kind: 'failback', atOnce: true });

  it('waits for no ramp and no pace, while a person’s failback does', () => {
    const slow = { policy: { maxShiftPerMinute: 0.01, failback: 'manual' } } as const;
    expect(sharesWith([recall], slow).shares).toEqual({ a: 0.33, b: 0.33, c: 0.33 });
    expect(sharesWith([act({ kind: 'failback', who: 'ada' })]).shares['a'] ?? 0).toBe(0);
  });
});
