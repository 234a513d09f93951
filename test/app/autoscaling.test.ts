import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Autoscaling, createAutoscaling } from '../../src/app/autoscaling.ts';
import type { AutoscaleSettings } from '../../src/core/autoscale.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { type IntentRecords, intentRecordsIn } from '../../src/orchestrator/intent-records.ts';
import { keepSize, sizeOn } from '../../src/orchestrator/sizes.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { type FakePlatform, fakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

/** A Monday. */
const NINE = Date.parse('2026-11-23T09:00:00Z');
const LOAD = { rpsPerInstance: 50, min: 1, max: 8, coolDownMs: 60_000 };

let clock: VirtualClock;
let rack: FakePlatform;
let records: IntentRecords;
let events: LoggedEvent[];
let shop: ApplicationSettings;
let rps: number;
let forbidden: string | undefined;
let grown: number | undefined;
let autoscaling: Autoscaling | undefined;

beforeEach(() => {
  clock = virtualClock(NINE + 60_000);
  rack = fakePlatform('rack');
  Object.assign(rack, { desired: 2, running: 2, releases: ['r-1'], pollsUntilDone: 0 });
  events = [];
  rps = 100;
  forbidden = undefined;
  grown = undefined;
});
afterEach(() => autoscaling?.close());

async function start(autoscale: AutoscaleSettings | undefined): Promise<void> {
  const store = memoryStore(clock);
  records = intentRecordsIn(store);
  shop = application([target({ platform: 'rack', maxInstances: 6 })], autoscale && { autoscale });
  autoscaling = createAutoscaling({
    ...{ store, clock, records, events: eventLog(clock, events), logger: silent },
    settings: { applications: { shop } },
    providers: new Map([['rack', fakeProvider(rack)]]),
    identity: { holder: 'a test', process: { host: 'here', pid: 1 }, uniqueId: () => '1' },
    engine: {
      decision: () => undefined,
      statusOf: () => {
        const { desired, running } = rack;
        return { platforms: [{ name: 'rack', rps, p95Ms: 0, instances: { desired, running } }] } as never;
      },
    },
    executor: { scaling: () => undefined, scaledTo: () => grown },
    forbidden: () => forbidden,
    schedule: () => () => undefined,
  });
  await autoscaling.start();
}

/** All that is ordered comes up. */
async function passed(ms: number): Promise<void> {
  await pass(clock, ms, ms > 600_000 ? 60_000 : 1_000);
  rack.running = rack.desired;
}

const scheduled = (cron: string, instances: number) => ({ cron, timeZone: 'UTC', instances });

describe('a schedule', () => {
  it('gives the size whose time came last, also after a start in between', async () => {
    await start({ schedule: [scheduled('0 8 * * MON-FRI', 5), scheduled('0 20 * * *', 1)] });
    await passed(15_000);
    expect(rack.desired).toBe(5);
    expect(sizeOn(records.known('shop'), shop, 'rack', clock.now())).toMatchObject({
      instances: 5,
      by: 'schedule',
    });
    await passed(11 * 3_600_000);
    expect(rack.desired).toBe(1);
    expect(rack.calls).toEqual(['scale 5', 'scale 1']);
  });

  it('is below a person’s order until its next time', async () => {
    await start({ schedule: [scheduled('0 8 * * *', 5), scheduled('0 10 * * *', 3)] });
    const byHand = { instances: 4, configured: 2, by: 'hand', reason: '', at: clock.now() } as const;
    await keepSize(records, 'shop', 'rack', byHand);
    await passed(30_000);
    expect(rack.calls).toEqual([]);
    await passed(3_600_000);
    expect(rack.desired).toBe(3);
  });

  it('touches nothing that a failover has grown, or that nothing automatic may touch', async () => {
    grown = 4;
    await start({ schedule: [scheduled('0 8 * * *', 5)] });
    await passed(30_000);
    grown = undefined;
    forbidden = 'ann ordered hold';
    await passed(30_000);
    expect(rack.calls).toEqual([]);
    forbidden = undefined;
    await passed(30_000);
    expect(rack.desired).toBe(5);
  });
});

describe('a size that is over', () => {
  it('goes back to what is configured when its time has passed', async () => {
    await start(undefined);
    Object.assign(rack, { desired: 4, running: 4 });
    const said = { instances: 4, configured: 2, by: 'hand', reason: '', at: clock.now() } as const;
    await keepSize(records, 'shop', 'rack', { ...said, until: clock.now() + 60_000 });
    await passed(50_000);
    expect(rack.desired).toBe(4);
    await passed(30_000);
    expect(rack.desired).toBe(2);
    expect(records.known('shop').sizes).toEqual({});
  });

  it('goes back when the rules that gave it are gone, and stays when a person gave it', async () => {
    await start(undefined);
    Object.assign(rack, { desired: 4, running: 4 });
    const said = { instances: 4, configured: 2, reason: '', at: clock.now() } as const;
    await keepSize(records, 'shop', 'rack', { ...said, by: 'hand' });
    await passed(30_000);
    expect(rack.calls).toEqual([]);
    await keepSize(records, 'shop', 'rack', { ...said, by: 'load' });
    await passed(30_000);
    expect(rack.desired).toBe(2);
  });
});

describe('load', () => {
  it('grows within maxInstances, and shrinks after the cool-down', async () => {
    await start({ schedule: [], load: LOAD });
    rps = 230;
    await passed(15_000);
    expect(rack.desired).toBe(5);
    rps = 1_000;
    await passed(15_000);
    expect(rack.desired).toBe(6);
    rps = 10;
    await passed(40_000);
    expect(rack.desired).toBe(6);
    await passed(60_000);
    expect(rack.desired).toBe(1);
    expect(events.filter(({ type }) => type === 'scale.ordered')).toHaveLength(3);
  });

  it('has the schedule as its lower bound', async () => {
    await start({ schedule: [scheduled('0 8 * * *', 4)], load: LOAD });
    rps = 0;
    await passed(15_000);
    expect(rack.desired).toBe(4);
  });

  it('says once what is in the way', async () => {
    rack.quotaHeadroom = 0;
    await start({ schedule: [], load: LOAD });
    rps = 230;
    await passed(60_000);
    const waiting = events.filter(({ type }) => type === 'scale.waiting');
    expect(waiting).toHaveLength(1);
    expect(waiting[0]).toMatchObject({ error: { code: 'PLATFORM_QUOTA' } });
    rack.quotaHeadroom = undefined;
    await passed(15_000);
    expect(rack.desired).toBe(5);
  });
});
