import { describe, expect, it } from '@jest/globals';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import type { EjectionSignal } from '../../src/core/signals.ts';
import { Ejector } from '../../src/gateway/ejector.ts';
import { CLOSED, OPEN } from '../../src/gateway/gate.ts';
import type { Lane } from '../../src/gateway/lane.ts';
import { LaneRegistry } from '../../src/gateway/registry.ts';
import type { CompiledTable } from '../../src/gateway/routes.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { tableOf } from './harness.ts';

const A = 'http://10.0.0.1:80';
const B = 'http://10.0.0.2:80';
const NAMED = 'http://shop.example.com:80';
const TWO = { a: { urls: [A] }, b: { urls: [B] } };

/** One worker, without its traffic. */
function worker(number: number, table: RoutingTable, clock = virtualClock(1_000_000)) {
  const names = new Map([['shop.example.com', ['10.1.0.1', '10.1.0.2']]]);
  const registry = new LaneRegistry({
    settings: DEFAULT_GATEWAY,
    random: () => 0.5,
    addresses: (name) => names.get(name) ?? [],
    retire: () => undefined,
  });
  let compiled: CompiledTable = registry.compile(table);
  const ejector = new Ejector(clock, number, () => compiled);
  const words: EjectionSignal[] = [];
  ejector.onEjection((word) => void words.push(word));
  return {
    ...{ clock, ejector, words },
    lane: (route: number, target: number, lane = 0): Lane =>
      compiled.routes[route]!.targets[target]!.lanes[lane]!,
    stays: (platform: string): Lane =>
      compiled.routes[0]!.sessions!.staying.get(platform)!.targets[0]!.lanes[0]!,
    hear: (word: EjectionSignal) => ejector.apply(registry.origins, word),
    swap(next: RoutingTable) {
      compiled = registry.compile(next);
      ejector.applyEarly(registry.origins);
    },
  };
}

function twoApplications(): RoutingTable {
  const shop = tableOf(TWO, { path: '/shop', application: 'shop' });
  const blog = tableOf(TWO, { application: 'blog' });
  return { ...blog, routes: [...shop.routes, ...blog.routes] };
}

describe('an ejection', () => {
  it('of what the address does concerns all its applications, of what the application does only this', () => {
    const { ejector, lane, words } = worker(1, twoApplications());
    ejector.eject(lane(0, 0), 'consecutive-failures');
    expect([lane(0, 0).gate.state, lane(1, 0).gate.state]).toEqual([OPEN, CLOSED]);
    expect(words.at(-1)).toMatchObject({ application: 'shop', times: 1, reason: 'consecutive-failures' });
    ejector.eject(lane(1, 0), 'stall');
    expect(lane(1, 0).gate.state).toBe(OPEN);
    expect(words.at(-1)).not.toHaveProperty('application');
  });

  it('leaves one origin of a platform in, and takes them all when there is another platform', () => {
    const alone = worker(1, tableOf({ a: { urls: [A, B] } }));
    expect(alone.ejector.eject(alone.lane(0, 0, 0), 'refused')).toBe(true);
    expect(alone.ejector.eject(alone.lane(0, 0, 1), 'refused')).toBe(false);
    expect(alone.lane(0, 0, 1).gate.state).toBe(CLOSED);

    const both = worker(1, tableOf({ a: { urls: [A, 'http://10.0.0.3:80'] }, b: { urls: [B] } }));
    expect(both.ejector.eject(both.lane(0, 0, 0), 'refused')).toBe(true);
    expect(both.ejector.eject(both.lane(0, 0, 1), 'refused')).toBe(true);
    expect(both.ejector.eject(both.lane(0, 1), 'refused')).toBe(false);
  });

  it('takes a draining platform out too that clients with a session still use', () => {
    const draining = { state: 'draining', keepsSessions: true, share: 0 } as const;
    const table = tableOf({ a: { urls: [A], ...draining }, b: { urls: [B] } }, { affinity: true });
    const { ejector, stays } = worker(1, table);
    expect(ejector.eject(stays('a'), 'refused')).toBe(true);
    expect(stays('a').gate.state).toBe(OPEN);
  });

  it('is told to the others with all they need: whose, until when, how often', () => {
    const { clock, ejector, lane, words } = worker(1, tableOf({ ...TWO, a: { urls: [A], release: 'r-1' } }));
    ejector.eject(lane(0, 0), 'failure-rate');
    clock.advance(5_000);
    ejector.eject(lane(0, 0), 'failure-rate');
    expect(words.at(-1)).toEqual({
      ...{ kind: 'ejection', at: 1_005_000, worker: 1, platform: 'a', origin: 'a/10.0.0.1:80' },
      ...{ application: 'shop', release: 'r-1', times: 2, reason: 'failure-rate', until: 1_015_000 },
    });
    ejector.readmitted(lane(0, 0));
    expect(words.at(-1)).toMatchObject({ reason: 'readmitted', until: 1_005_000, release: 'r-1' });
  });

  it('says whether other addresses of the name still serve', () => {
    const { ejector, lane, words } = worker(1, tableOf({ a: { urls: [NAMED] }, b: { urls: [B] } }));
    ejector.eject(lane(0, 0, 0), 'refused');
    ejector.eject(lane(0, 0, 1), 'refused');
    expect(words).toMatchObject([{ address: '10.1.0.1', partly: true }, { address: '10.1.0.2' }]);
    expect(words[1]).not.toHaveProperty('partly');
  });
});

