import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_DEPLOY, type DeploySettings } from '../../src/core/deploy-settings.ts';
import type { DeploymentTarget } from '../../src/core/deployment.ts';
import { platformError } from '../../src/core/errors.ts';
import type { EventType, LoggedEvent } from '../../src/core/events.ts';
import type { ReleaseOutcome } from '../../src/core/traffic.ts';
import { noTraffic } from '../../src/core/traffic.ts';
import { releasesIn } from '../../src/orchestrator/releases.ts';
import type { FakePlatform } from '../support/fake-provider.ts';
import { never, openWorld, type World } from './world.ts';

const CANARY: DeploySettings = {
  ...DEFAULT_DEPLOY,
  strategy: 'canary',
  steps: [0.05, 0.5],
  everyMs: 10_000,
  onTargetFailure: { kind: 'abort-all' },
};

let world: World;
let cf: FakePlatform;
let ocp: FakePlatform;
let rack: FakePlatform;

beforeEach(async () => {
  world = await openWorld(['cf', 'ocp', 'rack']);
  cf = world.platforms['cf']!;
  ocp = world.platforms['ocp']!;
  rack = world.platforms['rack']!;
  for (const platform of [cf, ocp, rack]) platform.canTry = true;
  good();
});
afterEach(() => world.close());

function outcome(platform: string, trial: boolean, failed = 0): ReleaseOutcome {
  const requests = trial ? 100 : 1_000;
  return { platform, release: undefined, trial, requests, failed, p50Ms: 5, p95Ms: 10 };
}

function good(): void {
  world.outcomes = () => ['cf', 'ocp', 'rack'].flatMap((name) => [outcome(name, false), outcome(name, true)]);
}

function bad(): void {
  world.outcomes = () =>
    ['cf', 'ocp', 'rack'].flatMap((name) => [outcome(name, false), outcome(name, true, 8)]);
}

const open = (deploy: Partial<DeploySettings> = {}, more: Parameters<World['open']>[1] = {}) =>
  world.open({ ...world.shop, deploy: { ...CANARY, ...deploy } }, more);

function seen<T extends EventType>(type: T): readonly Extract<LoggedEvent, { type: T }>[] {
  return world.events.filter((event): event is Extract<LoggedEvent, { type: T }> => event.type === type);
}

/** The first release is live everywhere; what follows is what is looked at. */
async function served(): Promise<string> {
  const first = await world.deploy(await open(), 'one');
  expect(first.outcome).toBe('done');
  world.trafficCalls.length = 0;
  world.events.length = 0;
  for (const platform of [cf, ocp, rack]) platform.calls.length = 0;
  return first.release.id;
}

const splits = () => world.trafficCalls.filter((call) => call.startsWith('split'));
const changed = (platform: FakePlatform) => platform.calls.filter((call) => call.startsWith('apply'));

