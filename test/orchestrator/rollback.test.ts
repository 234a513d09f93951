import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { ServiceSettings } from '../../src/core/services.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { locksIn } from '../../src/orchestrator/locks.ts';
import type { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import type { FakePlatform } from '../support/fake-provider.ts';
import { never, openWorld, type World } from './world.ts';

let world: World;
let cf: FakePlatform;
let ocp: FakePlatform;

beforeEach(async () => {
  world = await openWorld();
  cf = world.platforms['cf']!;
  ocp = world.platforms['ocp']!;
});
afterEach(() => world.close());

async function rollback(
  orchestrator: Orchestrator,
  to?: string,
  more: { readonly platforms?: readonly string[]; readonly force?: boolean } = {},
) {
  const wish = { application: 'shop', to, platforms: more.platforms, force: more.force ?? false };
  return (await orchestrator.rollback(wish, never)).finished;
}

function withEnv(env: Record<string, string>, secretEnv: readonly string[] = []): ApplicationSettings {
  return { ...world.shop, env, secretEnv };
}

/** What the provider was asked to run there last. */
const wanted = (platform: FakePlatform) => platform.applied.at(-1);

describe('a rollback', () => {
  it('brings back the release before, on every platform, with the configuration it had', async () => {
    const first = await world.deploy(await world.open(withEnv({ LOG: 'info' })), 'one');
    const later = await world.open(withEnv({ LOG: 'debug', NEW: 'yes' }));
    await world.deploy(later, 'two');
    const record = await rollback(later);
    expect(record).toMatchObject({ kind: 'rollback', outcome: 'done', release: { id: first.release.id } });
    for (const platform of [cf, ocp]) expect(platform.serving).toBe(first.release.id);
    expect(wanted(cf)?.env).toMatchObject({ LOG: 'info', SLUICE_RELEASE: first.release.id });
    expect(wanted(cf)?.env).not.toHaveProperty('NEW');
    expect((await later.releases('shop')).live).toEqual({ cf: first.release.id, ocp: first.release.id });
  });

  it('brings back any release by its name, and the one before that next', async () => {
    const orchestrator = await world.open();
    const [one, two] = [await world.deploy(orchestrator, 'one'), await world.deploy(orchestrator, 'two')];
    await world.deploy(orchestrator, 'three');
    expect((await rollback(orchestrator, two.release.id)).release.number).toBe(2);
    expect((await rollback(orchestrator)).release.id).toBe(one.release.id);
    expect((await rollback(orchestrator, 'r3')).release.number).toBe(3);
    await expect(rollback(orchestrator, 'r9')).rejects.toMatchObject({
      code: 'USAGE',
      details: { remedy: expect.stringContaining('r1, r2, r3') },
    });
  });

  it('undoes a deployment that broke off half-way, rather than the release it should replace', async () => {
    const orchestrator = await world.open();
    const one = await world.deploy(orchestrator, 'one');
    ocp.failing.apply = platformError('startFailed', 'ocp', 'it crashed');
    expect((await world.deploy(orchestrator, 'two')).outcome).toBe('partly');
    delete ocp.failing.apply;
    const record = await rollback(orchestrator);
    expect(record).toMatchObject({ outcome: 'done', release: { id: one.release.id } });
    for (const platform of [cf, ocp]) expect(platform.serving).toBe(one.release.id);
  });

  it('ends trials that are left over of deployments of ours, and closes those that broke off', async () => {
    const orchestrator = await world.open();
    await world.deploy(orchestrator, 'one');
    const two = await world.deploy(orchestrator, 'two');
    const { outcome: _, ...endless } = two;
    await world.store.put('deployments', two.id, endless);
    cf.canTry = true;
    cf.trial = { release: two.release.id, instances: 1 };
    await world.store.put('deployments', two.id, {
      ...endless,
      together: { stage: 'trying', step: 0, part: 0.05 },
    });
    world.trafficCalls.length = 0;
    await rollback(await world.open());
    // Clients first.
    expect(world.trafficCalls[0]).toBe(`split ${two.release.id} 0`);
    expect(cf.trial).toBeUndefined();
    const all = await orchestrator.deployments();
    expect(all.find(({ id }) => id === two.id)?.outcome).toBe('stopped');
  });

  it('does what it can on each platform and says where it could not', async () => {
    const orchestrator = await world.open();
    await world.deploy(orchestrator, 'one');
    await world.deploy(orchestrator, 'two');
    ocp.failing.apply = platformError('quota', 'ocp', 'no room');
    const record = await rollback(orchestrator);
    expect(record).toMatchObject({
      outcome: 'partly',
      targets: { cf: { phase: 'live' }, ocp: { phase: 'failed', error: { code: 'PLATFORM_QUOTA' } } },
    });
  });

  it('goes only where it is told to', async () => {
    const orchestrator = await world.open();
    const one = await world.deploy(orchestrator, 'one');
    const two = await world.deploy(orchestrator, 'two');
    await rollback(orchestrator, 'r1', { platforms: ['cf'] });
    expect([cf.serving, ocp.serving]).toEqual([one.release.id, two.release.id]);
  });

  it('keeps no secret: it takes the present value, and says so when it is another one', async () => {
    const then = withEnv({ DB: 'old-password' }, ['DB']);
    await world.deploy(await world.open(then), 'one');
    const now = await world.open(withEnv({ DB: 'new-password' }, ['DB']));
    await world.deploy(now, 'two');
    await rollback(now);
    expect(wanted(cf)?.env['DB']).toBe('new-password');
    const logs = world.events.flatMap((event) => (event.type === 'deployment.log' ? [event.text] : []));
    expect(logs).toContain('DB is the present one, not the one r1 had');
    const kept: unknown[] = [];
    for (const key of await world.store.keys('release-configurations'))
      kept.push(await world.store.get('release-configurations', key));
    expect(kept).toHaveLength(2);
    expect(JSON.stringify(kept)).not.toContain('password');
  });

  it('says so when the services are others than the release had', async () => {
    const service: ServiceSettings = { name: 'db', on: {} };
    await world.deploy(await world.open(), 'one');
    const now = await world.open({ ...world.shop, services: [service] });
    await world.deploy(now, 'two');
    await rollback(now);
    const logs = world.events.flatMap((event) => (event.type === 'deployment.log' ? [event.text] : []));
    expect(logs).toContain('the services are the present ones, not those r1 had');
  });

  it('is refused where the configuration no longer has a secret the release needs', async () => {
    await world.deploy(await world.open(withEnv({ DB: 'x', OLD: 'y' }, ['DB', 'OLD'])), 'one');
    const now = await world.open(withEnv({ DB: 'x' }, ['DB']));
    await world.deploy(now, 'two');
    await expect(rollback(now)).rejects.toMatchObject({
      code: 'USAGE',
      message: 'r1 needs OLD',
      details: { remedy: expect.stringContaining('put them back') },
    });
  });

  it('does not go back past a contracting migration, unless forced', async () => {
    const orchestrator = await world.open();
    await world.deploy(orchestrator, 'one');
    const { release } = await world.deploy(orchestrator, 'two');
    await world.store.put('releases', `shop/${release.id}`, { ...release, migration: 'contract' });
    await world.deploy(orchestrator, 'three');
    expect((await rollback(orchestrator)).release.number).toBe(2);
    await expect(rollback(orchestrator, 'r1')).rejects.toMatchObject({ code: 'SAFETY_VETO' });
    expect((await rollback(orchestrator, 'r1', { force: true })).release.number).toBe(1);
  });

  it('that was broken off goes on with the configuration of then', async () => {
    await world.deploy(await world.open(withEnv({ LOG: 'info' })), 'one');
    const now = await world.open(withEnv({ LOG: 'debug' }));
    await world.deploy(now, 'two');
    ocp.failing.apply = platformError('unavailable', 'ocp', 'away');
    const partly = await rollback(now);
    delete ocp.failing.apply;
    const done = await (await now.resume(partly.id, never)).finished;
    expect(done.outcome).toBe('done');
    expect(wanted(ocp)?.env['LOG']).toBe('info');
  });

  it('says what to do where nothing served before', async () => {
    const orchestrator = await world.open();
    await expect(rollback(orchestrator)).rejects.toThrow('there is no release to go back to');
    await world.deploy(orchestrator, 'one');
    await expect(rollback(orchestrator)).rejects.toMatchObject({ details: { why: 'none served before r1' } });
  });
});

describe('a lock', () => {
  it('that is broken keeps its holder from the next write, and frees the application', async () => {
    const orchestrator = await world.open();
    let broken = false;
    cf.onPoll = (handle) => {
      if (handle.kind === 'stage' && !broken) {
        broken = true;
        void world.store.breakLease('deploy-shop');
      }
    };
    const wish = { application: 'shop', platforms: ['cf'], bundle: await world.source('one') };
    const running = await orchestrator.deploy(wish, never);
    expect(await locksIn(world.store)).toMatchObject([
      {
        application: 'shop',
        what: 'deploy',
        reason: 'deploying to cf',
        holder: expect.stringContaining('test'),
      },
    ]);
    const record = await running.finished;
    expect(record.targets['cf']).toMatchObject({ phase: 'failed', error: { code: 'LOCK_HELD' } });
    expect(cf.calls.filter((call) => call.startsWith('apply'))).toEqual([]);
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('done');
  });
});
