import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { RouteFacts } from '../../src/core/facts.ts';
import type { PolicyState } from '../../src/core/policy.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const BEFORE = stateOf({ a: 1 }, { a: { kind: 'in' } });
const POLICY = policyOf({ overload: 'shed', overprovision: 1 });

function route(path: string, priority: number, rps: number): RouteFacts {
  return { host: '*', path, priority, rps, ageMs: 500 };
}

const ROUTES = [route('/pay', 10, 300), route('/', 0, 500), route('/reports', -5, 200)];

function decided(
  capacityRps: number,
  { routes = ROUTES, demandRps = 1_000, state = BEFORE, now = 0, policy = POLICY } = {},
) {
  const facts = factsOf([targetFacts({ platform: 'a', capacityRps })], { demandRps, routes });
  return decide(policy, facts, state, now);
}

function parts(capacityRps: number, given = {}): readonly number[] {
  const { shedBy = [] } = decided(capacityRps, given).decision;
  return shedBy.map(({ part }) => Math.round(part * 100) / 100);
}

describe('what there is no capacity for', () => {
  it.each([
    ['nothing is missing', 1_000, []],
    ['half of the lowest', 900, [0.5, 0, 0]],
    ['all of the lowest', 800, [1, 0, 0]],
    ['a part of the next', 600, [1, 0.4, 0]],
    ['all but the highest', 300, [1, 1, 0]],
    ['even of the highest', 150, [1, 1, 0.5]],
  ])('is refused from the lowest priority on: %s', (_what, capacityRps, expected) => {
    expect(parts(capacityRps)).toEqual(expected);
  });

  it('leaves alone a more important route that nobody has asked for yet, however the numbers divide', () => {
    for (let low = 1; low < 400; low += 1) {
      const routes = [route('/reports', -5, low + 0.1), route('/quiet', 5, 0), route('/pay', 10, 600)];
      const demandRps = low + 600.1;
      for (const capacityRps of [demandRps - low * 0.9, demandRps - low * 0.7, demandRps - (low + 0.1)])
        expect(parts(capacityRps, { routes, demandRps }).slice(1)).not.toContain(1);
    }
  });

  it('takes routes of one priority alike', () => {
    const routes = [route('/a', 0, 400), route('/b', 0, 400), route('/c', 1, 200)];
    expect(decided(600, { routes }).decision.shedBy).toEqual([
      { priority: 0, part: 0.5 },
      { priority: 1, part: 0 },
    ]);
  });

  it('is refused of all alike while nobody knows what each route is asked for', () => {
    const routes = ROUTES.map((one) => ({ ...one, rps: 0, ageMs: undefined }));
    const { decision } = decided(600, { routes });
    expect(decision.shed).toBeCloseTo(0.4);
    expect(decision.shedBy).toBeUndefined();
    const lines = decision.proof().find(({ stage }) => stage === 'shedding')?.lines;
    expect(lines?.[0]).toBe('400 rps of 1000 rps are answered 503, of all routes alike: no rates by route');
  });

  it('is told line by line', () => {
    const { decision } = decided(600);
    expect(decision.proof().find(({ stage }) => stage === 'shedding')?.lines).toEqual([
      '400 rps of 1000 rps are answered 503',
      'priority -5 (/reports), 200 rps: refused',
      'priority 0 (/), 500 rps: 40 % refused',
      'priority 10 (/pay), 300 rps: served',
    ]);
  });

  it('is refused in panic too, where the policy sheds', () => {
    const policy = policyOf({ overprovision: 1, panic: { below: 0.5, mode: 'shed', exitAfterMs: 0 } });
    expect(parts(300, { policy })).toEqual([1, 1, 0]);
  });

  it('is everything where the policy shows a page', () => {
    const policy = policyOf({ overprovision: 1, panic: { below: 0.5, mode: 'static', exitAfterMs: 0 } });
    const { decision } = decided(300, { policy });
    expect([decision.shed, decision.shedBy]).toEqual([1, undefined]);
  });
});

describe('shedding does not swing', () => {
  function play(steps: readonly (readonly [number, number])[]): readonly (readonly number[])[] {
    let state: PolicyState = BEFORE;
    return steps.map(([now, demandRps]) => {
      const routes = ROUTES.map((one) => ({ ...one, rps: (one.rps * demandRps) / 1_000 }));
      const answer = decided(800, { routes, demandRps, state, now });
      state = answer.state;
      return [answer.decision.shed ?? 0, answer.decision.shedBy?.[0]?.part ?? 0].map(
        (part) => Math.round(part * 100) / 100,
      );
    });
  }

  it('grows at once and falls when less has been enough for ten seconds', () => {
    expect(
      play([
        [0, 1_000],
        [1_000, 1_200],
        [2_000, 700],
        [11_000, 900],
        [12_000, 900],
        [13_000, 700],
        [21_000, 700],
        [31_000, 700],
      ]).map(([all]) => all),
    ).toEqual([0.2, 0.33, 0.33, 0.33, 0.11, 0.11, 0.11, 0]);
  });

  it('makes no new table of small changes of the demand', () => {
    const steps = Array.from({ length: 40 }, (_, i) => [i * 250, i % 2 === 0 ? 1_000 : 1_015] as const);
    expect(new Set(play(steps).map(String)).size).toBe(1);
  });

  it('does not begin for less than a hundredth', () => {
    expect(play([[0, 805]])[0]).toEqual([0, 0]);
  });

  it('is decided again as time goes by', () => {
    expect(decided(600).decision.timeless).toBeUndefined();
  });
});
