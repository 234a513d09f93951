import { beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { Outcomes, ScaleWish } from '../../src/core/operations.ts';
import type { StateStore } from '../../src/core/ports.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { noPlatformTraffic } from '../../src/core/traffic.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { type IntentRecords, intentRecordsIn } from '../../src/orchestrator/intent-records.ts';
import { holderOf, leaseApplication } from '../../src/orchestrator/lease.ts';
import { createOperations } from '../../src/orchestrator/operations.ts';
import { sizeOn } from '../../src/orchestrator/sizes.ts';
import { stopOrdersIn } from '../../src/orchestrator/stop-orders.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { type FakePlatform, fakePlatform, fakeProvider, unavailable } from '../support/fake-provider.ts';
import { application, eventLog, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const identity = { holder: 'a test', process: { host: 'here', pid: process.pid }, uniqueId: () => '1' };
let clock = virtualClock(1_000_000);
let store: StateStore;
let records: IntentRecords;
let events: LoggedEvent[];
let rack: FakePlatform;
let cf: FakePlatform;
let shop: ApplicationSettings;

beforeEach(() => {
  clock = virtualClock(1_000_000);
  store = memoryStore(clock);
  records = intentRecordsIn(store);
  events = [];
  rack = fakePlatform('rack');
  cf = fakePlatform('cf');
  for (const platform of [rack, cf]) {
    platform.desired = 2;
    platform.running = 2;
    platform.releases = ['r-1'];
  }
  shop = application([target({ platform: 'rack', maxInstances: 6 }), target({ platform: 'cf' })]);
});

async function scale(wish: Partial<ScaleWish>): Promise<Outcomes> {
  const operations = createOperations({
    ...{ store, clock, records, identity, events: eventLog(clock, events) },
    settings: { applications: { shop } },
    providers: new Map([rack, cf].map((one) => [one.name, fakeProvider(one)])),
    deploysTo: () => true,
    traffic: noPlatformTraffic,
    stops: stopOrdersIn(store, clock),
  });
  const all = { application: 'shop', platforms: undefined, who: 'ann', reason: '', force: false };
  const done = operations.scale({ ...all, instances: undefined, forMs: undefined, ...wish });
  // Refused at once is nobody's surprise yet.
  done.catch(() => undefined);
  await pass(clock, 3_000, 100);
  return done;
}

function kept(platform: string): number | undefined {
  return sizeOn(records.known('shop'), shop, platform, clock.now())?.instances;
}

describe('scaling by hand', () => {
  it('orders each platform, waits for its instances, and keeps what was said', async () => {
    expect(await scale({ instances: 4 })).toEqual({
      rack: { from: 2, to: 4, tookMs: expect.any(Number) },
      cf: { from: 2, to: 4, tookMs: expect.any(Number) },
    });
    expect([rack.desired, cf.desired]).toEqual([4, 4]);
    expect([kept('rack'), kept('cf')]).toEqual([4, 4]);
    expect(events.map(({ type }) => type)).toEqual([
      'operator.act',
      'scale.ordered',
      'scale.ordered',
      'scale.finished',
      'scale.finished',
    ]);
    const { timesToCapacity } = records.known('shop');
    expect(timesToCapacity['rack']).toMatchObject({ instances: 4 });
  });

  it('changes nothing where so many are wanted already, and yet keeps it', async () => {
    expect((await scale({ instances: 2, platforms: ['rack'] }))['rack']).toEqual({
      from: 2,
      to: 2,
      tookMs: 0,
    });
    expect(rack.calls).toEqual([]);
    expect(kept('rack')).toBe(2);
  });

  it('stands until it is taken back, its time is over, or another number is configured', async () => {
    await scale({ instances: 4, platforms: ['rack'], forMs: 60_000 });
    expect(kept('rack')).toBe(4);
    await pass(clock, 60_000, 1_000);
    expect(kept('rack')).toBeUndefined();
    await scale({ instances: 5, platforms: ['rack'] });
    shop = application([target({ platform: 'rack', instances: 3 }), target({ platform: 'cf' })]);
    expect(kept('rack')).toBeUndefined();
    await scale({ instances: 5, platforms: ['cf'] });
    await scale({ platforms: ['cf'] });
    expect(cf.desired).toBe(2);
    expect(kept('cf')).toBeUndefined();
  });

  it('goes beyond maxInstances only by force', async () => {
    await expect(scale({ instances: 7, platforms: ['rack'] })).rejects.toMatchObject({ code: 'SAFETY_VETO' });
    expect(rack.calls).toEqual([]);
    await scale({ instances: 7, platforms: ['rack'], force: true });
    expect(rack.desired).toBe(7);
  });

  it('is refused while the policy forbids it', async () => {
    const window = { text: '0 0 * * *', isOpen: () => true, opensNext: () => undefined };
    shop = { ...shop, policy: { ...shop.policy, freeze: [{ window, deny: ['scale'] }] } };
    await expect(scale({ instances: 3 })).rejects.toMatchObject({ code: 'SAFETY_VETO' });
    expect((await scale({ instances: 3, force: true }))['cf']?.error).toBeUndefined();
  });

  it('writes nothing to a fenced platform, not even by force', async () => {
    const fence = { kind: 'fence', platform: 'rack', application: undefined, since: 0, until: undefined };
    await store.put('acts', 'a-1', { ...fence, id: 'a-1', who: 'bob', reason: 'split brain' });
    await expect(scale({ instances: 3, force: true })).rejects.toMatchObject({
      code: 'SAFETY_VETO',
      details: { why: 'bob ordered it: split brain' },
    });
    expect((await scale({ instances: 3, platforms: ['cf'] }))['cf']?.to).toBe(3);
  });

  it('says of each platform by itself what went wrong', async () => {
    rack.quotaHeadroom = 1;
    const outcomes = await scale({ instances: 4 });
    expect(outcomes['rack']?.error).toMatchObject({ code: 'PLATFORM_QUOTA', why: 'its quota ends at 3' });
    expect(outcomes['cf']).toMatchObject({ to: 4 });
    expect(kept('rack')).toBeUndefined();
    cf.failing = { observe: unavailable('cf') };
    expect((await scale({ instances: 3, platforms: ['cf'] }))['cf']?.error?.code).toBe(
      'PLATFORM_UNAVAILABLE',
    );
    cf.failing = { scale: platformError('forbidden', 'cf', 'no') };
    expect((await scale({ instances: 3, platforms: ['cf'] }))['cf']?.error?.code).toBe('PLATFORM_FORBIDDEN');
    // What was refused is not wanted any more; what was wanted before still is.
    expect(kept('cf')).toBe(4);
  });

  it('waits for nobody: a deployment under way is named', async () => {
    const lease = await leaseApplication(
      store,
      clock,
      'shop',
      holderOf({ ...identity, uniqueId: () => '2' }, 'deploying to rack', 0),
    );
    const { rack: outcome } = await scale({ instances: 3, platforms: ['rack'] });
    expect(outcome?.error).toMatchObject({ code: 'LOCK_HELD', why: 'deploying to rack' });
    await lease.release();
  });

  it('is for what is deployed, and for numbers', async () => {
    await expect(scale({ instances: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(scale({ instances: 3, platforms: ['x'] })).rejects.toMatchObject({ code: 'USAGE' });
    rack.releases = [];
    const { rack: outcome } = await scale({ instances: 3, platforms: ['rack'] });
    expect(outcome?.error?.code).toBe('PLATFORM_NOT_FOUND');
  });
});
