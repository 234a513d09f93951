import { describe, expect, it } from '@jest/globals';
import { explainPast } from '../../src/app/explain-past.ts';
import { createOperatorActs } from '../../src/app/operator-acts.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { ActWish } from '../../src/core/control.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { VerdictState } from '../../src/core/verdict.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { APP, application, eventLog } from '../support/scenario.ts';

function setUp(states: Readonly<Record<string, VerdictState>> = { cf: 'up', rack: 'up' }) {
  const clock = virtualClock(1_000_000);
  const kept: LoggedEvent[] = [];
  const obeyed: (readonly OperatorAct[])[] = [];
  const unfrozen: string[] = [];
  const store = memoryStore(clock);
  const verdicts = Object.fromEntries(
    Object.entries(states).map(([name, state]) => [name, { state, since: 0, cause: state, evidence: [] }]),
  );
  const engine: Pick<Engine, 'order' | 'verdicts' | 'unfreeze'> = {
    order: (acts) => void obeyed.push(acts),
    verdicts: () => ({ [APP]: verdicts }),
    unfreeze: (name) => void unfrozen.push(name),
  };
  const platforms = Object.fromEntries(
    Object.keys(states).map((name) => [name, { name, provider: 'static', options: {} }]),
  );
  const make = () =>
    createOperatorActs({
      settings: { platforms, applications: { [APP]: application([]) } },
      store,
      engine,
      events: eventLog(clock, kept),
      clock,
      random: () => 0.5,
    });
  return { clock, kept, obeyed, unfrozen, make, acts: make() };
}

function wish(given: Partial<ActWish>): ActWish {
  return {
    kind: 'drain',
    platform: 'cf',
    application: undefined,
    who: 'ada',
    reason: 'tests',
    forMs: undefined,
    force: false,
    ...given,
  };
}

describe('orders', () => {
  it('are obeyed, audited and kept over a restart', async () => {
    const { acts, obeyed, kept, make } = setUp();
    await acts.order(wish({}));
    expect(obeyed.at(-1)).toMatchObject([{ kind: 'drain', platform: 'cf', who: 'ada' }]);
    expect(kept).toMatchObject([
      { type: 'operator.act', act: 'drain', subject: 'cf', who: 'ada', reason: 'tests' },
    ]);
    const next = make();
    await next.restore();
    expect(next.acts()).toMatchObject([{ kind: 'drain', platform: 'cf' }]);
  });

  it('expire, and what has expired is not restored', async () => {
    const { acts, clock, make } = setUp();
    await acts.order(wish({ forMs: 5_000 }));
    clock.advance(5_000);
    expect(acts.acts()).toEqual([]);
    const next = make();
    await next.restore();
    expect(next.acts()).toEqual([]);
  });

  it('are lifted by kind and subject', async () => {
    const { acts, obeyed } = setUp();
    await acts.order(wish({}));
    await acts.order(wish({ kind: 'hold', platform: undefined }));
    expect(await acts.lift(wish({}))).toEqual({ lifted: 1, replicas: 1 });
    expect(obeyed.at(-1)).toMatchObject([{ kind: 'hold' }]);
    expect(await acts.lift(wish({}))).toEqual({ lifted: 0, replicas: 1 });
  });

  it('to lift a hold also let frozen automation go on', async () => {
    const { acts, unfrozen } = setUp();
    await acts.lift(wish({ kind: 'hold', platform: undefined }));
    expect(unfrozen).toEqual([APP]);
  });

  it.each(['drain', 'fence'] as const)(
    'to %s the last healthy platform are vetoed, unless forced',
    async (kind) => {
      const { acts, obeyed } = setUp({ cf: 'up', rack: 'down' });
      await expect(acts.order(wish({ kind }))).rejects.toMatchObject({
        code: 'SAFETY_VETO',
        details: { why: 'rack is down: down', remedy: expect.stringContaining('--force') },
      });
      expect(obeyed).toEqual([]);
      await acts.order(wish({ kind, force: true }));
      expect(obeyed).toHaveLength(1);
    },
  );

  it('count platforms that are drained already as gone', async () => {
    const { acts } = setUp({ cf: 'up', rack: 'up' });
    await acts.order(wish({ platform: 'rack' }));
    await expect(acts.order(wish({ platform: 'cf' }))).rejects.toMatchObject({ code: 'SAFETY_VETO' });
  });

  it('name platforms that exist', async () => {
    const { acts } = setUp();
    await expect(acts.order(wish({ platform: 'mars' }))).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('from the break-glass file stand after all others, and are audited once', async () => {
    const { acts, obeyed, kept } = setUp();
    await acts.order(wish({ kind: 'fence' }));
    const { forMs: _, force: __, ...plain } = wish({ kind: 'failover' });
    const glass: OperatorAct = {
      ...plain,
      id: 'break-glass-1',
      since: 0,
      until: undefined,
      breakGlass: true,
    };
    acts.breakGlass([glass]);
    acts.breakGlass([glass]);
    expect(obeyed.at(-1)?.map(({ kind }) => kind)).toEqual(['fence', 'failover']);
    expect(kept.filter((event) => event.type === 'operator.act')).toHaveLength(2);
  });
});

describe('the past', () => {
  const made = (at: number, share: number): LoggedEvent => ({
    seq: at,
    at,
    type: 'decision.made',
    application: 'shop',
    shares: { cf: share },
    before: {},
    reasons: ['because'],
    summary: `cf ${share}`,
    proof: [{ stage: 'verdicts', lines: ['cf up'] }],
  });

  it('is explained by the last decision before that time', () => {
    const events = [made(100, 1), made(200, 0)];
    expect(explainPast(events, 'shop', 150)).toMatchObject({ at: 100, summary: 'cf 1', shares: { cf: 1 } });
    expect(explainPast(events, 'shop', 200)?.at).toBe(200);
    expect(explainPast(events, 'shop', 50)).toBeUndefined();
    expect(explainPast(events, 'other', 250)).toBeUndefined();
  });
});

describe('what is stopped', () => {
  const order = { application: APP, platform: 'cf', who: 'ada', reason: 'tests' };

  it('is one order for each subject, kept over a restart and lifted whole', async () => {
    const { acts, obeyed, make } = setUp();
    await acts.stops.order({ ...order, emptying: true });
    await acts.stops.order({ ...order, emptying: false });
    expect(obeyed.at(-1)).toMatchObject([{ kind: 'stop', application: APP, platform: 'cf' }]);
    expect(obeyed.at(-1)?.[0]).not.toHaveProperty('emptying');
    const next = make();
    await next.restore();
    expect(next.acts()).toHaveLength(1);
    expect(next.serving(APP)).toEqual(['rack']);
    await next.stops.lift(APP, 'cf');
    expect([next.acts(), next.serving(APP)]).toEqual([[], ['cf', 'rack']]);
    const last = make();
    await last.restore();
    expect(last.acts()).toEqual([]);
  });

  it('leaves nobody to drain when it was the other one', async () => {
    const { acts } = setUp();
    await acts.stops.order({ ...order, emptying: false });
    await expect(acts.order(wish({ platform: 'rack' }))).rejects.toMatchObject({ code: 'SAFETY_VETO' });
  });
});
