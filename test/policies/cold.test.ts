import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { TargetFacts } from '../../src/core/facts.ts';
import type { PolicyState } from '../../src/core/policy.ts';
import type { VerdictState } from '../../src/core/verdict.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;

/** Ten requests a second for each instance. */
function awake(platform: string, desired: number, state: VerdictState = 'up', max = desired): TargetFacts {
  return targetFacts({
    ...{ platform, state, capacityRps: desired * 10, rpsPerInstance: 10 },
    instances: { running: desired, desired, max },
  });
}

function asleep(given: Partial<TargetFacts> = {}): TargetFacts {
  return targetFacts({
    ...{ platform: 'cold', tier: 2, state: 'unknown', standby: 'cold', origins: [] },
    ...{ capacityRps: 0, rpsPerInstance: 10, instances: { running: 0, desired: 0, max: 8 } },
    ...{ asleep: { instances: 2 } },
    ...given,
  });
}

/** Woken: it serves, and would be put back to nothing. */
function woken(desired: number): TargetFacts {
  return { ...awake('cold', desired, 'up', 8), tier: 2, standby: 'cold' };
}

function decided(
  targets: readonly TargetFacts[],
  { state = stateOf({ a: 1 }, { a: IN }), now = 1_000, demandRps = 50 } = {},
) {
  return decide(policyOf({ overprovision: 1 }), factsOf(targets, { demandRps }), state, now);
}

function wanted(...given: Parameters<typeof decided>): readonly string[] {
  const { intents = [] } = decided(...given).decision;
  return intents.flatMap((one) => (one.kind === 'scale' ? [`${one.platform} ${one.instances}`] : []));
}

describe('a cold standby', () => {
  it('is left asleep, and is missed by nobody, while the others serve', () => {
    const { decision } = decided([awake('a', 5), asleep()]);
    expect(decision.intents).toEqual([]);
    expect(decision.targets['cold']?.state).toBe('off');
    expect(decision.summary).toBe('a 100 %: all targets stand as the policy wants them');
  });

  it('is woken for what the others cannot carry, within its limit', () => {
    expect(wanted([awake('a', 5, 'down'), asleep()])).toEqual(['cold 5']);
    expect(wanted([awake('a', 5, 'down'), asleep()], { demandRps: 200 })).toEqual(['cold 8']);
    expect(wanted([awake('a', 5, 'down'), awake('b', 3), asleep()])).toEqual(['cold 2']);
  });

  it('is not woken while those who are awake can carry it, by growing too', () => {
    expect(wanted([awake('a', 5, 'down'), awake('b', 5), asleep()])).toEqual([]);
    expect(wanted([awake('a', 5, 'down'), awake('b', 2, 'up', 9), asleep()])).toEqual(['b 5']);
  });

  it('starts with what it was said to when nobody knows how much is asked for', () => {
    expect(wanted([awake('a', 5, 'down'), asleep()], { demandRps: 0 })).toEqual(['cold 2']);
    const { rpsPerInstance: _, ...rest } = asleep();
    const uncounted: TargetFacts = {
      ...rest,
      capacityRps: undefined,
      instances: { running: 0, desired: 0, max: undefined },
    };
    expect(wanted([awake('a', 5, 'down'), uncounted])).toEqual(['cold 2']);
  });

  it('serves at once when it is awake: it failed nobody', () => {
    const before = stateOf({ a: 1 }, { a: IN, cold: { kind: 'out', since: 0 } });
    const { state } = decided([awake('a', 5, 'down'), asleep()], { state: before });
    const { decision } = decided([awake('a', 5, 'down'), woken(5)], { state, now: 20_000 });
    expect(decision.shares['cold']).toBe(1);
  });

  it('is put to sleep when it is needed no more, and never while it serves', () => {
    const down = decided([awake('a', 5, 'down'), asleep()]).state;
    const serving = decided([awake('a', 5, 'down'), woken(5)], { state: down, now: 30_000 }).state;
    const back: PolicyState = {
      ...serving,
      shares: { a: 1, cold: 0 },
      targets: stateOf({}, { a: IN, cold: IN }).targets,
    };
    const both = [awake('a', 5), woken(5)];
    expect(wanted(both, { state: back, now: 60_000 })).toEqual([]);
    expect(wanted(both, { state: back, now: 700_000 })).toEqual(['cold 0']);
    const held = {
      ...serving,
      targets: stateOf({}, { a: { kind: 'held', since: 0, until: 9e12 }, cold: IN }).targets,
    };
    const used = decided(both, { state: held, now: 700_000 });
    expect(used.decision.shares['cold']).toBe(1);
    expect(used.decision.intents).toEqual([]);
  });

  it('counts in N−1 only when it is known how long it takes', () => {
    expect(decided([awake('a', 5), asleep()]).decision.coverage).toMatchObject({ a: 0 });
    expect(decided([awake('a', 5), asleep({ timeToCapacityMs: 9_000 })]).decision.coverage).toMatchObject({
      a: 1,
    });
    const half = { timeToCapacityMs: 9_000 };
    expect(decided([awake('a', 5), asleep(half)], { demandRps: 160 }).decision.coverage).toMatchObject({
      a: 0.5,
    });
  });

  it('stays asleep when a person fenced or drained its platform', () => {
    const act: OperatorAct = {
      kind: 'fence',
      ...{ id: '1', platform: 'cold', application: 'shop', who: 'me', reason: 'x' },
      ...{ since: 0, until: undefined },
    };
    const facts = factsOf([awake('a', 5, 'down'), asleep()], { demandRps: 50, acts: [act] });
    const { decision } = decide(policyOf(), facts, stateOf({ a: 1 }, { a: IN }), 1_000);
    expect(decision.intents?.filter(({ kind }) => kind === 'scale')).toEqual([]);
  });
});