describe('the word of another worker', () => {
  it('opens the same gates for the same time, and counts on from there', () => {
    const first = worker(1, twoApplications());
    const second = worker(2, twoApplications());
    for (let i = 0; i < 3; i += 1) {
      first.ejector.eject(first.lane(0, 0), 'consecutive-failures');
      first.clock.advance(50_000);
      second.clock.advance(50_000);
    }
    first.ejector.eject(first.lane(0, 0), 'consecutive-failures');
    second.hear(first.words.at(-1)!);
    expect([second.lane(0, 0).gate.times, second.lane(1, 0).gate.state]).toEqual([4, CLOSED]);
    expect(second.lane(0, 0).gate.until - second.clock.monotonic()).toBeCloseTo(20_000);
    expect(second.words).toEqual([]);
  });

  it('concerns one address and one release, if it says so', () => {
    const old = { release: 'r-1', share: 0.5 };
    const table = { ...tableOf({ a: { urls: [NAMED], ...old }, b: { urls: [B] } }) };
    const { lane, hear, clock } = worker(2, table);
    const word = {
      kind: 'ejection',
      at: clock.now(),
      worker: 1,
      platform: 'a',
      origin: 'a/shop.example.com:80',
    } as const;
    const until = clock.now() + 5_000;
    hear({ ...word, reason: 'consecutive-failures', application: 'shop', release: 'r-2', until });
    expect([lane(0, 0, 0).gate.state, lane(0, 0, 1).gate.state]).toEqual([CLOSED, CLOSED]);
    hear({
      ...word,
      reason: 'consecutive-failures',
      application: 'shop',
      release: 'r-1',
      address: '10.1.0.2',
      until,
    });
    expect([lane(0, 0, 0).gate.state, lane(0, 0, 1).gate.state]).toEqual([CLOSED, OPEN]);
  });

  it('that came before the table is taken over with it, in the order in which it was said', () => {
    const first = worker(1, twoApplications());
    first.ejector.eject(first.lane(0, 0), 'stall');
    first.ejector.readmitted(first.lane(0, 0));
    const late = worker(2, tableOf({}));
    for (const word of first.words) late.hear(word);
    late.clock.advance(1_000);
    late.swap(twoApplications());
    // Let in again by the first worker's trial for one application; the other one's is still to come.
    expect(late.lane(0, 0).gate.admits(late.clock.monotonic(), true)).toBe('trial');
    expect(late.lane(1, 0).gate.admits(late.clock.monotonic(), true)).toBe('no');
  });

  it('that came before the table and is over by then is forgotten', () => {
    const first = worker(1, tableOf(TWO));
    first.ejector.eject(first.lane(0, 0), 'stall');
    const late = worker(2, tableOf({}));
    for (const word of first.words) late.hear(word);
    late.clock.advance(20_000);
    late.swap(tableOf({ c: { urls: ['http://10.0.0.9'] } }));
    late.swap(tableOf(TWO));
    expect(late.lane(0, 0).gate.state).toBe(CLOSED);
  });

  it('is heard from a predecessor with our own number, and not from ourselves', () => {
    const clock = virtualClock(1_000_000);
    const dead = worker(1, tableOf(TWO), clock);
    dead.ejector.eject(dead.lane(0, 0), 'stall');
    clock.advance(10);
    const next = worker(1, tableOf(TWO), clock);
    for (const word of dead.words) next.hear(word);
    expect(next.lane(0, 0).gate.state).toBe(OPEN);
    next.ejector.eject(next.lane(0, 1), 'stall');
    const same = worker(1, tableOf(TWO), clock);
    same.hear({ ...dead.words[0]!, at: clock.now() });
    expect(same.lane(0, 0).gate.state).toBe(CLOSED);
  });

  it('does not take the last origin, whoever says so', () => {
    const { lane, hear, clock } = worker(2, tableOf({ a: { urls: [A] } }));
    const at = clock.now();
    hear({
      ...{ kind: 'ejection', at, worker: 1, platform: 'a', origin: 'a/10.0.0.1:80' },
      ...{ reason: 'refused', until: at + 5_000 },
    });
    expect(lane(0, 0).gate.state).toBe(CLOSED);
  });
});
