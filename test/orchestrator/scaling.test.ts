import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { Intent } from '../../src/core/intent.ts';
import type { StateStore } from '../../src/core/ports.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { intentRecordsIn } from '../../src/orchestrator/intent-records.ts';
import { createIntentExecutor, type IntentExecutor } from '../../src/orchestrator/intents.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { type FakePlatform, fakePlatform, fakeProvider, unavailable } from '../support/fake-provider.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const clock = virtualClock(1_000_000);
let store: StateStore;
let rack: FakePlatform;
let events: LoggedEvent[];
let executor: IntentExecutor;
let told: unknown[];

const scale = (instances: number, platform = 'rack'): Intent => ({
  ...{ kind: 'scale', platform, instances },
  reason: `${instances} are needed`,
});
const typesOf = (): string[] => events.map(({ type }) => type);

function open(): IntentExecutor {
  const provider = fakeProvider(rack);
  return createIntentExecutor({
    records: intentRecordsIn(store),
    settings: { file: undefined, applications: { shop: application([target({ platform: 'rack' })]) } },
    ...{ store, clock, events: eventLog(clock, events), logger: silent },
    providers: new Map([['rack', provider]]),
    engine: {
      promoted: () => undefined,
      capacityTook: (...all) => told.push(['capacityTook', ...all]),
      recall: (...all) => told.push(['recall', ...all]),
    },
    async observe(name, platform) {
      const common = { kind: 'platform', at: clock.now(), application: name, platform } as const;
      try {
        const context = { signal: new AbortController().signal, now: clock.now, log: () => undefined };
        return { ...common, observation: await provider.observe(context, name) };
      } catch (error) {
        return { ...common, observation: undefined, apiError: (error as Error).message };
      }
    },
    acts: () => [],
    identity: { holder: 'a test', process: { host: 'here', pid: process.pid }, uniqueId: () => '1' },
    runCommand: async () => ({ ok: true }),
    env: {},
  });
}

beforeEach(() => {
  store = memoryStore(clock);
  rack = fakePlatform('rack');
  rack.desired = 2;
  rack.running = 2;
  events = [];
  told = [];
  executor = open();
});
afterEach(async () => {
  await executor.close();
  await store.close();
});

