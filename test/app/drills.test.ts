import { describe, expect, it } from '@jest/globals';
import { createDrills } from '../../src/app/drills.ts';
import { createOperatorActs, type OperatorActs } from '../../src/app/operator-acts.ts';
import { compileCel } from '../../src/config/cel.ts';
import type { ActWish, DrillWish } from '../../src/core/control.ts';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import { DEFAULT_EXPECTATIONS, type DrillRecord, type DrillSettings } from '../../src/core/drill.ts';
import type { SluiceError } from '../../src/core/errors.ts';
import type { StateStore } from '../../src/core/ports.ts';
import type { Predicate } from '../../src/core/predicate.ts';
import { DEFAULT_POLICY, type PolicySettings } from '../../src/core/settings.ts';
import type { TrafficSignal } from '../../src/core/signals.ts';
import type { schedule } from '../../src/engine/schedule.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { APP, application, eventLog, type Scenario, scenario, silent, target } from '../support/scenario.ts';

interface World {
  readonly world: Scenario;
  readonly acts: OperatorActs;
  readonly drills: ReturnType<typeof createDrills>;
  readonly deployments: DeploymentRecord[];
  /** What was scheduled, by expression. */
  readonly fired: Map<string, () => void | Promise<void>>;
  readonly answers: { requests: number; failed: number };
  /** Set: nothing can be written any more. */
  readonly disk: { isFull: boolean };
  /** Time passes for all of them, and what waits for others gets its turn. */
  run(ms: number): Promise<void>;
  drill(wish?: Partial<DrillWish>): Promise<DrillRecord>;
  last(): Promise<DrillRecord>;
  /** A controller that comes after this one, over the same state. */
  again(): ReturnType<typeof createDrills>;
}

const TARGETS = [{ platform: 'cf', weight: 3 }, { platform: 'ocp' }, { platform: 'rack', tier: 2 }] as const;

async function setUp(
  given: {
    readonly policy?: Partial<PolicySettings>;
    readonly drills?: readonly DrillSettings[];
    readonly capacityRps?: number;
  } = {},
): Promise<World> {
  const policy = { ramp: { steps: [0.5, 1], everyMs: 10_000 }, ...given.policy };
  const targets = TARGETS.map((one) => ({ ...one, capacityRps: given.capacityRps }));
  const world = scenario({ targets, policy });
  const { clock, engine } = world;
  const disk = { isFull: false };
  const store = failing(memoryStore(clock), disk);
  const events = eventLog(clock, world.events);
  const settings = {
    platforms: Object.fromEntries(
      TARGETS.map(({ platform: name }) => [name, { name, provider: 'cloudfoundry', options: {} }]),
    ),
    applications: {
      [APP]: application(targets.map(target), {
        policy: { ...DEFAULT_POLICY, ...policy },
        ...(given.drills === undefined ? {} : { drills: given.drills }),
      }),
    },
  };
  const acts = createOperatorActs({ settings, store, engine, events, clock, random: () => 0.5 });
  const deployments: DeploymentRecord[] = [];
  const fired = new Map<string, () => void | Promise<void>>();
  const answers = { requests: 0, failed: 0 };
  const scheduled: typeof schedule = (expression, run) => {
    fired.set(expression, run);
    return () => void fired.delete(expression);
  };
  let ids = 0;
  const make = () =>
    createDrills({
      ...{ settings, engine, acts, store, events, clock, logger: silent, schedule: scheduled },
      random: () => ++ids / 1_000,
      applied: async () => true,
      answers: () => ({ ...answers }),
      deployments: async () => deployments,
    });
  const drills = make();
  await drills.start();

  async function run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      world.run(Math.min(100, left));
      await othersTurn();
    }
  }

  await run(3_000);
  world.traffic({ cf: 60, ocp: 20 });
  await run(11_000);
  return {
    ...{ world, acts, drills, deployments, fired, answers, disk, run },
    again: make,
    drill: (wish = {}) =>
      drills.drill({
        ...{ application: APP, platform: 'cf', name: undefined, forMs: 30_000, force: false, who: 'ada' },
        ...wish,
      }),
    async last() {
      const all = await drills.drills();
      return all[all.length - 1]!;
    },
  };
}

function failing(store: StateStore, disk: { readonly isFull: boolean }): StateStore {
  const check = (): void => {
    if (disk.isFull) throw new Error('no space left');
  };
  return {
    ...store,
    async put(collection, key, value) {
      check();
      await store.put(collection, key, value);
    },
    async delete(collection, key) {
      check();
      await store.delete(collection, key);
    },
  };
}

function othersTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

function order(given: Partial<ActWish>): ActWish {
  return {
    ...{ kind: 'drain', platform: 'ocp', application: APP, who: 'bob', reason: '', forMs: undefined },
    force: false,
    ...given,
  };
}

function cel(text: string): Predicate {
  const compiled = compileCel(text);
  if (!compiled.ok) throw new Error(compiled.fault);
  return compiled.predicate;
}

function configured(given: Partial<DrillSettings> = {}): DrillSettings {
  return {
    ...{ name: 'lose-cf', platform: 'cf', cron: '0 10 * * TUE', timeZone: 'UTC', forMs: 60_000 },
    ...{ blockIf: [], abortIf: [], expect: DEFAULT_EXPECTATIONS, staleAfterMs: 86_400_000 },
    ...given,
  };
}

async function refusal(begun: Promise<unknown>): Promise<{ code: string; why: string }> {
  const error = await begun.then(
    () => {
      throw new Error('it began');
    },
    (caught: SluiceError) => caught,
  );
  return { code: error.code, why: error.details.why ?? error.message };
}

describe('a drill', () => {
  it('takes a platform out, shows that the others carry, and brings it back by its ramp', async () => {
    const { world, drill, run, last, answers, acts, drills } = await setUp({ capacityRps: 100 });
    expect(world.shares()).toMatchObject({ cf: 0.75, ocp: 0.25 });
    expect(drills.lastDrill(APP, 'cf')).toEqual({ proven: false });
    await drill();
    expect(acts.acts()).toMatchObject([{ kind: 'drain', platform: 'cf', who: 'drill by hand' }]);
    world.traffic({ ocp: 80 });
    answers.requests = 3_000;
    await run(1_000);
    expect(world.shares()['cf'] ?? 0).toBe(0);
    expect(await last()).toMatchObject({ phase: 'away', evidence: { shiftMs: expect.any(Number) } });
    await run(30_000);
    expect(await last()).toMatchObject({ phase: 'returning' });
    world.traffic({ cf: 60, ocp: 20 });
    await run(5_000);
    expect(world.shares()['cf']).toBe(0.375);
    await run(15_000);
    const record = await last();
    expect(record).toMatchObject({
      outcome: 'passed',
      why: [],
      evidence: { requests: 3_000, failed: 0, peakRps: 80, capacityRps: 100, carriers: { ocp: 1 } },
    });
    expect(record.evidence.returnMs).toBeGreaterThanOrEqual(10_000);
    expect(world.shares()).toMatchObject({ cf: 0.75, ocp: 0.25 });
    expect(acts.acts()).toEqual([]);
    expect(drills.lastDrill(APP, 'cf')).toMatchObject({ proven: true, passedAt: record.finishedAt });
    // It had traffic of its own before: that it carries does not show that it can be lost.
    expect(drills.lastDrill(APP, 'ocp')).toEqual({ proven: false });
    const told = world.events.filter(({ type }) => type.startsWith('drill.')).map(({ type }) => type);
    expect(told).toEqual(['drill.started', 'drill.finished']);
  });

  it('proves who stands by, too, when it takes over', async () => {
    const { world, drill, run, answers, drills } = await setUp({
      policy: { strategy: 'primary', primary: { order: ['cf', 'rack'], switch: 'failover' } },
    });
    await drill({ forMs: 5_000 });
    answers.requests = 10;
    await run(3_000);
    expect(world.shares()).toMatchObject({ rack: 1 });
    // Without its word the one who took over would stay.
    await run(8_000);
    expect(world.shares()).toMatchObject({ cf: 1 });
    expect(drills.lastDrill(APP, 'rack')).toMatchObject({ proven: true });
    await run(60_000);
    expect(world.shares()).toMatchObject({ cf: 1 });
  });

  it('that saw no request proves nothing', async () => {
    const { drill, run, last, drills } = await setUp();
    await drill({ forMs: 5_000 });
    await run(40_000);
    expect(await last()).toMatchObject({ outcome: 'passed' });
    expect(drills.lastDrill(APP, 'cf')).toMatchObject({ proven: false, last: { outcome: 'passed' } });
  });

  it('returns also where nobody else does by itself', async () => {
    const { world, drill, run, last } = await setUp({ policy: { failback: 'manual' } });
    await drill({ forMs: 5_000 });
    await run(40_000);
    expect(await last()).toMatchObject({ outcome: 'passed' });
    expect(world.shares()).toMatchObject({ cf: 0.75 });
  });

  it('fails when it was not as expected, with what was missed', async () => {
    const expectation = { shiftWithinMs: 20_000, errors: 0.001, slowestMs: 50 };
    const { drill, run, last, answers, drills } = await setUp({
      drills: [configured({ expect: expectation })],
    });
    await drill({ forMs: 5_000 });
    Object.assign(answers, { requests: 1_000, failed: 3 });
    drills.hear({ ...TRAFFIC, p95Ms: 80 });
    await run(40_000);
    expect(await last()).toMatchObject({
      name: 'lose-cf',
      outcome: 'failed',
      why: [
        '3 of 1000 requests failed (0.3 %), expected at most 0.1 %',
        'p95 reached 80 ms, expected at most 50 ms',
      ],
    });
    expect(drills.lastDrill(APP, 'cf')).toMatchObject({ proven: false, last: { outcome: 'failed' } });
  });

  it.each<[string, (w: World) => unknown, RegExp]>([
    ['errors', ({ world }) => world.traffic({ ocp: 60 }, { ocp: 20 }), /% of the requests .* failed/],
    [
      'one of the others that is not up',
      ({ world }) => Object.assign(world.platform('ocp'), { running: 1 }),
      /^ocp is degraded: 1 of 2 instances run/,
    ],
    ['a hold', ({ acts }) => acts.order(order({ kind: 'hold', platform: undefined })), /^bob ordered a hold/],
    ['a state store that is gone', ({ world }) => world.engine.stateIs('lost'), /^the state store/],
    [
      'a deployment',
      ({ deployments, world }) => deployments.push(deployment(world.clock.now())),
      /^deployment d-1 is under way/,
    ],
    ['a condition of its own', ({ world }) => world.traffic({ ocp: 500 }), /^app.demand_rps > 300.0$/],
  ])('is aborted by %s, and the platform is wanted back at once', async (_what, happens, why) => {
    const it = await setUp({ drills: [configured({ abortIf: [cel('app.demand_rps > 300.0')] })] });
    await it.drill();
    it.world.traffic({ ocp: 80 });
    await it.run(2_000);
    expect(it.world.shares()['cf'] ?? 0).toBe(0);
    await happens(it);
    await it.run(12_000);
    const record = await it.last();
    expect(record).toMatchObject({ outcome: 'aborted', phase: 'over' });
    expect(record.why[0]).toMatch(why);
    expect(it.acts.acts().filter(({ drill }) => drill !== undefined)).toEqual([]);
    await it.acts.lift(order({ kind: 'hold', platform: undefined }));
    await it.run(500);
    // No ramp: it never failed.
    expect(it.world.shares()['cf']).toBeGreaterThan(0.7);
    expect(it.world.of('drill.aborted')).toHaveLength(1);
    expect(it.world.of('drill.finished')).toMatchObject([{ outcome: 'aborted' }]);
  });

  it('gives the platform back although nothing can be written any more', async () => {
    const { world, drill, run, last, disk } = await setUp({ policy: { failback: 'manual' } });
    await drill();
    await run(2_000);
    disk.isFull = true;
    world.engine.stateIs('lost');
    await run(5_000);
    expect(await last()).toMatchObject({ outcome: 'aborted', why: ['the state store does not answer'] });
    expect(world.shares()['cf']).toBe(0.75);
  });

  it('fails when the platform does not come back in time', async () => {
    const { drill, run, last, acts } = await setUp();
    await drill({ forMs: 5_000 });
    await run(5_500);
    expect(await last()).toMatchObject({ phase: 'returning' });
    await acts.order(order({ kind: 'hold', platform: undefined }));
    await run(101_000);
    expect(await last()).toMatchObject({
      outcome: 'failed',
      why: ['cf has not its share again after 100.0 s'],
    });
    expect(acts.acts()).toMatchObject([{ kind: 'hold' }]);
  });

  it('is interrupted by a real failover, which finds the platform back already', async () => {
    const { world, drill, run, last, acts } = await setUp();
    await drill();
    world.traffic({ ocp: 80 });
    await run(2_000);
    world.platform('ocp').path = 'refused';
    await run(2_000);
    world.eject('ocp', 'refused');
    await run(4_000);
    expect(await last()).toMatchObject({
      outcome: 'interrupted',
      why: [expect.stringMatching(/^ocp is down/)],
    });
    expect(world.shares()).toMatchObject({ cf: 1 });
    // In one step: nobody had to wait until the drill had noticed.
    const moves = world.of('decision.made').filter(({ before }) => before['ocp'] === 1);
    expect(moves[0]?.shares).toMatchObject({ cf: 1 });
    expect(acts.acts()).toEqual([]);
  });

  it('is interrupted by an order of a person, which stands', async () => {
    const { world, drill, run, last, acts } = await setUp();
    await drill();
    await run(2_000);
    await acts.order(order({ kind: 'failover', platform: 'rack' }));
    expect(world.shares()).toEqual({ cf: 0, ocp: 0, rack: 1 });
    await run(1_000);
    expect(await last()).toMatchObject({ outcome: 'interrupted', why: ['bob ordered failover rack'] });
    expect(acts.acts()).toMatchObject([{ kind: 'failover', platform: 'rack' }]);
  });

  it('lets a person drain another platform, which alone would be the last one', async () => {
    const { world, drill, run, last, acts } = await setUp();
    await acts.order(order({ platform: 'rack' }));
    await run(500);
    await drill();
    await run(2_000);
    await acts.order(order({ platform: 'ocp' }));
    expect(world.shares()['cf']).toBe(1);
    await run(1_000);
    expect(await last()).toMatchObject({ outcome: 'interrupted' });
  });

  it('ends when somebody takes its order back', async () => {
    const { world, drill, run, last, acts } = await setUp();
    await drill();
    await run(2_000);
    expect(await acts.lift(order({ platform: 'cf', application: undefined }))).toMatchObject({ lifted: 1 });
    await run(25_000);
    expect(await last()).toMatchObject({ outcome: 'interrupted', why: ['its order was taken back'] });
    expect(world.shares()['cf']).toBe(0.75);
  });

  it('is given back by the controller that comes after one that died', async () => {
    const { world, drill, run, acts, again } = await setUp({ policy: { failback: 'manual' } });
    await drill();
    await run(2_000);
    const next = again();
    await next.start();
    expect((await next.drills()).at(-1)).toMatchObject({
      outcome: 'interrupted',
      why: ['the controller was replaced meanwhile'],
    });
    expect(acts.acts()).toMatchObject([{ kind: 'failback', platform: 'cf' }]);
    await run(25_000);
    expect(world.shares()['cf']).toBe(0.75);
    await next.close();
    expect((await next.drills()).at(-1)).toMatchObject({ phase: 'over' });
  });

  it('is given back when the gateway stops', async () => {
    const { drill, run, drills, acts } = await setUp();
    await drill();
    await run(2_000);
    await drills.close();
    expect(acts.acts()).toEqual([]);
    expect((await drills.drills()).at(-1)).toMatchObject({ outcome: 'interrupted' });
  });
});

