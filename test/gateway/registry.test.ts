import { describe, expect, it } from '@jest/globals';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import { LaneRegistry } from '../../src/gateway/registry.ts';
import { tableOf } from './harness.ts';

const A = 'http://10.0.0.1:80';
const B = 'http://10.0.0.2:80';

function setUp(first: RoutingTable) {
  const retired: string[] = [];
  const names = new Map<string, readonly string[]>();
  const registry = new LaneRegistry({
    settings: DEFAULT_GATEWAY,
    random: () => 0.5,
    addresses: (name) => names.get(name) ?? [],
    retire: ({ key }) => retired.push(key),
  });
  return { registry, retired, names, compiled: registry.compile(first) };
}

describe('the registry of lanes', () => {
  it('keeps the lane of an origin that stays, with its ejection', () => {
    const { registry, compiled } = setUp(tableOf({ a: { urls: [A] }, b: { urls: [B] } }));
    const lane = compiled.routes[0]!.targets[0]!.lanes[0]!;
    lane.gate.open(0, 'refused');
    const next = registry.compile(tableOf({ a: { urls: [A], share: 0 }, b: { urls: [B] } }));
    expect(next.routes[0]!.targets[0]!.lanes[0]).toBe(lane);
    expect(registry.drained).toBe(true);
  });

  it('retires an origin that left, and is drained when its last exchange has ended', () => {
    const { registry, retired, compiled } = setUp(tableOf({ a: { urls: [A] } }));
    const lane = compiled.routes[0]!.targets[0]!.lanes[0]!;
    lane.gate.enter();
    lane.gate.enter();
    registry.compile(tableOf({ a: { urls: [B] } }));
    expect(retired).toEqual(['a/10.0.0.1:80 tcp ']);
    expect([registry.drained, registry.isLeaving(lane)]).toEqual([false, true]);
    lane.gate.leave(false);
    expect(registry.left(lane)).toBe(false);
    lane.gate.leave(false);
    expect(registry.left(lane)).toBe(true);
    expect(registry.drained).toBe(true);
  });

  it('is drained only when exchanges of before an absence have ended too', () => {
    const { registry, compiled } = setUp(tableOf({ a: { urls: [A] } }));
    const old = compiled.routes[0]!.targets[0]!.lanes[0]!;
    old.gate.enter();
    registry.compile(tableOf({ a: { urls: [B] } }));
    const back = registry.compile(tableOf({ a: { urls: [A] } })).routes[0]!.targets[0]!.lanes[0]!;
    expect(back).not.toBe(old);
    expect([...registry.lanes()]).toEqual([back, old]);
    old.gate.leave(false);
    expect(registry.left(old)).toBe(true);
  });

  it('tells two releases behind one router apart', () => {
    const first = tableOf({ a: { urls: [A], release: 'r-0000000001' } });
    const { registry, retired, compiled } = setUp(first);
    const old = compiled.routes[0]!.targets[0]!.lanes[0]!;
    old.gate.enter();
    const next = registry.compile(tableOf({ a: { urls: [A], release: 'r-0000000002' } }));
    const lane = next.routes[0]!.targets[0]!.lanes[0]!;
    expect(lane).not.toBe(old);
    // The address is the same: its connections stay.
    expect(lane.origin).toBe(old.origin);
    expect(retired).toEqual([]);
    expect(registry.drained).toBe(false);
  });

  it('makes an origin of each address of a name, and keeps those that stay with all they know', () => {
    const { registry, retired, names } = setUp(tableOf({}));
    const table = tableOf({ a: { urls: ['https://shop.example.com'], sni: 'sni.example.com' } });
    const lanes = () => registry.compile(table).routes[0]!.targets[0]!.lanes;
    expect(lanes()).toEqual([]);
    names.set('shop.example.com', ['10.0.0.1', 'fd00::1']);
    const [four, six] = lanes();
    expect([four?.origin.wire, six?.origin.wire]).toMatchObject([
      { hostname: '10.0.0.1', port: 443, sni: 'sni.example.com', id: 'a/shop.example.com' },
      { hostname: 'fd00::1', port: 443, sni: 'sni.example.com', id: 'a/shop.example.com' },
    ]);
    six!.gate.open(0, 'stall');
    names.set('shop.example.com', ['10.0.0.2', 'fd00::1']);
    const [other, same] = lanes();
    expect(same).toBe(six);
    expect(other).not.toBe(four);
    expect(retired).toEqual(['a/shop.example.com 10.0.0.1 tls sni.example.com']);
  });

  it('makes another origin of it when the platform is to be spoken to with another certificate', () => {
    const table = tableOf({ a: { urls: ['https://10.0.0.1'] } });
    const { registry, retired, compiled } = setUp(table);
    const before = compiled.routes[0]!.targets[0]!.lanes[0]!;
    const client = { cert: 'c', key: 'k' };
    registry.tune({ ...DEFAULT_GATEWAY, upstreamTls: { a: { client } } });
    const after = registry.compile(table).routes[0]!.targets[0]!.lanes[0]!;
    expect(after.origin).not.toBe(before.origin);
    expect(after.origin.wire.tls).toEqual({ client });
    expect(retired).toHaveLength(1);
    registry.tune({ ...DEFAULT_GATEWAY, upstreamTls: { a: { client: { ...client } }, b: {} } });
    expect(registry.compile(table).routes[0]!.targets[0]!.lanes[0]).toBe(after);
  });
});
