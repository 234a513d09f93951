import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError, toWire } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { StateStore } from '../../src/core/ports.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import type { OrchestratorDeps } from '../../src/orchestrator/deps.ts';
import type { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import { type FakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { never, openWorld, type World } from './world.ts';

let world: World;
let store: StateStore;
let cf: FakePlatform;
let ocp: FakePlatform;
let trafficCalls: string[];
let events: LoggedEvent[];
let SHOP: ApplicationSettings;

beforeEach(async () => {
  world = await openWorld();
  ({ store, trafficCalls, events, shop: SHOP } = world);
  cf = world.platforms['cf']!;
  ocp = world.platforms['ocp']!;
});
afterEach(() => world.close());

const open = (application?: ApplicationSettings, more?: Partial<OrchestratorDeps>) =>
  world.open(application, more);
const source = (content: string) => world.source(content);
const deploy = (orchestrator: Orchestrator, content: string, stop?: AbortSignal) =>
  world.deploy(orchestrator, content, stop);

describe('a deployment', () => {
  it('brings one release to all platforms at once and records where it is live', async () => {
    const orchestrator = await open();
    const record = await deploy(orchestrator, 'one');
    expect(record.outcome).toBe('done');
    expect(record.release.number).toBe(1);
    expect(await orchestrator.releases('shop')).toMatchObject({
      live: { cf: record.release.id, ocp: record.release.id },
    });
    // In parallel: both were staging before either was applied.
    const phases = events.flatMap((event) =>
      event.type === 'deployment.progress' ? [`${event.platform} ${event.phase}`] : [],
    );
    expect(phases.indexOf('ocp staging')).toBeLessThan(phases.indexOf('cf applying'));
  });

  it('is the same release when nothing changed, and another with the next number when something did', async () => {
    const orchestrator = await open();
    const first = await deploy(orchestrator, 'one');
    const again = await deploy(orchestrator, 'one');
    const second = await deploy(orchestrator, 'two');
    expect(again.release).toEqual(first.release);
    expect(second.release.number).toBe(2);
  });

  it('is another release when the environment changes, and the same when only instances do', async () => {
    const first = await deploy(await open(), 'one');
    const scaled = { ...SHOP, process: { ...SHOP.process, instances: 9 } };
    expect((await deploy(await open(scaled), 'one')).release.id).toBe(first.release.id);
    expect((await deploy(await open({ ...SHOP, env: { LOG: 'debug' } }), 'one')).release.id).not.toBe(
      first.release.id,
    );
  });

  it('does not begin during a freeze that denies it; a rollback does', async () => {
    let isOpen = false;
    const window = { text: 'black friday', isOpen: () => isOpen, opensNext: () => undefined };
    const policy = { ...SHOP.policy, freeze: [{ window, deny: ['deploy'] as const }] };
    const orchestrator = await open({ ...SHOP, policy });
    const first = await deploy(orchestrator, 'one');
    await deploy(orchestrator, 'two');
    isOpen = true;
    await expect(deploy(orchestrator, 'three')).rejects.toMatchObject({
      code: 'SAFETY_VETO',
      details: { why: 'no deployments during black friday' },
    });
    const back = await orchestrator.rollback(
      { application: 'shop', to: undefined, platforms: undefined, force: false },
      never,
    );
    expect((await back.finished).outcome).toBe('done');
    expect(back.release.id).toBe(first.release.id);
  });

  it('does not begin where nothing may be deployed now, says why, and goes on later', async () => {
    let why: string | undefined = 'the API of cf does not answer';
    const frozen = (_application: string, platform: string) => (platform === 'cf' ? why : undefined);
    const orchestrator = await open(SHOP, { frozen });
    const record = await deploy(orchestrator, 'one');
    expect(record.outcome).toBe('partly');
    expect(record.targets['cf']).toMatchObject({
      phase: 'failed',
      error: {
        code: 'PLATFORM_UNAVAILABLE',
        message: 'cf takes no deployment now',
        why,
        remedy: `when its API answers again: sluice deployments resume ${record.id}`,
      },
    });
    expect(record.targets['ocp']?.phase).toBe('live');
    expect(cf.calls).toEqual([]);
    why = undefined;
    const resumed = await (await orchestrator.resume(record.id, never)).finished;
    expect(resumed.outcome).toBe('done');
  });

  it('keeps the instances that a failover has made', async () => {
    const messages = (platform: string) =>
      events.flatMap((event) =>
        event.type === 'deployment.progress' && event.platform === platform && event.phase === 'applying'
          ? [event.message]
          : [],
      );
    await deploy(await open(SHOP, { scaledTo: (_shop, name) => (name === 'ocp' ? 6 : undefined) }), 'one');
    expect([messages('cf'), messages('ocp')]).toEqual([['2 instances'], ['6 instances']]);
  });

  it('retires the old release only after it left the table', async () => {
    const orchestrator = await open();
    const first = await deploy(orchestrator, 'one');
    trafficCalls.length = 0;
    const second = await deploy(orchestrator, 'two');
    const [was, is] = [first.release.id, second.release.id];
    expect(cf.calls).toContain(`retire ${was}`);
    expect(trafficCalls.filter((call) => call.includes(' cf '))).toEqual([
      `introduce cf ${is}`,
      `withdraw cf ${was}`,
    ]);
    expect(trafficCalls[0]).toBe(`allow ${is} ${was}`);
    expect(trafficCalls.at(-1)).toBe(`allow ${is}`);
  });

  it('removes what a deployment that broke off left behind, and nothing that others deployed', async () => {
    const orchestrator = await open();
    const first = await deploy(orchestrator, 'one');
    const broken = await deploy(orchestrator, 'two');
    // As after a SIGKILL between the cut-over and the end: two releases are there, the journal has no outcome.
    cf.releases.push(first.release.id, 'r-somebodys');
    const { outcome: _, ...endless } = broken;
    await store.put('deployments', broken.id, endless);
    cf.calls.length = 0;
    const again = await deploy(orchestrator, 'two');
    expect(cf.calls).toContain(`retire ${first.release.id}`);
    expect(new Set(cf.releases)).toEqual(new Set(['r-somebodys', again.release.id]));
    const records = await orchestrator.deployments();
    expect(records.find((record) => record.id === broken.id)?.outcome).toBe('stopped');
    const third = await deploy(orchestrator, 'three');
    expect(new Set(cf.releases)).toEqual(new Set(['r-somebodys', third.release.id]));
  });

  it('that fails on one platform is done on the others and leaves what served there', async () => {
    const orchestrator = await open();
    const first = await deploy(orchestrator, 'one');
    ocp.failing.stage = platformError('buildFailed', 'ocp', 'the build failed', {
      logTail: ['no such module'],
    });
    const record = await deploy(orchestrator, 'two');
    expect(record.outcome).toBe('partly');
    expect(record.targets['cf']?.phase).toBe('live');
    expect(record.targets['ocp']).toMatchObject({
      phase: 'failed',
      error: { code: 'BUILD_FAILED', logTail: ['no such module'] },
    });
    expect(ocp.serving).toBe(first.release.id);
    expect(ocp.calls).not.toContain(`retire ${first.release.id}`);
    expect(trafficCalls.at(-1)).toBe(`allow ${record.release.id} ${first.release.id}`);
  });

  it('is not live while another release answers through the platform’s router', async () => {
    world.probe = async () => ({ ok: true, detail: 'ok', release: 'r-0000000000' });
    const record = await deploy(await open(), 'one');
    expect(record.outcome).toBe('failed');
    expect(record.targets['cf']?.error).toMatchObject({
      code: 'RELEASE_MISMATCH',
      why: expect.stringContaining('r-0000000000'),
    });
    expect(trafficCalls.some((call) => call.startsWith('introduce'))).toBe(false);
  });

  it('of an application that does not name its release is live but unproven', async () => {
    world.probe = async () => ({ ok: true, detail: 'ok' });
    const record = await deploy(
      await open({ ...SHOP, health: { ...SHOP.health, release: undefined } }),
      'one',
    );
    expect(record.targets['cf']).toMatchObject({ phase: 'live', unproven: true });
  });

  it('survives a failure to clean up: the new release serves', async () => {
    const orchestrator = await open();
    await deploy(orchestrator, 'one');
    cf.failing.retire = platformError('unavailable', 'cf', 'gone');
    expect((await deploy(orchestrator, 'two')).outcome).toBe('done');
  });

  it('refuses a second one of the same application and says who holds it', async () => {
    const orchestrator = await open();
    const wish = { application: 'shop', platforms: undefined, bundle: await source('one') };
    let goOn = (): void => undefined;
    cf.hold = new Promise((resolve) => {
      goOn = resolve;
    });
    const running = await orchestrator.deploy(wish, never);
    await expect(orchestrator.deploy(wish, never)).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: expect.stringContaining('test'),
      details: { why: expect.stringContaining('deploying') },
    });
    goOn();
    await running.finished;
    expect((await deploy(orchestrator, 'one')).outcome).toBe('done');
  });

  it('asked to stop ends at the next step and goes on from there when resumed', async () => {
    const stop = new AbortController();
    cf.onPoll = () => stop.abort();
    const orchestrator = await open();
    const record = await deploy(orchestrator, 'one', stop.signal);
    expect(record.outcome).toBe('stopped');
    expect(cf.calls).toEqual([expect.stringContaining('stage')]);
    cf.onPoll = () => undefined;
    const next = await open();
    const begun = await next.resume(record.id, never);
    // Whoever follows it must not take the end it had before for this one.
    expect((await next.deployments())[0]?.outcome).toBeUndefined();
    const resumed = await begun.finished;
    expect(resumed.outcome).toBe('done');
    // What was staged is not staged again.
    expect(cf.calls.filter((call) => call.startsWith('stage'))).toHaveLength(1);
  });

  it('whose process died while polling goes on from the stored handle in another process', async () => {
    cf.pollsUntilDone = 1_000_000;
    const orchestrator = await open();
    const started = await orchestrator.deploy(
      { application: 'shop', platforms: ['cf'], bundle: await source('one') },
      never,
    );
    let stored: unknown;
    while (!stored) {
      await new Promise((next) => setImmediate(next));
      stored = (await orchestrator.deployments())[0]?.targets['cf']?.handle;
    }
    // As after SIGKILL: nobody polls any more, and the lease runs out.
    cf.onPoll = () => {
      throw new Error('this process is dead');
    };
    await started.finished;
    const record = (await orchestrator.deployments())[0]!;
    await store.put('deployments', record.id, {
      ...record,
      outcome: undefined,
      targets: { cf: { phase: 'staging', startedAt: 0, handle: stored } },
    });
    cf.onPoll = () => undefined;
    cf.pollsUntilDone = 1;
    const resumed = await (await (await open()).resume(record.id, never)).finished;
    expect(resumed.outcome).toBe('done');
    expect(cf.calls.filter((call) => call.startsWith('stage'))).toHaveLength(1);
  });

  it('is resumed only with the configuration it began with', async () => {
    ocp.failing.stage = platformError('buildFailed', 'ocp', 'no');
    const record = await deploy(await open(), 'one');
    const changed = await open({ ...SHOP, env: { LOG: 'debug' } });
    await expect(changed.resume(record.id, never)).rejects.toThrow('the configuration changed');
  });

  it('is refused before anything is staged or recorded where a platform would not take it', async () => {
    const full = platformError('quota', 'cf', 'no room', { why: '0Mi are left', remedy: 'make room' });
    const checked = fakeProvider(cf);
    const providers = new Map([
      ['cf', { ...checked, check: async () => [{ what: 'memory', found: '0Mi', error: toWire(full) }] }],
      ['ocp', fakeProvider(ocp)],
    ]);
    const orchestrator = await open(SHOP, { providers });
    const wish = { application: 'shop', platforms: undefined, bundle: await source('one') };
    await expect(orchestrator.deploy(wish, never)).rejects.toMatchObject({ code: 'PLATFORM_QUOTA' });
    expect([cf.calls, ocp.calls, await orchestrator.deployments()]).toEqual([[], [], []]);
    expect((await orchestrator.releases('shop')).releases).toEqual([]);
    expect(await orchestrator.plan(wish)).toMatchObject([
      { platform: 'cf', checks: [{ what: 'memory', error: { code: 'PLATFORM_QUOTA' } }] },
      { platform: 'ocp', checks: [] },
    ]);
    // The lease was given back.
    await orchestrator.deploy({ ...wish, platforms: ['ocp'] }, never).then(({ finished }) => finished);
  });

  it('plans platform by platform; one that cannot be read does not hide the others', async () => {
    const orchestrator = await open();
    ocp.failing.observe = platformError('unavailable', 'ocp', 'no answer');
    const plans = await orchestrator.plan({
      application: 'shop',
      platforms: undefined,
      bundle: await source('one'),
    });
    expect(plans).toMatchObject([
      { platform: 'cf', changes: [{ action: 'create', field: 'release' }] },
      { platform: 'ocp', changes: [], error: { code: 'PLATFORM_UNAVAILABLE' } },
    ]);
  });

  it('is undone by destroy on every platform', async () => {
    const orchestrator = await open();
    await deploy(orchestrator, 'one');
    const results = await orchestrator.destroy({
      application: 'shop',
      platforms: undefined,
      services: false,
    });
    expect([...results]).toEqual([
      ['cf', { left: [] }],
      ['ocp', { left: [] }],
    ]);
    expect(cf.releases).toEqual([]);
    expect((await orchestrator.releases('shop')).live).toEqual({});
  });

  it('names the applications and platforms there are when asked for another', async () => {
    const orchestrator = await open();
    const bundle = await source('one');
    await expect(
      orchestrator.deploy({ application: 'shop', platforms: ['aws'], bundle }, never),
    ).rejects.toMatchObject({
      code: 'USAGE',
      details: { remedy: expect.stringContaining('cf, ocp') },
    });
  });
});
