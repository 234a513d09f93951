import { beforeEach, describe, expect, it } from '@jest/globals';
import { stoppedBy } from '../../src/core/acts.ts';
import { platformError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { Outcomes, PowerWish } from '../../src/core/operations.ts';
import type { StateStore } from '../../src/core/ports.ts';
import type { PlatformProvider } from '../../src/core/provider.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import type { PlatformTraffic } from '../../src/core/traffic.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { holderOf, leaseApplication } from '../../src/orchestrator/lease.ts';
import { locksIn } from '../../src/orchestrator/locks.ts';
import { actsIn } from '../../src/orchestrator/operation-rules.ts';
import { stopOrdersIn } from '../../src/orchestrator/stop-orders.ts';
import { type SwitchingDeps, switchPower } from '../../src/orchestrator/switching.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { type FakePlatform, fakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { application, eventLog, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const identity = { holder: 'a test', process: { host: 'here', pid: process.pid }, uniqueId: () => '1' };
let clock = virtualClock(1_000_000);
let store: StateStore;
let events: LoggedEvent[];
let rack: FakePlatform;
let cf: FakePlatform;
let shop: ApplicationSettings;
/** What the gateway and the platforms were told, in the order in which they were. */
let story: string[];
let empties: boolean;
let more: Partial<SwitchingDeps>;

beforeEach(() => {
  clock = virtualClock(1_000_000);
  store = memoryStore(clock);
  events = [];
  story = [];
  empties = true;
  more = {};
  rack = fakePlatform('rack');
  cf = fakePlatform('cf');
  for (const platform of [rack, cf]) {
    platform.desired = 2;
    platform.running = 2;
    platform.serving = 'r-1';
    platform.releases = ['r-1'];
    platform.calls = story;
  }
  shop = application([target({ platform: 'rack' }), target({ platform: 'cf' })]);
});

const traffic: PlatformTraffic = {
  async emptied(_application, platform) {
    const act = stoppedBy(await actsIn({ store, clock }), 'shop', platform);
    story.push(`${platform} ${act?.emptying === true ? 'empties' : 'is closed'}`);
    return empties;
  },
  async leave(_application, _platform, urls) {
    story.push(`leave ${urls.join(' ')}`);
  },
  async join(_application, _platform, urls) {
    story.push(`join ${urls.join(' ')}`);
    return true;
  },
};

async function power(wish: Partial<PowerWish>): Promise<Outcomes> {
  const all = { application: 'shop', platforms: undefined, who: 'ann', reason: 'a new disk', force: false };
  const done = switchPower(
    {
      ...{
        store,
        clock,
        identity,
        traffic,
        events: eventLog(clock, events),
        stops: stopOrdersIn(store, clock),
      },
      settings: { applications: { shop } },
      providers: new Map([rack, cf].map((one) => [one.name, fakeProvider(one)])),
      deploysTo: () => true,
      ...more,
    },
    { ...all, act: 'stop', process: undefined, atOnce: false, ...wish },
  );
  // Refused at once is nobody's surprise yet.
  done.catch(() => undefined);
  await pass(clock, 3_000, 100);
  return done;
}

async function isStopped(platform: string): Promise<boolean> {
  return stoppedBy(await actsIn({ store, clock }), 'shop', platform) !== undefined;
}

describe('stopping', () => {
  it('takes the traffic away first, and says so in the state before the platform is told', async () => {
    expect(await power({ platforms: ['rack'] })).toEqual({ rack: { tookMs: expect.any(Number) } });
    expect(story).toEqual(['rack empties', 'rack is closed', 'stop']);
    expect(await isStopped('rack')).toBe(true);
    expect(await isStopped('cf')).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['operator.act', 'power.ordered', 'power.finished']);
    expect(events[0]).toMatchObject({
      act: 'stop',
      who: 'ann',
      subject: 'shop on rack',
      reason: 'a new disk',
    });
  });

  it('is vetoed where nobody else would serve, and done by force', async () => {
    await expect(power({})).rejects.toMatchObject({ code: 'SAFETY_VETO', exitStatus: 4 });
    cf.running = 0;
    await expect(power({ platforms: ['rack'] })).rejects.toMatchObject({ code: 'SAFETY_VETO' });
    expect(story).toEqual([]);
    expect((await power({ platforms: ['rack'], force: true }))['rack']?.error).toBeUndefined();
    expect(rack.running).toBe(0);
  });

  it('asks those who probe, where there are any, who else would serve', async () => {
    more = { serving: () => ['rack'] };
    await expect(power({ platforms: ['rack'] })).rejects.toMatchObject({ code: 'SAFETY_VETO' });
    more = { serving: () => ['cf'] };
    expect((await power({ platforms: ['rack'] }))['rack']?.error).toBeUndefined();
  });

  it('counts nobody who is stopped, drained or fenced among those who serve', async () => {
    await power({ platforms: ['cf'] });
    cf.running = 2;
    await expect(power({ platforms: ['rack'] })).rejects.toMatchObject({ code: 'SAFETY_VETO' });
  });

  it('gives the traffic back when it does not leave', async () => {
    empties = false;
    const { rack: outcome } = await power({ platforms: ['rack'] });
    expect(outcome?.error).toMatchObject({ code: 'SAFETY_VETO', remedy: expect.stringContaining('--force') });
    expect(story).toEqual(['rack empties']);
    expect(await isStopped('rack')).toBe(false);
  });

  it('gives the traffic back when the platform refuses and all goes on there', async () => {
    rack.failing.stop = platformError('forbidden', 'rack', 'may not stop');
    expect((await power({ platforms: ['rack'] }))['rack']?.error).toMatchObject({ message: 'may not stop' });
    expect(await isStopped('rack')).toBe(false);
    expect(events.at(-1)?.type).toBe('power.failed');
  });

  it('keeps the traffic away when nobody can say whether it still runs', async () => {
    rack.failing.stop = platformError('unavailable', 'rack', 'gone');
    const provider = fakeProvider(rack);
    const { observe } = provider;
    let reads = 0;
    const dying: PlatformProvider = {
      ...provider,
      async observe(context, name) {
        reads += 1;
        if (reads > 1) throw platformError('unavailable', 'rack', 'gone');
        return observe(context, name);
      },
    };
    more = { serving: () => ['cf'], providers: new Map([['rack', dying]]) };
    expect((await power({ platforms: ['rack'] }))['rack']?.error).toBeDefined();
    expect(await isStopped('rack')).toBe(true);
  });

  it('is refused while somebody deploys, and on a fenced platform', async () => {
    const lease = await leaseApplication(
      store,
      clock,
      'shop',
      holderOf({ ...identity, holder: 'bob' }, 'deploying', clock.now()),
    );
    await expect(power({ platforms: ['rack'] })).rejects.toMatchObject({ code: 'LOCK_HELD', exitStatus: 7 });
    await lease.release();
    const fence = { kind: 'fence', platform: 'rack', application: undefined, since: 0, until: undefined };
    await store.put('acts', 'a-1', { ...fence, id: 'a-1', who: 'bob', reason: 'split brain' });
    await expect(power({ platforms: ['rack'], force: true })).rejects.toMatchObject({ code: 'SAFETY_VETO' });
  });

  it('looks who else serves only when nobody else can stop or deploy any more', async () => {
    let held: unknown;
    more = {
      serving() {
        held = locksIn(store);
        return ['cf'];
      },
    };
    await power({ platforms: ['rack'] });
    expect(await held).toHaveLength(1);
  });

  it('takes no single process', async () => {
    await expect(power({ process: 'web' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('starting', () => {
  it('runs as many as before, and lets traffic in only then', async () => {
    await power({ platforms: ['rack'] });
    story.length = 0;
    rack.failing.start = platformError('quota', 'rack', 'no room');
    expect((await power({ act: 'start', platforms: ['rack'] }))['rack']?.error).toBeDefined();
    expect(await isStopped('rack')).toBe(true);
    rack.failing = {};
    expect((await power({ act: 'start', platforms: ['rack'] }))['rack']?.error).toBeUndefined();
    expect([rack.desired, rack.running]).toEqual([2, 2]);
    expect(await isStopped('rack')).toBe(false);
  });

  it('starts no process that runs elsewhere by now, where somebody places them', async () => {
    const worker = { command: 'work', instances: 1, memoryBytes: 1, takeOverMs: 1 };
    shop = {
      ...shop,
      processes: [
        { ...worker, name: 'clock', runOn: 'one' },
        { ...worker, name: 'worker', runOn: 'all' },
      ],
    };
    const provider = fakeProvider(rack);
    const processes: PlatformProvider['processes'] = {
      apply: async () => Promise.reject(new Error('not asked for')),
      async scale(_context, _application, process, instances) {
        story.push(`${process} ${instances}`);
      },
    };
    const providers = new Map([['rack', { ...provider, processes }]]);
    more = { serving: () => ['cf'], providers };
    await power({ platforms: ['rack'] });
    expect(story.slice(-2)).toEqual(['clock 0', 'stop']);
    story.length = 0;
    // Whoever stopped it may have known of nobody who places.
    await power({ act: 'start', platforms: ['rack'] });
    expect(story).toEqual(['clock 0', 'start']);
    story.length = 0;
    // It runs already: then what runs beside it is where it shall be.
    await power({ act: 'start', platforms: ['rack'] });
    expect(story).toEqual(['start']);
    await power({ platforms: ['rack'] });
    story.length = 0;
    more = { providers };
    await power({ act: 'start', platforms: ['rack'] });
    expect(story).toEqual(['start']);
  });
});

describe('restarting', () => {
  it('goes from platform to platform, and leaves the others alone when one does not come back', async () => {
    await power({ act: 'restart' });
    expect(story).toEqual(['restart web', 'restart web']);
    story.length = 0;
    rack.failing.restart = platformError('startFailed', 'rack', 'it crashed');
    const outcomes = await power({ act: 'restart' });
    expect(story).toEqual(['restart web']);
    expect(outcomes['rack']?.error).toMatchObject({ message: 'it crashed' });
    expect(outcomes['cf']?.error).toMatchObject({ message: 'not begun' });
    const atOnce = await power({ act: 'restart', atOnce: true });
    expect(atOnce['cf']?.error).toBeUndefined();
  });

  it('restarts one process alone', async () => {
    shop = {
      ...shop,
      processes: [
        { name: 'worker', command: 'work', instances: 1, memoryBytes: 1, runOn: 'all', takeOverMs: 1 },
      ],
    };
    await power({ act: 'restart', process: 'worker', platforms: ['rack'] });
    expect(story).toEqual(['restart worker']);
    await expect(power({ act: 'restart', process: 'wroker' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('is refused where it is stopped', async () => {
    await power({ platforms: ['rack'] });
    await expect(power({ act: 'restart', platforms: ['rack'] })).rejects.toMatchObject({
      code: 'SAFETY_VETO',
    });
  });

  it('replaces instances one by one where each is an origin, with one more standing in', async () => {
    let instances = ['0', '1'];
    let ports: Record<string, number> = { 0: 80, 1: 81 };
    const provider = fakeProvider(rack);
    const host: PlatformProvider = {
      ...provider,
      async observe(context, name) {
        const seen = await provider.observe(context, name);
        return {
          ...seen,
          instances: instances.map((id) => ({ id, release: 'r-1', state: 'running', routable: true })),
          origins: instances.map((id) => ({
            url: `http://h:${ports[id]}`,
            hostHeader: undefined,
            instance: id,
          })),
        };
      },
      async scale(_context, _name, to) {
        story.push(`scale ${to}`);
        instances = Array.from({ length: to }, (_, index) => `${index}`);
        ports = { ...ports, 2: 82 };
        return {
          handle: { platform: 'rack', application: 'shop', kind: 'scale', native: {}, startedAt: 0 },
          done: { state: 'succeeded' },
        };
      },
      power: {
        ...provider.power!,
        async restartInstance(_context, _name, instance) {
          story.push(`renew ${instance}`);
          ports = { ...ports, [instance]: (ports[instance] ?? 0) + 10 };
          return {
            handle: { platform: 'rack', application: 'shop', kind: 'restart', native: {}, startedAt: 0 },
            done: { state: 'succeeded' },
          };
        },
      },
    };
    more = { providers: new Map([['rack', host]]) };
    expect((await power({ act: 'restart', platforms: ['rack'] }))['rack']?.error).toBeUndefined();
    expect(story).toEqual([
      'scale 3',
      'join http://h:82',
      'leave http://h:80',
      'renew 0',
      'join http://h:90',
      'leave http://h:81',
      'renew 1',
      'join http://h:91',
      'leave http://h:82',
      'scale 2',
    ]);
  });
});
