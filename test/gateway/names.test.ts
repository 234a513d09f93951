import https from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock, NameResolver } from '../../src/core/ports.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import type { EjectionSignal } from '../../src/core/signals.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import type { WireOrigin } from '../../src/gateway/wire.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { createFakeWire, type FakeClient, type Fate } from './fake-wire.ts';
import { ask, type Cleanup, httpOrigin, listen, silent, tableOf } from './harness.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const C = '10.0.0.3';
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

/** Name servers in memory: what a name stands for, or that nobody answers. */
class Names implements NameResolver {
  readonly records = new Map<string, readonly string[] | 'fails' | 'hangs'>();
  readonly asked: string[] = [];

  async resolve(name: string) {
    this.asked.push(name);
    const record = this.records.get(name) ?? 'fails';
    if (record === 'hangs') return new Promise<never>(() => undefined);
    if (record === 'fails') throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    return { addresses: record };
  }
}

const SETTINGS = {
  ...DEFAULT_GATEWAY,
  timeouts: { ...DEFAULT_GATEWAY.timeouts, dnsMs: 5_000 },
};
const GET = { method: 'GET', key: false, bodyBytes: 0, abortAt: undefined };

async function setUp(
  records: Record<string, readonly string[] | 'fails' | 'hangs'>,
  fate: (origin: WireOrigin) => Fate,
) {
  const clock: VirtualClock = virtualClock();
  const random = seededRandom(3);
  const names = new Names();
  for (const [name, record] of Object.entries(records)) names.records.set(name, record);
  const used: string[] = [];
  const retired: string[] = [];
  const wire = createFakeWire(clock, random, [], (origin) => {
    used.push(origin.hostname);
    return fate(origin);
  });
  wire.retire = ({ hostname }) => void retired.push(hostname);
  const gateway = createGateway({
    worker: 1,
    settings: SETTINGS,
    clock,
    random,
    logger: silent,
    wire,
    names,
    // Nobody is to open a socket to the addresses of these stories.
    probe: (_origin, _host, _timeoutMs, done) => done(true),
  });
  const ejections: EjectionSignal[] = [];
  const applied: number[] = [];
  const drained: number[] = [];
  gateway.onEjection((signal) => void ejections.push(signal));
  gateway.onApplied((version) => applied.push(version));
  gateway.onDrained((version) => drained.push(version));
  await gateway.start();
  function send(count = 1): FakeClient[] {
    const clients = Array.from({ length: count }, () => wire.send(GET));
    for (let i = 0; i < 10; i += 1) clock.advance(20);
    return clients;
  }
  async function swap(table: RoutingTable): Promise<RoutingTable> {
    gateway.swap(table);
    await settled();
    return table;
  }
  function close(): Promise<void> {
    const closing = gateway.close();
    clock.advance(60_000);
    return closing;
  }
  return {
    ...{ clock, names, used, retired, wire, gateway, ejections, applied, drained, send, swap, close },
  };
}

const ok = (): Fate => '200';
const NAMED = { urls: ['http://shop.example.com:8080'] };

