import { describe, expect, it } from '@jest/globals';
import type { OperatorAct } from '../../src/core/acts.ts';
import { DEFAULT_EXPECTATIONS, type DrillRecord } from '../../src/core/drill.ts';
import type { TargetFacts } from '../../src/core/facts.ts';
import type { Membership } from '../../src/core/policy.ts';
import type { PolicySettings } from '../../src/core/settings.ts';
import { advanceDrill, type DrillSight, type DrillStep, returnLimitMs } from '../../src/engine/drill.ts';
import { objectionsTo } from '../../src/engine/drill-conditions.ts';
import { factsOf, policyOf, stateOf, targetFacts } from '../support/facts.ts';

const BEGIN = 1_000_000;

interface Seen {
  readonly at?: number;
  readonly targets?: readonly TargetFacts[];
  readonly shares?: Readonly<Record<string, number>>;
  readonly membership?: Membership;
  readonly acts?: readonly OperatorAct[];
  readonly policy?: Partial<PolicySettings>;
  readonly sight?: Partial<DrillSight>;
}

const TRAFFIC = { attempts: 400, failed: 0, rps: 40, p95Ms: 100 };

function targets(given: Partial<TargetFacts> = {}): readonly TargetFacts[] {
  return [targetFacts({ platform: 'cf' }), targetFacts({ platform: 'rack', traffic: TRAFFIC, ...given })];
}

function sight(seen: Seen = {}): DrillSight {
  const { at = 5_000, shares = { rack: 1 }, membership = { kind: 'out', since: 0 } } = seen;
  const decided = Object.fromEntries(
    Object.keys({ cf: 0, rack: 0 }).map((name) => [
      name,
      { share: shares[name] ?? 0, state: 'active' as const, origins: [] },
    ]),
  );
  return {
    now: BEGIN + at,
    policy: policyOf(seen.policy),
    facts: factsOf(seen.targets ?? targets(), seen.acts === undefined ? {} : { acts: seen.acts }),
    state: stateOf(shares, { cf: membership, rack: { kind: 'in' } }),
    decision: {
      ...{ application: 'shop', at: 0, shares, targets: decided, mode: 'normal', summary: 'all is well' },
      ...{ reasons: [], proof: () => [], coverage: { cf: 1, rack: 1 } },
    },
    ...{ isAway: true, isOrdered: true, deployment: undefined },
    ...{ answers: { requests: 200, failed: 0 }, slowestMs: 0 },
    ...seen.sight,
  };
}

function drill(given: Partial<DrillRecord> = {}): DrillRecord {
  return {
    ...{ id: 'dr-1', name: 'lose-cf', application: 'shop', platform: 'cf', who: 'ada' },
    ...{
      startedAt: BEGIN,
      forMs: 60_000,
      expect: DEFAULT_EXPECTATIONS,
      phase: 'away',
      phaseSince: BEGIN + 1_000,
    },
    before: { shares: { cf: 0.6, rack: 0.4 }, p95Ms: 100, instances: { rack: { running: 2, desired: 2 } } },
    evidence: { shiftMs: 1_000, requests: 0, failed: 0, slowestMs: 0, peakRps: 0, carriers: {} },
    why: [],
    ...given,
  };
}

function step(record: DrillRecord, seen: Seen = {}): DrillStep {
  return advanceDrill(record, { abortIf: [] }, sight(seen));
}

function act(given: Partial<OperatorAct>): OperatorAct {
  return {
    ...{ id: 'a-1', kind: 'drain', application: undefined, platform: 'rack', who: 'bob', reason: '' },
    ...{ since: BEGIN + 2_000, until: undefined },
    ...given,
  };
}