describe('an intent to scale', () => {
  it('is ordered once, watched until all instances serve, and measured', async () => {
    executor.want('shop', [scale(4)]);
    await pass(clock, 1_000, 50);
    expect(rack.calls).toEqual(['scale 4']);
    expect(executor.scaling('shop', 'rack')).toMatchObject({ to: 4, state: 'growing' });
    // The decision wants nothing any more: the platform says that it is being done.
    executor.want('shop', []);
    rack.running = 3;
    await pass(clock, 5_000, 50);
    expect(typesOf()).toEqual(['scale.ordered']);
    rack.running = 4;
    await pass(clock, 2_000, 50);
    expect(typesOf()).toEqual(['scale.ordered', 'scale.finished']);
    expect(executor.scaling('shop', 'rack')).toBeUndefined();
    const [, , , ms] = told[0] as [string, string, string, number];
    expect(told).toEqual([['capacityTook', 'shop', 'rack', ms]]);
    expect(ms).toBeGreaterThanOrEqual(5_000);
    expect(ms).toBeLessThanOrEqual(8_000);
    expect(rack.calls).toEqual(['scale 4']);
  });

  it('is remembered by the next process: how long it took, and where to go back to', async () => {
    executor.want('shop', [scale(4)]);
    await pass(clock, 600, 50);
    rack.running = 4;
    await pass(clock, 2_000, 50);
    await executor.close();
    told = [];
    executor = open();
    await executor.restore(['shop']);
    expect(told).toEqual([
      ['recall', 'shop', { scaledFrom: { rack: 2 }, timesToCapacity: { rack: expect.any(Number) } }],
    ]);
    expect(executor.scaledTo('shop', 'rack')).toBe(4);
    executor.want('shop', [scale(2)]);
    await pass(clock, 3_000, 50);
    expect(rack.desired).toBe(2);
    expect(executor.scaledTo('shop', 'rack')).toBeUndefined();
    // Only what grew says how long growing takes.
    expect(events.filter(({ type }) => type === 'scale.finished')).toHaveLength(1);
  });

  it('goes back no further than to what is configured', async () => {
    [rack.desired, rack.running] = [6, 6];
    executor.want('shop', [scale(1)]);
    await pass(clock, 3_000, 50);
    expect(rack.calls).toEqual(['scale 2']);
  });

  it('does nothing where as many are wanted already', async () => {
    executor.want('shop', [scale(2)]);
    await pass(clock, 2_000, 50);
    expect(rack.calls).toEqual([]);
    expect(executor.scaling('shop', 'rack')).toBeUndefined();
  });

  it('waits for a deployment, says so once, and goes on after it', async () => {
    const holder = { id: 'sluice deploy', reason: 'deploying to rack', since: clock.now() };
    const lease = await store.acquire('deploy-shop', holder, 60_000);
    executor.want('shop', [scale(4)]);
    await pass(clock, 10_000, 50);
    expect(rack.calls).toEqual([]);
    expect(typesOf()).toEqual(['scale.waiting']);
    expect(executor.scaling('shop', 'rack')).toMatchObject({
      state: 'waiting',
      why: 'shop is being changed by sluice deploy: deploying to rack',
    });
    if (lease.held) await lease.release();
    await pass(clock, 3_000, 50);
    expect(typesOf()).toEqual(['scale.waiting', 'scale.ordered']);
    // Instances that come up need no lease: a deployment may begin.
    expect(await store.acquire('deploy-shop', holder, 1_000)).toMatchObject({ held: true });
  });

  it('is tried again with longer and longer pauses while the API is away, and dropped with the wish', async () => {
    rack.failing.scale = unavailable('rack');
    executor.want('shop', [scale(4)]);
    await pass(clock, 60_000, 100);
    const tries = rack.calls.length;
    expect(tries).toBeGreaterThanOrEqual(3);
    expect(tries).toBeLessThanOrEqual(6);
    expect(typesOf()).toEqual(['scale.waiting']);
    executor.want('shop', []);
    await pass(clock, 200, 50);
    expect(executor.scaling('shop', 'rack')).toBeUndefined();
    await pass(clock, 120_000, 1_000);
    expect(rack.calls).toHaveLength(tries);
  });

  it('asks for what there is room for, and says what the quota keeps from it', async () => {
    rack.quotaHeadroom = 1;
    executor.want('shop', [scale(6)]);
    await pass(clock, 600, 50);
    expect(rack.calls).toEqual(['scale 3']);
    [rack.running, rack.quotaHeadroom] = [3, 0];
    executor.want('shop', [scale(6)]);
    await pass(clock, 10_000, 50);
    expect(typesOf()).toEqual(['scale.ordered', 'scale.finished', 'scale.refused']);
    expect(executor.scaling('shop', 'rack')).toMatchObject({ to: 6, state: 'refused' });
  });

  it('is not asked for again and again where it was refused, however the wish changes', async () => {
    rack.failing.scale = platformError('quota', 'rack', 'the space has no memory left');
    for (const instances of [4, 5, 4, 6, 5, 4]) {
      executor.want('shop', [scale(instances)]);
      await pass(clock, 2_000, 50);
      executor.want('shop', []);
      await pass(clock, 300, 50);
    }
    expect(rack.calls).toEqual(['scale 4']);
    expect(typesOf()).toEqual(['scale.refused']);
    rack.failing = {};
    executor.want('shop', [scale(4)]);
    await pass(clock, 6 * 60_000, 1_000);
    expect(rack.desired).toBe(4);
  });

  it('grows further when more is wanted meanwhile, not in the same instant', async () => {
    executor.want('shop', [scale(4)]);
    await pass(clock, 1_000, 50);
    executor.want('shop', [scale(6)]);
    await pass(clock, 2_000, 50);
    expect(rack.calls).toEqual(['scale 4']);
    await pass(clock, 4_000, 50);
    expect(rack.calls).toEqual(['scale 4', 'scale 6']);
    rack.running = 6;
    await pass(clock, 3_000, 50);
    expect(typesOf()).toEqual(['scale.ordered', 'scale.ordered', 'scale.finished']);
  });

  it('says so when the instances do not come up', async () => {
    executor.want('shop', [scale(4)]);
    await pass(clock, 500, 50);
    executor.want('shop', []);
    await pass(clock, 200_000, 1_000);
    expect(events.at(-1)).toMatchObject({
      type: 'scale.waiting',
      error: { code: 'START_FAILED', message: 'rack runs 2 of 4 instances of shop' },
    });
    expect(executor.scaling('shop', 'rack')).toBeUndefined();
  });
});
