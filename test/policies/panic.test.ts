import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { PanicSettings } from '../../src/core/policy-settings.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;
const BEFORE = stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN });

/** `b` is down and `a` carries a tenth of the demand. */
const SHORT = [
  targetFacts({ platform: 'a', capacityRps: 100 }),
  targetFacts({ platform: 'b', capacityRps: 900, state: 'down' }),
  targetFacts({ platform: 'c', capacityRps: 900, state: 'unknown' }),
];

function decided(panic: Partial<PanicSettings>, targets = SHORT, state = BEFORE, now = 1_000) {
  const policy = policyOf({ panic: { below: 0.3, mode: 'last-known-good', exitAfterMs: 0, ...panic } });
  return decide(policy, factsOf(targets, { demandRps: 1_000 }), state, now);
}

describe('panic', () => {
  it('leaves the last good shares standing, without who is down', () => {
    const { decision } = decided({});
    expect(decision.mode).toBe('panic');
    expect(decision.shares).toEqual({ a: 1, b: 0, c: 0 });
  });

  it('asks everybody when it fails open', () => {
    const { shares } = decided({ mode: 'fail-open' }).decision;
    expect(Object.values(shares).every((share) => share > 0)).toBe(true);
  });

  it('sheds what nobody can carry', () => {
    expect(decided({ mode: 'shed' }).decision.shed).toBeCloseTo(0.86, 2);
  });

  it('shows everybody the page when it is static', () => {
    expect(decided({ mode: 'static' }).decision.shed).toBe(1);
  });

  it('lasts until there has been enough for a while', () => {
    const enough = SHORT.map((target) => targetFacts({ platform: target.platform, capacityRps: 900 }));
    const first = decided({ exitAfterMs: 60_000 });
    const second = decided({ exitAfterMs: 60_000 }, enough, first.state, 10_000);
    expect(second.decision.mode).toBe('panic');
    expect(decided({ exitAfterMs: 60_000 }, enough, second.state, 69_000).decision.mode).toBe('panic');
    expect(decided({ exitAfterMs: 60_000 }, enough, second.state, 70_000).decision.mode).toBe('normal');
  });

  it('is not declared while there is enough', () => {
    const enough = [targetFacts({ platform: 'a', capacityRps: 400 })];
    expect(decided({}, enough).decision.mode).toBe('normal');
  });
});

describe('overload', () => {
  const full = [targetFacts({ platform: 'a', capacityRps: 500 })];

  it.each([
    ['send', undefined],
    ['shed', 0.3],
  ] as const)('%s: answers %s of the requests with 503', (overload, expected) => {
    const { decision } = decide(policyOf({ overload }), factsOf(full, { demandRps: 1_000 }), BEFORE, 0);
    expect(decision.shed === undefined ? undefined : Math.round(decision.shed * 100) / 100).toBe(expected);
    expect(decision.shares).toEqual({ a: 1 });
  });
});
