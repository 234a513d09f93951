import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { PolicyState } from '../../src/core/policy.ts';
import type { PolicySettings } from '../../src/core/settings.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;
const NOW = 10_000_000;
const BOTH = [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b' })];
const HALVES = stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN });
const ALWAYS = { holds: () => true, text: 'true', perTarget: false };

/** Of the second of two decisions in a row: the first may still have had something to move. */
function isTimeless(given: {
  facts?: Parameters<typeof factsOf>[1];
  targets?: typeof BOTH;
  policy?: Partial<PolicySettings>;
  state?: PolicyState;
}): boolean {
  const policy = policyOf(given.policy ?? {});
  const facts = factsOf(given.targets ?? BOTH, given.facts ?? {});
  const first = decide(policy, facts, given.state ?? HALVES, NOW);
  return decide(policy, facts, first.state, NOW + 250).decision.timeless === true;
}

describe('a decision is timeless', () => {
  it('when everybody is there and nobody has ordered anything', () => {
    expect(isTimeless({})).toBe(true);
  });

  it('also after failovers that are over', () => {
    expect(isTimeless({ state: { ...HALVES, failovers: [NOW - 60_000] } })).toBe(true);
  });
});

describe('a decision hangs on time', () => {
  it('while somebody is missing', () => {
    expect(
      isTimeless({
        targets: [targetFacts({ platform: 'a' }), targetFacts({ platform: 'b', state: 'down' })],
      }),
    ).toBe(false);
  });

  it('while somebody waits or returns', () => {
    const held = { kind: 'held', since: NOW, until: NOW + 60_000 } as const;
    const ramping = { kind: 'ramping', step: 1, since: NOW } as const;
    for (const membership of [held, ramping])
      expect(isTimeless({ state: stateOf({ a: 1, b: 0 }, { a: IN, b: membership }) })).toBe(false);
  });

  it('while an order is in force, for it may expire', () => {
    const hold = { id: '1', kind: 'hold', who: 'ada', reason: '', since: 0, until: undefined } as const;
    const act = { ...hold, application: undefined, platform: undefined };
    expect(isTimeless({ facts: { acts: [act] } })).toBe(false);
  });

  it('where the policy has rules or windows', () => {
    const rule = {
      name: 'r',
      priority: 0,
      when: ALWAYS,
      forMs: 1,
      act: { kind: 'notify', text: '' },
    } as const;
    const window = { text: 'nightly', isOpen: () => false, opensNext: () => undefined };
    expect(isTimeless({ policy: { rules: [rule] } })).toBe(false);
    expect(isTimeless({ policy: { freeze: [{ window, deny: ['failback'] }] } })).toBe(false);
    expect(isTimeless({ policy: { maintenance: [{ platform: 'a', window }] } })).toBe(false);
  });

  it('while the pace of moves is counted, or a failover is too recent', () => {
    expect(isTimeless({ state: { ...HALVES, shifts: [{ at: NOW - 1_000, part: 0.1 }] } })).toBe(false);
    const state = { ...HALVES, failovers: [NOW - 1_000] };
    expect(isTimeless({ state, policy: { minDelayMs: 60_000 } })).toBe(false);
  });

  it('while automation is frozen', () => {
    expect(isTimeless({ state: { ...HALVES, frozen: { since: 0, why: 'too many' } } })).toBe(false);
  });
});