describe('origins by name', () => {
  it('use every address of a name, and each is an origin of its own', async () => {
    const { send, swap, used, ejections, close } = await setUp(
      { 'shop.example.com': [A, B, 'fd00::1'] },
      ({ hostname }) => (hostname === B ? 'refused' : '200'),
    );
    await swap(tableOf({ a: NAMED }));
    const clients = send(60);
    expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 200));
    expect(new Set(used)).toEqual(new Set([A, B, 'fd00::1']));
    expect(ejections).toMatchObject([
      { origin: 'a/shop.example.com:8080', address: B, reason: 'refused', partly: true, times: 1 },
    ]);
    used.length = 0;
    send(30);
    expect(new Set(used)).toEqual(new Set([A, 'fd00::1']));
    await close();
  });

  it('are out as a whole when the last address is, and only if there is another platform', async () => {
    const { send, swap, ejections, close } = await setUp({ 'shop.example.com': [A, B] }, ({ id }) =>
      id.startsWith('a/') ? 'refused' : '200',
    );
    await swap(tableOf({ a: NAMED, b: { urls: ['http://10.1.0.1'], share: 0 } }));
    const clients = send(20);
    expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 200));
    expect(ejections.map(({ partly }) => partly)).toEqual([true, undefined]);
    await swap(tableOf({ a: { urls: ['http://alone.example.com'] } }));
    await close();
  });

  it('follow the name: new addresses are taken in, and requests on old ones run to their end', async () => {
    const { clock, names, used, retired, send, swap, wire, close, drained } = await setUp(
      { 'shop.example.com': [A] },
      ({ hostname }) => (hostname === A ? 'hang' : '200'),
    );
    await swap(tableOf({ a: NAMED }));
    const [waiting] = send();
    expect(used).toEqual([A]);
    names.records.set('shop.example.com', [B, C]);
    clock.advance(5_000);
    await settled();
    expect(retired).toEqual([A]);
    expect(send(20).every(({ status }) => status === 200)).toBe(true);
    expect(new Set(used.slice(1))).toEqual(new Set([B, C]));
    expect([waiting!.over, wire.open]).toEqual([false, 1]);
    // Nobody who waits for a table to drain waits for what only the name has left.
    const next = await swap(tableOf({ a: { ...NAMED, share: 0.5 } }));
    expect(drained.at(-1)).toBe(next.version);
    await close();
  });

  it('drain like others when the table lets go of a name that has moved on meanwhile', async () => {
    const { clock, names, send, swap, close, drained } = await setUp(
      { 'shop.example.com': [A] },
      ({ hostname }) => (hostname === A ? 'hang' : '200'),
    );
    await swap(tableOf({ a: NAMED }));
    const [waiting] = send();
    names.records.set('shop.example.com', [B]);
    clock.advance(5_000);
    await settled();
    expect(send()[0]?.status).toBe(200);
    const without = await swap(tableOf({ a: { urls: ['http://10.1.0.1'] } }));
    expect(drained).not.toContain(without.version);
    clock.advance(31_000);
    expect(waiting!.over).toBe(true);
    expect(drained).toContain(without.version);
    await close();
  });

  it('stay at their last good addresses while no name server answers', async () => {
    const { clock, names, used, send, swap, gateway, close } = await setUp({ 'shop.example.com': [A] }, ok);
    await swap(tableOf({ a: NAMED }));
    for (const outage of ['fails', 'hangs', 'fails'] as const) {
      names.records.set('shop.example.com', outage);
      clock.advance(120_000);
      await settled();
      expect(send(3).map(({ status }) => status)).toEqual([200, 200, 200]);
    }
    expect(new Set(used)).toEqual(new Set([A]));
    expect(gateway.metrics().names).toMatchObject({ failing: 1 });
    await close();
  });

  it('that nobody knows at the start hold nobody up, and serve once they are known', async () => {
    const { clock, names, used, send, swap, close, applied } = await setUp({}, ok);
    const table = await swap(tableOf({ a: NAMED, b: { urls: ['http://10.1.0.1'] } }));
    expect(applied).toEqual([table.version]);
    expect(send(10).every(({ status }) => status === 200)).toBe(true);
    expect(new Set(used)).toEqual(new Set(['10.1.0.1']));
    names.records.set('shop.example.com', [A]);
    clock.advance(60_000);
    await settled();
    send(40);
    expect(new Set(used)).toEqual(new Set(['10.1.0.1', A]));
    await close();
  });

  it('are looked up before they replace what serves; what cannot be looked up is waited for a second', async () => {
    const { clock, used, send, swap, gateway, close, applied } = await setUp(
      { 'shop.example.com': [A], 'slow.example.com': 'hangs' },
      ok,
    );
    const first = await swap(tableOf({ a: { urls: ['http://10.1.0.1'] } }));
    const second = tableOf({ a: NAMED });
    gateway.swap(second);
    // Not yet looked up: the old table serves.
    expect(applied).toEqual([first.version]);
    await settled();
    expect(applied).toEqual([first.version, second.version]);
    send();
    expect(used).toEqual([A]);
    const third = await swap(tableOf({ a: { urls: [...NAMED.urls, 'http://slow.example.com'] } }));
    expect(applied).not.toContain(third.version);
    clock.advance(1_000);
    expect(applied).toContain(third.version);
    expect(send(5).every(({ status }) => status === 200)).toBe(true);
    await close();
  });

  it('follow the newest table when one more comes during the wait', async () => {
    const { clock, swap, close, applied, used, send } = await setUp({ 'slow.example.com': 'hangs' }, ok);
    await swap(tableOf({ a: { urls: ['http://10.1.0.1'] } }));
    const second = await swap(tableOf({ a: { urls: ['http://slow.example.com'] } }));
    const third = await swap(tableOf({ a: { urls: ['http://10.1.0.2'] } }));
    clock.advance(5_000);
    expect(applied).not.toContain(second.version);
    expect(applied.at(-1)).toBe(third.version);
    send();
    expect(used).toEqual(['10.1.0.2']);
    await close();
  });

  it('are the only thing that is looked up: never an address, this machine, or what a client asks for', async () => {
    const { names, swap, send, close } = await setUp({ 'shop.example.com': [A] }, ok);
    const urls = ['http://10.1.0.1', 'http://[fd00::1]:80', 'http://localhost:1', 'https://shop.example.com'];
    await swap(tableOf({ a: { urls, hostHeader: 'public.example.com', sni: 'sni.example.com' } }));
    send(20);
    expect(names.asked).toEqual(['shop.example.com']);
    await close();
  });

  it('take over what was said of an address before it was known', async () => {
    const { names, clock, used, send, swap, gateway, close } = await setUp({}, ok);
    await swap(tableOf({ a: NAMED, b: { urls: ['http://10.1.0.1'], share: 0 } }));
    const at = clock.now();
    const word = {
      kind: 'ejection',
      at,
      worker: 2,
      platform: 'a',
      origin: 'a/shop.example.com:8080',
    } as const;
    gateway.applyEjection({ ...word, address: B, reason: 'stall', until: at + 60_000, times: 7 });
    gateway.applyEjection({ ...word, address: C, reason: 'refused', until: at + 500 });
    names.records.set('shop.example.com', [A, B, C]);
    clock.advance(4_000);
    await settled();
    send(40);
    expect(new Set(used)).toEqual(new Set([A, C]));
    await close();
  });
});