describe('a canary', () => {
  it('goes in place at once where nothing served before', async () => {
    const record = await world.deploy(await open({}, { traffic: noTraffic }), 'one');
    expect(record.outcome).toBe('done');
    expect(cf.calls.some((call) => call.startsWith('trial'))).toBe(false);
  });

  it('gives the release the same part everywhere, step by step, and then puts it in place', async () => {
    const was = await served();
    const record = await world.deploy(await open(), 'two');
    const is = record.release.id;
    expect(record.outcome).toBe('done');
    expect(splits()).toEqual([`split ${is} 0.05`, `split ${is} 0.5`, `split ${is} 0`]);
    expect(cf.calls).toEqual([
      `stage ${is}`,
      `trial ${is}`,
      'size 1',
      `trial ${is}`,
      'size 1',
      `apply ${is}`,
      `endTrial ${is}`,
      `retire ${was}`,
    ]);
    expect(cf.trial).toBeUndefined();
    expect(seen('deployment.step').map(({ step, of, part }) => [step, of, part])).toEqual([
      [1, 2, 0.05],
      [2, 2, 0.5],
    ]);
    expect(seen('deployment.gate').filter(({ state }) => state === 'passed')).toHaveLength(2);
    expect(await (await open()).releases('shop')).toMatchObject({ live: { cf: is, ocp: is, rack: is } });
  });

  it('takes no step before all platforms are ready for it', async () => {
    await served();
    rack.pollsUntilDone = 40;
    await world.deploy(await open(), 'two');
    const at = (find: (event: LoggedEvent) => boolean) => world.events.findIndex(find);
    const firstStep = at((event) => event.type === 'deployment.step');
    const rackReady = at(
      (event) => event.type === 'deployment.progress' && event.platform === 'rack' && event.phase === 'tried',
    );
    expect(rackReady).toBeGreaterThan(0);
    expect(rackReady).toBeLessThan(firstStep);
    expect(seen('deployment.waiting').at(0)?.message).toContain('waiting for');
    // In place, too: nobody before the last gate has passed.
    const passed = world.events.findLastIndex(
      (event) => event.type === 'deployment.gate' && event.state === 'passed',
    );
    expect(at((event) => event.type === 'deployment.progress' && event.phase === 'applying')).toBeGreaterThan(
      passed,
    );
  });

  it('that does worse is stopped in its first step: clients go back first, and nothing that served was touched', async () => {
    const was = await served();
    bad();
    const record = await world.deploy(await open(), 'two');
    const is = record.release.id;
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'GATE_FAILED', why: expect.stringMatching(/8% of 100 requests failed/) } },
      targets: { cf: { phase: 'rolledBack' }, ocp: { phase: 'rolledBack' }, rack: { phase: 'rolledBack' } },
    });
    expect(splits()).toEqual([`split ${is} 0.05`, `split ${is} 0`]);
    for (const platform of [cf, ocp, rack]) {
      expect(changed(platform)).toEqual([]);
      expect(platform).toMatchObject({ serving: was, trial: undefined, releases: [was] });
    }
    const order = world.events.map(({ type }) => type);
    expect(order.indexOf('deployment.takingBack')).toBeGreaterThan(order.indexOf('deployment.step'));
    expect(world.trafficCalls.at(-1)).toBe(`allow ${was}`);
    // Stopped early: the step is watched for 10 s when all is well.
    const [step, back] = [seen('deployment.step')[0]!, seen('deployment.takingBack')[0]!];
    expect(back.at - step.at).toBeLessThan(3_000);
  });

  it('waits for enough requests, and gives up when two releases have served for too long', async () => {
    await served();
    world.outcomes = () => [outcome('cf', false), { ...outcome('cf', true), requests: 7 }];
    const record = await world.deploy(await open({ maxSkewMs: 120_000 }), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'SKEW_EXCEEDED', message: 'two releases served for longer than 2m' } },
    });
    expect(seen('deployment.gate').at(-1)?.message).toContain('93 requests to go');
  });

  it('is taken back everywhere when one platform is not ready in time', async () => {
    const was = await served();
    rack.pollsUntilDone = 1_000_000;
    rack.onPoll = (handle) => {
      if (handle.kind !== 'trial') rack.pollsUntilDone = 1;
      else rack.pollsUntilDone = 1_000_000;
    };
    const record = await world.deploy(await open({ barrierMs: 5_000 }), 'two');
    expect(record.outcome).toBe('rolledBack');
    expect(record.together?.why).toMatchObject({
      code: 'BARRIER_TIMEOUT',
      message: 'rack was not ready in time',
    });
    expect(splits()).toEqual([`split ${record.release.id} 0`]);
    for (const platform of [cf, ocp, rack])
      expect(platform).toMatchObject({ serving: was, trial: undefined });
  });

  it('is taken back everywhere when one platform cannot build it, and says why', async () => {
    const was = await served();
    ocp.failing.stage = platformError('buildFailed', 'ocp', 'the build failed', { why: 'no such module' });
    const record = await world.deploy(await open(), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'BUILD_FAILED', why: 'no such module' } },
    });
    expect(cf).toMatchObject({ serving: was, releases: [was] });
    expect(cf.calls.some((call) => call.startsWith('trial'))).toBe(false);
  });

  it('goes on without a platform that fails where the rule is `continue`, and clears up after it', async () => {
    const was = await served();
    ocp.failing.trial = platformError('startFailed', 'ocp', 'it crashed');
    const record = await world.deploy(await open({ onTargetFailure: { kind: 'continue' } }), 'two');
    expect(record.outcome).toBe('partly');
    expect(record.targets['ocp']).toMatchObject({ error: { code: 'START_FAILED' } });
    expect(record.targets['cf']?.phase).toBe('live');
    expect(ocp).toMatchObject({ serving: was, trial: undefined });
    expect(changed(ocp)).toEqual([]);
  });

  it('goes on as long as the quorum has it, and not with fewer', async () => {
    await served();
    ocp.failing.stage = platformError('buildFailed', 'ocp', 'no');
    expect(
      (await world.deploy(await open({ onTargetFailure: { kind: 'quorum', of: 2 } }), 'two')).outcome,
    ).toBe('partly');
    rack.failing.stage = platformError('buildFailed', 'rack', 'no');
    const record = await world.deploy(await open({ onTargetFailure: { kind: 'quorum', of: 2 } }), 'three');
    expect(record.outcome).toBe('rolledBack');
  });

  it('takes the release in place last where it cannot run beside the old one, and says so', async () => {
    const was = await served();
    rack.canTry = false;
    const record = await world.deploy(await open(), 'two');
    expect(record.outcome).toBe('done');
    expect(rack.calls).toEqual([`stage ${record.release.id}`, `apply ${record.release.id}`, `retire ${was}`]);
    expect(seen('deployment.waiting').map(({ message }) => message)).toContain(
      'rack takes the release in place after the others: it cannot run two releases side by side',
    );
  });

  it('is refused where no platform can run two releases, and where no gateway runs', async () => {
    await served();
    await expect(world.deploy(await open({}, { traffic: noTraffic }), 'two')).rejects.toMatchObject({
      code: 'USAGE',
      details: { remedy: expect.stringContaining('strategy: rolling') },
    });
    for (const platform of [cf, ocp, rack]) platform.canTry = false;
    const record = await world.deploy(await open(), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'PLATFORM_UNSUPPORTED' } },
    });
    expect(changed(cf)).toEqual([]);
  });

  it('puts the old release back everywhere, with its configuration, when one fails in the middle of it all', async () => {
    const was = await served();
    ocp.failing.apply = platformError('startFailed', 'ocp', 'it crashed');
    ocp.onPoll = (handle) => {
      if (handle.native['release'] === was) delete ocp.failing.apply;
    };
    const record = await world.deploy(await open(), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      targets: { cf: { phase: 'rolledBack', back: was }, ocp: { phase: 'rolledBack', back: was } },
    });
    for (const platform of [cf, ocp, rack])
      expect(platform).toMatchObject({
        serving: was,
        trial: undefined,
        releases: expect.arrayContaining([was]),
      });
    expect((await (await open()).releases('shop')).live).toEqual({ cf: was, ocp: was, rack: was });
    expect(world.trafficCalls).toContain(`introduce cf ${was}`);
  });

  it('says of each platform what became of it when one cannot be put back', async () => {
    const was = await served();
    ocp.failing.apply = platformError('startFailed', 'ocp', 'it crashed');
    const record = await world.deploy(await open(), 'two');
    expect(record.outcome).toBe('partly');
    expect(record.targets).toMatchObject({
      cf: { phase: 'rolledBack', back: was },
      ocp: { phase: 'failed', error: { code: 'START_FAILED' } },
      rack: { phase: 'rolledBack', back: was },
    });
  });

  it('with `rollback: manual` sends clients back and leaves the rest for a person', async () => {
    const was = await served();
    bad();
    const record = await world.deploy(await open({ rollback: 'manual' }), 'two');
    expect(record).toMatchObject({ outcome: 'failed', targets: { cf: { phase: 'failed' } } });
    expect(splits().at(-1)).toBe(`split ${record.release.id} 0`);
    expect(cf).toMatchObject({ serving: was, trial: { release: record.release.id } });
    // Mended by whatever it was: it begins again with the first step.
    good();
    const resumed = await (await (await open({ rollback: 'manual' })).resume(record.id, never)).finished;
    expect(resumed.outcome).toBe('done');
    expect(cf).toMatchObject({ serving: record.release.id, trial: undefined });
  });

  it('takes no further step while a platform is down, and goes on when it is up', async () => {
    await served();
    let downFor = 20;
    const paused = () => (downFor-- > 0 ? 'cf is down' : undefined);
    const record = await world.deploy(await open({}, { paused }), 'two');
    expect(record.outcome).toBe('done');
    expect(seen('deployment.gate')[0]).toMatchObject({ state: 'paused', message: 'cf is down' });
  });

  it('pauses on the survivors while a platform is down, whatever fails there, and watches it anew when it is back', async () => {
    await served();
    const healthy = world.outcomes;
    const answers = world.probe;
    let looks = 0;
    // It fails at once; that the platform is down is known two looks later, and over after ten.
    const isAway = (): boolean => looks > 1 && looks < 12;
    world.outcomes = (since) =>
      healthy(since).map((one) =>
        one.platform === 'cf' && one.trial && isAway() ? { ...one, failed: one.requests } : one,
      );
    world.probe = async (origin, health) =>
      origin.url === 'http://trial.cf' && isAway()
        ? { ok: false, detail: 'refused' }
        : answers(origin, health);
    const down = () => {
      looks += 1;
      return looks > 4 && isAway() ? ['cf'] : [];
    };
    const paused = () => (looks > 4 && isAway() ? 'cf is down' : undefined);
    const record = await world.deploy(await open({}, { paused, down }), 'two');
    expect(record.outcome).toBe('done');
    const messages = seen('deployment.gate').map(({ state, message }) => `${state} ${message}`);
    expect(messages).toContain('paused cf is down');
  });

  it('is taken back when a release fails on one platform alone, and the platform is well', async () => {
    await served();
    const healthy = world.outcomes;
    world.outcomes = (since) =>
      healthy(since).map((one) =>
        one.platform === 'cf' && one.trial ? { ...one, failed: one.requests } : one,
      );
    const record = await world.deploy(await open({}, { down: () => [] }), 'two');
    expect(record).toMatchObject({ outcome: 'rolledBack', together: { why: { code: 'GATE_FAILED' } } });
  });

  it('that is paused for too long before its first step is taken back', async () => {
    await served();
    const record = await world.deploy(await open({}, { paused: () => 'automation is on hold' }), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'BARRIER_TIMEOUT', why: 'automation is on hold' } },
    });
    expect(splits()).toEqual([`split ${record.release.id} 0`]);
  });

  it('is taken back when the release stops answering while it is tried', async () => {
    await served();
    const answers = world.probe;
    let asked = 0;
    world.probe = async (origin, health) => {
      if (origin.url === 'http://trial.cf') asked += 1;
      return asked > 3 ? { ok: false, detail: 'refused' } : answers(origin, health);
    };
    const record = await world.deploy(await open(), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'GATE_FAILED', why: 'cf: the release no longer answers: refused' } },
    });
  });

  it('is taken back also for what nobody thought of', async () => {
    const was = await served();
    world.outcomes = () => {
      throw new Error('what is this?');
    };
    const record = await world.deploy(await open(), 'two');
    expect(record).toMatchObject({
      outcome: 'rolledBack',
      together: { why: { code: 'BUG', message: 'what is this?' } },
    });
    expect(cf).toMatchObject({ serving: was, trial: undefined });
  });

  it('sends nobody to a release that failed on every platform', async () => {
    const was = await served();
    for (const platform of [cf, ocp, rack])
      platform.onPoll = (handle) => {
        // The trial of the second step.
        if (seen('deployment.step').length > 0 && handle.kind === 'trial')
          platform.failing.trial = platformError('quota', platform.name, 'no room');
      };
    const record = await world.deploy(await open({ onTargetFailure: { kind: 'continue' } }), 'two');
    expect(record.outcome).toBe('failed');
    expect(splits().at(-1)).toBe(`split ${record.release.id} 0`);
    for (const platform of [cf, ocp, rack])
      expect(platform).toMatchObject({ serving: was, trial: undefined });
  });

  it('whose process dies in a step goes on with that step in another process', async () => {
    await served();
    const stop = new AbortController();
    const asked = world.outcomes;
    world.outcomes = (since) => {
      if (seen('deployment.step').length === 2) stop.abort();
      return asked(since);
    };
    const stopped = await world.deploy(await open(), 'two', stop.signal);
    expect(stopped).toMatchObject({ outcome: 'stopped', together: { step: 1, part: 0.5 } });
    const resumed = await (await (await open()).resume(stopped.id, never)).finished;
    expect(resumed.outcome).toBe('done');
    // The first step was passed and is not repeated.
    expect(seen('deployment.step').map(({ step }) => step)).toEqual([1, 2, 2]);
  });

  it('whose process dies while it is taken back goes on taking it back', async () => {
    const was = await served();
    bad();
    const done = await world.deploy(await open(), 'two');
    const { outcome: _, ...endless } = done;
    cf.trial = { release: done.release.id, instances: 1 };
    await world.store.put('deployments', done.id, {
      ...endless,
      together: { ...done.together, stage: 'takingBack' },
      targets: {
        ...done.targets,
        cf: { phase: 'takingBack', startedAt: 0, trial: true, previous: was, artifact: { native: {} } },
      },
    });
    const resumed = await (await (await open()).resume(done.id, never)).finished;
    expect(resumed.outcome).toBe('rolledBack');
    expect(cf.trial).toBeUndefined();
  });

  it('that follows one which was killed on its way knows what to put back where that was in place already', async () => {
    const was = await served();
    const { release, id } = await world.deploy(await open(), 'two');
    // As it was before the others were in place, and nobody lived to write the end.
    for (const platform of [cf, ocp]) Object.assign(platform, { serving: was, releases: [was] });
    for (const name of ['cf', 'ocp']) await releasesIn(world.store).setLive('shop', name, was);
    const { outcome: _, ...record } = (await (await open()).deployments()).find((one) => one.id === id)!;
    const waiting: DeploymentTarget = { phase: 'tried', startedAt: 0, previous: was, trial: true };
    await world.store.put('deployments', id, {
      ...record,
      targets: { cf: waiting, ocp: waiting, rack: { ...waiting, phase: 'ready', inPlace: true } },
    });
    ocp.failing.apply = platformError('startFailed', 'ocp', 'it crashed');
    ocp.onPoll = (handle) => {
      if (handle.native['release'] === was) delete ocp.failing.apply;
    };
    const again = await world.deploy(await open(), 'two');
    expect(again).toMatchObject({ outcome: 'rolledBack', release: { id: release.id } });
    expect(rack.calls.filter((call) => call.startsWith('trial'))).toHaveLength(2);
    for (const platform of [cf, ocp, rack])
      expect(platform).toMatchObject({ serving: was, trial: undefined });
  });

  it('writes nothing more once its lock is lost, not even to take it back', async () => {
    await served();
    bad();
    let held = true;
    const store = { ...world.store };
    const lease = store.acquire;
    store.acquire = async (...given) => {
      const answer = await lease(...given);
      return answer.held ? { ...answer, renew: async () => held } : answer;
    };
    // The lease is asked for often here: it is lost as soon as the step begins.
    const clock = {
      ...world.clock,
      now: world.clock.now,
      every: (_ms: number, run: () => void) => {
        renew = run;
        return () => undefined;
      },
    };
    let renew: () => void = () => undefined;
    const asked = world.outcomes;
    world.outcomes = (since) => {
      held = false;
      renew();
      return asked(since).map((one) => ({ ...one, failed: 0, requests: 1 }));
    };
    const orchestrator = await open({}, { store, clock });
    await expect(world.deploy(orchestrator, 'two')).rejects.toMatchObject({ code: 'LOCK_HELD' });
    expect(cf.calls.some((call) => call.startsWith('endTrial'))).toBe(false);
  });
});

