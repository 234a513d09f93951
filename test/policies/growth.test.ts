import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { Facts, TargetFacts } from '../../src/core/facts.ts';
import type { PolicyState } from '../../src/core/policy.ts';
import type { VerdictState } from '../../src/core/verdict.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const IN = { kind: 'in' } as const;
const BEFORE = stateOf({ a: 0.5, b: 0.5 }, { a: IN, b: IN });

/** Ten requests a second for each instance. */
function sized(
  platform: string,
  desired: number,
  max: number | undefined,
  state: VerdictState = 'up',
): TargetFacts {
  return targetFacts({
    platform,
    state,
    capacityRps: desired * 10,
    rpsPerInstance: 10,
    instances: { running: desired, desired, max },
  });
}

function at(
  targets: readonly TargetFacts[],
  state: PolicyState = BEFORE,
  now = 1_000,
  given: Partial<Facts> = {},
) {
  return decide(policyOf(), factsOf(targets, { demandRps: 100, ...given }), state, now);
}

describe('failover', () => {
  it('asks the survivors to grow to the demand', () => {
    const { decision } = at([sized('a', 5, 12, 'down'), sized('b', 5, 12)]);
    expect(decision.intents).toContainEqual(
      expect.objectContaining({ kind: 'scale', platform: 'b', instances: 10 }),
    );
  });

  it('asks nobody beyond its limit, nor who has none', () => {
    const { decision } = at([sized('a', 5, 12, 'down'), sized('b', 5, 7), sized('c', 5, undefined)]);
    expect(decision.intents).not.toContainEqual(expect.objectContaining({ platform: 'c' }));
    for (const intent of decision.intents ?? []) {
      if (intent.kind === 'scale') expect(intent.instances).toBeLessThanOrEqual(7);
    }
  });

  it('asks nobody while all are there', () => {
    expect(at([sized('a', 5, 12), sized('b', 5, 12)]).decision.intents).toEqual([]);
  });

  it('asks nobody while the state store is lost', () => {
    const self = { egress: 'ok', late: false, state: 'lost' } as const;
    expect(
      at([sized('a', 5, 12, 'down'), sized('b', 5, 12)], BEFORE, 1_000, { self }).decision.intents,
    ).toEqual([]);
  });

  it('shrinks the survivors some time after everybody is back, and never below what they were', () => {
    const grown = at([sized('a', 5, 12, 'down'), sized('b', 5, 12)]);
    const back = { ...grown.state, targets: BEFORE.targets, shares: BEFORE.shares };
    const both = [sized('a', 5, 12), sized('b', 10, 12)];
    const soon = at(both, back, 2_000);
    expect(soon.decision.intents).toEqual([]);
    const later = at(both, soon.state, 1_000_000);
    expect(later.decision.intents).toEqual([
      { kind: 'scale', platform: 'b', instances: 5, reason: 'everybody is back' },
    ]);
    expect(
      at([sized('a', 5, 12), sized('b', 5, 12)], later.state, 1_001_000).state.scaledFrom,
    ).toBeUndefined();
  });
});

describe('coverage', () => {
  it('says for each target what the others would carry without it', () => {
    const { decision } = at([sized('a', 8, 12), sized('b', 3, 12)]);
    expect(decision.coverage?.['a']).toBeCloseTo(0.3, 5);
    expect(decision.coverage?.['b']).toBeCloseTo(0.8, 5);
  });
});

describe('writes', () => {
  const ok = targetFacts({ platform: 'a' });
  const other = targetFacts({ platform: 'b' });
  const down = targetFacts({ platform: 'a', state: 'down' });
  const single = { writes: 'single', writer: 'a' } as const;

  it('go to the writer', () => {
    expect(at([ok, other], BEFORE, 0, { data: single }).decision.writer).toEqual({ platform: 'a', epoch: 1 });
  });

  it('move with a new epoch when the writer is down, and stay where they went', () => {
    const moved = at([down, other], BEFORE, 0, { data: single, promotedEpoch: 2 });
    expect(moved.decision.writer).toEqual({ platform: 'b', epoch: 2 });
    expect(at([ok, other], moved.state, 1, { data: single }).decision.writer).toEqual({
      platform: 'b',
      epoch: 2,
    });
  });

  it('wait for a writer that has not come up yet: that is no failover', () => {
    const fresh = stateOf({}, {});
    const coming = at([down, other], fresh, 0, { data: single });
    expect(coming.decision.writer).toEqual({ platform: 'a', epoch: 1 });
    const there = at([ok, other], coming.state, 1, { data: single });
    const gone = at([down, other], there.state, 2, { data: single });
    expect(gone.decision.promoting).toEqual({ platform: 'b', epoch: 2 });
  });

  it('follow an order to fail over, and not one to a platform that cannot serve', () => {
    const order = (platform: string): Partial<Facts> => ({
      data: single,
      acts: [
        {
          ...{ id: 'a-1', kind: 'failover', platform, application: undefined },
          ...{ who: 'ada', reason: '', since: 1, until: undefined },
        },
      ],
    });
    expect(at([ok, other], BEFORE, 1, order('b')).decision.promoting).toEqual({ platform: 'b', epoch: 2 });
    const dead = targetFacts({ platform: 'b', state: 'down' });
    const moved = at([ok, other], BEFORE, 1, order('b')).state;
    const left = at([ok, dead], moved, 2, order('b'));
    expect(left.decision.promoting).toEqual({ platform: 'a', epoch: 3 });
    expect(at([ok, other], left.state, 3, order('b')).decision.promoting).toEqual({
      platform: 'a',
      epoch: 3,
    });
    expect(at([ok, dead], BEFORE, 1, order('b')).decision.writer).toEqual({ platform: 'a', epoch: 1 });
  });

  it.each([
    ['by a command', './promote.sh'],
    ['on record', undefined],
  ])('go nowhere until the next writer is promoted %s, once for each epoch', (_how, promote) => {
    const data = { ...single, ...(promote === undefined ? {} : { promote }) };
    const moved = at([down, other], BEFORE, 0, { data });
    expect(moved.decision.writer).toBeUndefined();
    expect(moved.decision.promoting).toEqual({ platform: 'b', epoch: 2 });
    expect(moved.decision.intents).toContainEqual(
      expect.objectContaining({ kind: 'promote-writer', platform: 'b', epoch: 2 }),
    );
    const promoted = at([down, other], moved.state, 1, { data, promotedEpoch: 2 });
    expect(promoted.decision.writer).toEqual({ platform: 'b', epoch: 2 });
    expect(promoted.decision.intents).not.toContainEqual(expect.objectContaining({ kind: 'promote-writer' }));
  });
});

describe('ourselves cut off', () => {
  it('keeps everything where it is', () => {
    const attribution = [
      {
        culprit: 'ourselves',
        platforms: ['a', 'b'],
        since: 0,
        summary: 'nothing answers us',
        evidence: [],
        remedy: 'serve-last-table',
      } as const,
    ];
    const { decision } = at([down('a'), down('b')], BEFORE, 0, { attribution });
    expect(decision.shares).toEqual({ a: 0.5, b: 0.5 });
  });

  function down(platform: string): TargetFacts {
    return targetFacts({ platform, state: 'down' });
  }
});