describe('an origin by name over a real wire', () => {
  const cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup.tasks.length = 0;
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  async function serve(table: RoutingTable, names: Names, clock: Clock = systemClock) {
    const settings = { ...DEFAULT_GATEWAY, listen: [{ host: '127.0.0.1', port: 0 }] };
    const wire = createHttp1Wire(settings, clock);
    const gateway = createGateway({
      worker: 1,
      settings,
      clock,
      random: seededRandom(1),
      logger: silent,
      wire,
      names,
    });
    await gateway.start();
    cleanup.tasks.unshift(() => gateway.close());
    gateway.swap(table);
    await settled();
    return gateway.ports[0]!;
  }

  it('must prove the name, whatever address it stands for', async () => {
    const { certificate: cert, key } = selfSignedCertificate(['shop.example.com']);
    const asked: unknown[] = [];
    const origin = https.createServer({ cert, key }, (request, response) => {
      asked.push(request.headers.host);
      response.end('secure');
    });
    origin.on('secureConnection', (socket) => asked.push(socket.servername));
    origin.on('tlsClientError', () => undefined);
    const port = await listen(origin);
    cleanup.tasks.push(() => {
      origin.closeAllConnections();
      return new Promise((resolve) => origin.close(resolve));
    });
    const names = new Names();
    names.records.set('shop.example.com', ['127.0.0.1']);
    names.records.set('other.example.com', ['127.0.0.1']);
    const table = (name: string) => tableOf({ a: { urls: [`https://${name}:${port}`], ca: cert } });
    const good = await serve(table('shop.example.com'), names);
    expect(await ask(good, { headers: { host: 'public.example.com' } })).toMatchObject({
      status: 200,
      body: 'secure',
    });
    expect(asked).toEqual(['shop.example.com', 'public.example.com']);
    const bad = await serve(table('other.example.com'), names);
    expect((await ask(bad)).status).toBe(503);
  });

  it('is not followed to where it sends clients', async () => {
    const inside = await httpOrigin(cleanup, (_request, response) => response.end('inside'));
    const origin = await httpOrigin(cleanup, (_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${inside.port}/` }).end();
    });
    const names = new Names();
    names.records.set('shop.example.com', ['127.0.0.1']);
    const port = await serve(tableOf({ a: { urls: [`http://shop.example.com:${origin.port}`] } }), names);
    expect((await ask(port)).status).toBe(302);
    expect(inside.seen).toEqual([]);
  });
});