describe('a blue-green deployment', () => {
  it('runs the release at full size, gives it everything at once, and then puts it in place', async () => {
    await served();
    const record = await world.deploy(await open({ strategy: 'bluegreen', steps: [1] }), 'two');
    const is = record.release.id;
    expect(record.outcome).toBe('done');
    expect(splits()).toEqual([`split ${is} 1`, `split ${is} 0`]);
    expect(cf.calls).toContain('size 2');
  });
});

describe('a rolling deployment that aborts all', () => {
  const rolling: Partial<DeploySettings> = { strategy: 'rolling', steps: [] };

  it('replaces nothing anywhere before all have staged it', async () => {
    await served();
    ocp.failing.stage = platformError('buildFailed', 'ocp', 'no');
    const record = await world.deploy(await open(rolling), 'two');
    expect(record.outcome).toBe('rolledBack');
    for (const platform of [cf, ocp, rack]) expect(changed(platform)).toEqual([]);
  });

  it('puts the old release back where it was replaced already', async () => {
    const was = await served();
    rack.failing.apply = platformError('startFailed', 'rack', 'it crashed');
    rack.onPoll = (handle) => {
      if (handle.native['release'] === was) delete rack.failing.apply;
    };
    const record = await world.deploy(await open(rolling), 'two');
    expect(record.outcome).toBe('rolledBack');
    for (const platform of [cf, ocp, rack]) expect(platform.serving).toBe(was);
  });
});