describe('the phases of a drill', () => {
  const shifting = drill({ phase: 'shifting', phaseSince: BEGIN });

  it('shift until no share is left and every worker knows', () => {
    expect(step(shifting, { shares: { cf: 0.6, rack: 0.4 } }).drill.phase).toBe('shifting');
    expect(step(shifting, { sight: { isAway: false } }).drill.phase).toBe('shifting');
    const { drill: away, order } = step(shifting, { at: 700 });
    expect([away.phase, away.evidence.shiftMs, order]).toEqual(['away', 700, 'none']);
  });

  it('end in an abort when the traffic does not leave', () => {
    const late = step(shifting, { at: 60_000, sight: { isAway: false } });
    expect(late).toMatchObject({ order: 'recall', drill: { outcome: 'aborted', phase: 'returning' } });
    expect(late.drill.why).toEqual(['cf still has traffic after 60.0 s']);
  });

  it('stay away for as long as was said, then let it return', () => {
    expect(step(drill(), { at: 60_900 })).toMatchObject({ order: 'none', drill: { phase: 'away' } });
    expect(step(drill(), { at: 61_000 })).toMatchObject({ order: 'return', drill: { phase: 'returning' } });
  });

  it('are over when it is a full member with its share and the last answers are counted', () => {
    const returning = drill({ phase: 'returning', phaseSince: BEGIN + 61_000 });
    const ramping = { kind: 'ramping', step: 0, since: 0 } as const;
    const on = step(returning, { at: 70_000, membership: ramping, shares: { cf: 0.3, rack: 0.7 } });
    expect(on).toMatchObject({ order: 'none', drill: { phase: 'returning' } });
    expect(on.drill.backSince).toBeUndefined();
    const back = { membership: { kind: 'in' } as const, shares: { cf: 0.6, rack: 0.4 } };
    const first = step(on.drill, { at: 80_000, ...back });
    expect(first).toMatchObject({ order: 'none', drill: { backSince: BEGIN + 80_000 } });
    const last = step(first.drill, { at: 81_500, ...back });
    expect(last).toMatchObject({
      order: 'end',
      drill: { phase: 'over', outcome: 'passed', why: [], evidence: { returnMs: 19_000, requests: 200 } },
    });
  });

  it('are over for a member that the policy gives another share, after a while', () => {
    const returning = drill({ phase: 'returning', phaseSince: BEGIN, backSince: BEGIN + 1_000 });
    const given = { membership: { kind: 'in' } as const, shares: { cf: 0.2, rack: 0.8 } };
    expect(step(returning, { at: 30_000, ...given }).order).toBe('none');
    expect(step(returning, { at: 31_000, ...given })).toMatchObject({
      order: 'end',
      drill: { outcome: 'passed' },
    });
  });

  it('fail when it does not come back in time', () => {
    const returning = drill({ phase: 'returning', phaseSince: BEGIN });
    const limit = returnLimitMs(policyOf());
    expect(step(returning, { at: limit - 1 }).order).toBe('none');
    const late = step(returning, { at: limit });
    expect(late).toMatchObject({ order: 'end', drill: { outcome: 'failed' } });
    expect(late.drill.why).toEqual(['cf has not its share again after 360.0 s']);
  });

  it('wait longer where traffic may move only slowly', () => {
    expect(returnLimitMs(policyOf({ maxShiftPerMinute: 0.1 }))).toBe(returnLimitMs(policyOf()) + 600_000);
  });

  it('miss what was expected of the shift', () => {
    const slow = drill({
      ...{ phase: 'returning', backSince: BEGIN },
      evidence: { shiftMs: 25_000, requests: 0, failed: 0, slowestMs: 0, peakRps: 0, carriers: {} },
    });
    const { drill: over } = step(slow, { membership: { kind: 'in' }, shares: { cf: 0.6, rack: 0.4 } });
    expect(over).toMatchObject({
      outcome: 'failed',
      why: ['the traffic left after 25.0 s, expected within 20.0 s'],
    });
  });
});

describe('what aborts a drill', () => {
  it('is p95 half as high again as before, and by more than noise', () => {
    const at = (p95Ms: number) => step(drill(), { targets: targets({ traffic: { ...TRAFFIC, p95Ms } }) });
    expect(at(150).order).toBe('none');
    expect(at(151).drill.why).toEqual(['p95 is 151 ms, before it was 100 ms']);
    const quick = drill({ before: { ...drill().before, p95Ms: 2 } });
    expect(step(quick, { targets: targets({ traffic: { ...TRAFFIC, p95Ms: 50 } }) }).order).toBe('none');
    expect(step(quick, { targets: targets({ traffic: { ...TRAFFIC, p95Ms: 53 } }) }).order).toBe('recall');
  });

  it('is more than one request of a hundred that fails, of enough', () => {
    const at = (failed: number, attempts: number) =>
      step(drill(), { targets: targets({ traffic: { ...TRAFFIC, attempts, failed } }) }).order;
    expect([at(4, 400), at(5, 400), at(5, 19)]).toEqual(['none', 'recall', 'none']);
  });

  it('is not a platform that grows, nor a standby that runs nothing', () => {
    const growing = { running: 2, desired: 4, max: undefined };
    expect(step(drill(), { targets: targets({ ...verdict('degraded'), instances: growing }) }).order).toBe(
      'none',
    );
    const shrunk = { ...growing, running: 1 };
    expect(step(drill(), { targets: targets({ ...verdict('degraded'), instances: shrunk }) }).order).toBe(
      'recall',
    );
    const cold = targetFacts({ platform: 'x', state: 'unknown', standby: 'cold' });
    expect(step(drill(), { targets: [...targets(), cold] }).order).toBe('none');
  });
});

