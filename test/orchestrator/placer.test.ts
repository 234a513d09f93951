import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { StateStore } from '../../src/core/ports.ts';
import type { ObservedProcess, PlatformProvider } from '../../src/core/provider.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { createPlacer, type Placer } from '../../src/orchestrator/placer.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { fakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const clock = virtualClock(1_000_000);
interface Side {
  desired: number;
  running: number;
  api: 'ok' | 'away';
  refusal: Error | undefined;
}
let store: StateStore;
let sides: Record<'cf' | 'ocp', Side>;
let active: Set<string> | undefined;
let events: LoggedEvent[];
let orders: string[];
let placer: Placer;

const SHOP = application([target({ platform: 'cf' }), target({ platform: 'ocp' })], {
  processes: [
    { name: 'worker', command: 'work', instances: 1, memoryBytes: 1, runOn: 'one', takeOverMs: 60_000 },
  ],
});

function provider(name: 'cf' | 'ocp'): PlatformProvider {
  return {
    ...fakeProvider(fakePlatform(name)),
    processes: {
      apply: () => Promise.reject(new Error('not here')),
      async scale(_context, _application, process, instances) {
        const { refusal } = sides[name];
        if (refusal) throw refusal;
        orders.push(`${process} ${name} ${instances}`);
        sides[name].desired = instances;
        // It takes a while to come and to go.
        clock.after(5_000, () => {
          sides[name].running = instances;
        });
      },
    },
  };
}

async function read(name: 'cf' | 'ocp'): Promise<void> {
  const { api, desired, running } = sides[name];
  const at = clock.now();
  const common = { kind: 'platform', at, application: 'shop', platform: name } as const;
  const worker: ObservedProcess = {
    ...{ desired, running, release: 'r-1', command: 'work', memoryBytes: 1 },
  };
  const seen = {
    ...(await fakeProvider(fakePlatform(name)).observe(context, 'shop')),
    processes: { worker },
  };
  placer.hear({ ...common, observation: api === 'ok' ? seen : undefined });
}
const context = { signal: new AbortController().signal, now: clock.now, log: () => undefined };

async function reads(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 2_000) {
    await read('cf');
    await read('ocp');
    // Never two at once, whatever happens.
    if (sides.cf.api === 'ok') expect(sides.cf.running + sides.ocp.running).toBeLessThanOrEqual(1);
    await pass(clock, 2_000, 500);
  }
}

function open(): Placer {
  return createPlacer({
    settings: { applications: { shop: SHOP } },
    ...{ store, clock, logger: silent, events: eventLog(clock, events) },
    providers: new Map([
      ['cf', provider('cf')],
      ['ocp', provider('ocp')],
    ]),
    identity: { holder: 'a test', process: { host: 'here', pid: process.pid }, uniqueId: () => '1' },
    active: () => active,
    forbidden: () => undefined,
    observe: async (_application, platform) => read(platform as 'cf'),
  });
}

beforeEach(() => {
  store = memoryStore(clock);
  const side = (): Side => ({ desired: 0, running: 0, api: 'ok', refusal: undefined });
  sides = { cf: side(), ocp: side() };
  active = new Set(['cf', 'ocp']);
  events = [];
  orders = [];
  placer = open();
});
afterEach(async () => {
  await placer.close();
  await store.close();
});

describe('a process on exactly one platform', () => {
  it('is started once, moves with the traffic when it has stopped, and comes back with it', async () => {
    await reads(20_000);
    expect(orders).toEqual(['worker cf 1']);
    active = new Set(['ocp']);
    await reads(20_000);
    expect(orders).toEqual(['worker cf 1', 'worker cf 0', 'worker ocp 1']);
    active = new Set(['cf', 'ocp']);
    await reads(20_000);
    expect(orders.slice(3)).toEqual(['worker ocp 0', 'worker cf 1']);
    expect(placer.status('shop', 'cf')).toEqual({ worker: { runOn: 'one', desired: 1, running: 1 } });
    const ordered = events.flatMap((event) => (event.type === 'placement.ordered' ? [event.platform] : []));
    expect(ordered).toEqual(['cf', 'cf', 'ocp', 'ocp', 'cf']);
  });

  it('does nothing before anything was decided', async () => {
    active = undefined;
    await reads(20_000);
    expect(orders).toEqual([]);
  });

  it('waits for a platform that is gone, says so once, takes over after its time, and stops the other when it is back', async () => {
    await reads(10_000);
    sides.cf.api = 'away';
    active = new Set(['ocp']);
    await reads(50_000);
    expect(orders).toEqual(['worker cf 1']);
    expect(events.filter(({ type }) => type === 'placement.waiting')).toHaveLength(1);
    expect(placer.status('shop', 'ocp')).toMatchObject({
      worker: { waiting: expect.stringContaining('cf') },
    });
    await reads(20_000);
    expect(orders).toEqual(['worker cf 1', 'worker ocp 1']);
    expect(events.at(-1)).toMatchObject({
      type: 'placement.ordered',
      reason: expect.stringContaining('nobody can say'),
    });
    // It had run on all the time.
    sides.cf.api = 'ok';
    await read('cf');
    await pass(clock, 6_000, 500);
    expect(orders.at(-1)).toBe('worker cf 0');
    await reads(10_000);
    expect([sides.cf.running, sides.ocp.running]).toEqual([0, 1]);
  });

  it('is remembered by the next controller, which never saw the platform that runs it', async () => {
    await reads(10_000);
    await placer.close();
    sides.cf.api = 'away';
    active = new Set(['ocp']);
    placer = open();
    await reads(30_000);
    expect(orders).toEqual(['worker cf 1']);
    await reads(40_000);
    expect(orders).toEqual(['worker cf 1', 'worker ocp 1']);
  });

  it('waits for a deployment, and is tried again with pauses where it is refused', async () => {
    const holder = { id: 'sluice deploy', reason: 'deploying', since: clock.now() };
    const lease = await store.acquire('deploy-shop', holder, 600_000);
    await reads(20_000);
    expect(orders).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(['placement.waiting']);
    if (lease.held) await lease.release();
    sides.cf.refusal = platformError('quota', 'cf', 'no memory');
    await reads(60_000);
    expect(events.map(({ type }) => type)).toEqual(['placement.waiting', 'placement.waiting']);
    sides.cf.refusal = undefined;
    await reads(70_000);
    expect(orders).toEqual(['worker cf 1']);
  });
});