describe('a drill does not begin', () => {
  it.each<[string, (w: World) => unknown, string]>([
    [
      'while one is not up',
      async ({ world, run }) => {
        world.platform('ocp').running = 1;
        await run(3_000);
      },
      'ocp is degraded: 1 of 2 instances run',
    ],
    [
      'while somebody holds everything',
      ({ acts }) => acts.order(order({ kind: 'hold', platform: undefined })),
      'bob ordered hold of everything',
    ],
    [
      'of a platform that is drained',
      ({ acts }) => acts.order(order({ platform: 'cf' })),
      'cf has no traffic that could be moved\nbob ordered drain cf',
    ],
    [
      'while a deployment is under way',
      ({ deployments, world }) => deployments.push(deployment(world.clock.now())),
      'deployment d-1 is under way',
    ],
    [
      'without its state store',
      ({ world }) => world.engine.stateIs('lost'),
      'the state store does not answer',
    ],
    [
      'with too many errors already',
      async ({ world, run }) => {
        world.traffic({ cf: 60, ocp: 20 }, { ocp: 5 });
        await run(5_000);
      },
      'of the requests of the last 10 s failed',
    ],
    [
      'while its condition holds',
      ({ world }) => world.traffic({ cf: 1 }),
      'target.name == "cf" && target.tier == 1.0',
    ],
  ])('%s, and says why', async (what, happens, why) => {
    const blockIf = what.includes('condition') ? [cel('target.name == "cf" && target.tier == 1.0')] : [];
    const it = await setUp({ drills: [configured({ blockIf })] });
    await happens(it);
    await it.run(500);
    const refused = await refusal(it.drill({ force: true }));
    expect(refused.code).toBe('SAFETY_VETO');
    expect(refused.why).toContain(why);
    expect(await it.last()).toMatchObject({ outcome: 'blocked' });
    expect(it.world.of('drill.blocked')).toHaveLength(1);
    expect(it.world.of('drill.started')).toEqual([]);
    expect(it.acts.acts().filter(({ drill }) => drill !== undefined)).toEqual([]);
  });

  it('during a freeze that denies drills', async () => {
    const window = { text: 'the holidays', isOpen: () => true, opensNext: () => undefined };
    const { drill } = await setUp({ policy: { freeze: [{ window, deny: ['drill'] }] } });
    expect(await refusal(drill())).toEqual({
      code: 'SAFETY_VETO',
      why: 'no drills during the holidays',
    });
  });

  it('when the others cannot carry it, unless forced', async () => {
    const { drill, last } = await setUp({ capacityRps: 30 });
    expect(await refusal(drill())).toMatchObject({ why: 'the others would carry 75 % of the demand' });
    await drill({ force: true });
    expect(await last()).toMatchObject({ phase: 'away' });
  });

  it('when it is the last that serves, forced or not', async () => {
    const { world, drill, run } = await setUp();
    for (const name of ['ocp', 'rack']) world.platform(name).path = 'refused';
    await run(5_000);
    expect((await refusal(drill({ force: true }))).why).toContain('nobody else can serve shop');
  });

  it('while another one of the application is under way', async () => {
    const { drill, run } = await setUp();
    const [first, second] = await Promise.allSettled([drill(), drill({ platform: 'ocp' })]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
    await run(1_000);
    expect(await refusal(drill({ platform: 'ocp' }))).toMatchObject({
      why: 'another drill of shop is under way',
    });
  });

  it('of what there is not', async () => {
    const { drill } = await setUp();
    expect(await refusal(drill({ platform: 'azure' }))).toMatchObject({ code: 'USAGE' });
    expect(await refusal(drill({ application: 'blog' }))).toMatchObject({ code: 'USAGE' });
    expect(await refusal(drill({ name: 'unheard-of' }))).toMatchObject({ code: 'USAGE' });
  });
});

describe('a scheduled drill', () => {
  it('begins when its time comes, and goes by its own settings', async () => {
    const { fired, run, last } = await setUp({ drills: [configured({ forMs: 45_000 })] });
    expect([...fired.keys()]).toEqual(['0 10 * * TUE']);
    await fired.get('0 10 * * TUE')?.();
    await run(500);
    expect(await last()).toMatchObject({ name: 'lose-cf', who: 'schedule', forMs: 45_000, phase: 'away' });
  });

  it('that is blocked is on record, and nothing is thrown', async () => {
    const { fired, last, acts } = await setUp({ drills: [configured()] });
    await acts.order(order({ kind: 'hold', platform: undefined }));
    await fired.get('0 10 * * TUE')?.();
    expect(await last()).toMatchObject({ outcome: 'blocked', who: 'schedule' });
  });

  it('is stale after its own time', async () => {
    const { drill, run, drills, answers, world } = await setUp({
      drills: [configured({ staleAfterMs: 60_000 })],
    });
    await drill({ forMs: 1_000 });
    answers.requests = 10;
    await run(20_000);
    expect(drills.lastDrill(APP, 'cf')?.proven).toBe(true);
    world.clock.advance(60_000);
    expect(drills.lastDrill(APP, 'cf')?.proven).toBe(false);
  });
});

const TRAFFIC: TrafficSignal = {
  kind: 'traffic',
  ...{ at: 0, windowMs: 1_000, worker: 1, application: APP, platform: 'ocp', origin: 'ocp/x' },
  counts: { ok: 1, status5xx: 0, connect: 0, tls: 0, timeout: 0, reset: 0, aborted: 0 },
  ...{ p50Ms: 1, p95Ms: 1, inFlight: 0 },
};

function deployment(startedAt: number): DeploymentRecord {
  return {
    id: 'd-1',
    application: APP,
    release: {
      ...{ id: 'r-1', number: 1, application: APP, sourceDigest: 'sha256:x', configHash: 'sha256:y' },
      createdAt: 0,
    },
    startedAt,
    targets: {},
  };
}