describe('what interrupts a drill', () => {
  it('is an order that came later; one that stood before, or of elsewhere, does not', () => {
    expect(step(drill(), { acts: [act({})] })).toMatchObject({
      order: 'end',
      drill: { phase: 'over', outcome: 'interrupted', why: ['bob ordered drain rack'] },
    });
    expect(step(drill(), { acts: [act({ since: BEGIN - 1 })] }).order).toBe('none');
    expect(step(drill(), { acts: [act({ platform: 'azure' })] }).order).toBe('none');
    expect(step(drill(), { acts: [act({ drill: 'dr-2' })] }).order).toBe('none');
    expect(step(drill(), { acts: [act({ since: 0, breakGlass: true })] }).order).toBe('end');
  });

  it.each<[string, Seen, string]>([
    ['a real failover', { targets: targets(verdict('down')) }, 'rack is down: down'],
    [
      'panic',
      { sight: { decision: { ...sight().decision, mode: 'panic', summary: 'too little is healthy' } } },
      'too little is healthy',
    ],
    [
      'maintenance',
      {
        policy: {
          maintenance: [
            { platform: 'rack', window: { text: 'nightly', isOpen: () => true, opensNext: () => undefined } },
          ],
        },
      },
      'maintenance of rack: nightly',
    ],
  ])('is %s, and brings the platform back at once', (_what, seen, why) => {
    const first = step(drill(), seen);
    expect(first).toMatchObject({ order: 'recall', drill: { outcome: 'interrupted', why: [why] } });
    // What lasts does not interrupt it once more.
    expect(step(first.drill, { at: 6_000, ...seen })).toMatchObject({ order: 'none', drill: { why: [why] } });
    expect(step(first.drill, { at: 40_000, ...seen }).order).toBe('end');
  });
});

describe('what speaks against a drill', () => {
  const plan = { platform: 'cf', blockIf: [], abortIf: [] };
  const calm: Seen = { shares: { cf: 0.6, rack: 0.4 }, membership: { kind: 'in' } };
  const said = (seen: Seen): readonly string[] =>
    objectionsTo(plan, sight({ ...calm, ...seen })).map(
      ({ text, forceable }) => `${text}${forceable ? ' (!)' : ''}`,
    );

  it('is nothing on a calm day', () => {
    expect(said({})).toEqual([]);
  });

  it.each<[string, Seen, readonly string[]]>([
    ['another way back', { membership: { kind: 'ramping', step: 1, since: 0 } }, ['cf is on its way back']],
    [
      'its writes, unless forced',
      {
        sight: {
          facts: factsOf(targets(), { data: { writes: 'single', writer: 'cf' } }),
          decision: { ...sight(calm).decision, writer: { platform: 'cf', epoch: 1 } },
        },
      },
      ['cf takes the writes: another writer would be promoted (!)'],
    ],
    [
      'a freeze after too many failovers',
      { sight: { decision: { ...sight(calm).decision, frozen: { since: 0, why: '3 failovers' } } } },
      ['automation is frozen: 3 failovers'],
    ],
    ['being alone', { targets: [targetFacts({ platform: 'cf' })] }, ['shop runs nowhere else']],
  ])('is %s', (_what, seen, objections) => {
    expect(said(seen)).toEqual(objections);
  });
});

function verdict(state: TargetFacts['verdict']['state']): Pick<TargetFacts, 'verdict'> {
  return { verdict: { state, since: 0, cause: state, evidence: [] } };
}
