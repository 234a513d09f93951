import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OpenLines } from '../../src/core/ports.ts';
import type { RoutingTable, TableRoute } from '../../src/core/routing-table.ts';
import type { GatewaySettings } from '../../src/core/settings.ts';
import {
  ask,
  askRaw,
  type Cleanup,
  type CreateWire,
  closedPort,
  httpOrigin,
  rawOrigin,
  startGateway,
  type TargetWish,
  type TestGateway,
  type TestOrigin,
  tableOf,
  until,
} from './harness.ts';

interface Line {
  readonly [field: string]: unknown;
  readonly status: number;
  readonly flags: string;
}

/** What is remembered of clients and their requests: log lines, limits and sessions, over every wire. */
export function clientsSuite(name: string, createWire: CreateWire): void {
  describe(`what is remembered over the ${name} wire`, () => {
    let cleanup: Cleanup = { tasks: [] };
    let lines: string[] = [];

    beforeEach(() => {
      cleanup = { tasks: [] };
      lines = [];
    });
    afterEach(async () => {
      for (const task of cleanup.tasks) await task();
    });

    const named = (id: string): Promise<TestOrigin> =>
      httpOrigin(cleanup, (request, response) => {
        request.resume();
        request.on('end', () => response.end(id));
      });

    const openLines: OpenLines = async () => ({
      write: (line) => lines.push(line),
      reopen: () => undefined,
      close: async () => undefined,
    });

    function start(table: RoutingTable, change: Partial<GatewaySettings> = {}): Promise<TestGateway> {
      const accessLog = { format: 'json', file: '-' } as const;
      return startGateway(cleanup, createWire, table, () => ({ accessLog, ...change }), { openLines });
    }

    async function line(index = 0): Promise<Line> {
      await until(() => lines.length > index);
      return JSON.parse(lines[index]!);
    }

    describe('the access log', () => {
      it('has a line with everything about a request', async () => {
        const origin = await named('hello');
        const { port } = await start(tableOf({ cf: { urls: [origin.url], release: 'r-0123456789' } }));
        const answer = await ask(port, {
          method: 'POST',
          path: '/a?b=c&token=secret',
          headers: { host: 'shop.example', 'user-agent': 'test "1"', referer: 'https://a.example/' },
          body: 'four',
        });
        const { time, durationMs, ttfbMs, attempts, traceId, ...rest } = await line();
        expect(rest).toEqual({
          client: '127.0.0.1',
          method: 'POST',
          host: 'shop.example',
          path: '/a?b=c&token=***',
          protocol: 'HTTP/1.1',
          status: 200,
          bytes: 5,
          received: 4,
          application: 'shop',
          platform: 'cf',
          origin: `cf/127.0.0.1:${origin.port}`,
          release: 'r-0123456789',
          flags: '',
          requestId: answer.headers['x-request-id'],
          userAgent: 'test "1"',
          referer: 'https://a.example/',
        });
        expect(Math.abs(Date.now() - Date.parse(String(time)))).toBeLessThan(60_000);
        expect(durationMs).toBeGreaterThanOrEqual(Number(ttfbMs));
        expect(attempts).toEqual([
          { origin: `cf/127.0.0.1:${origin.port}`, outcome: 'ok', ms: expect.any(Number) },
        ]);
        expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      });

      it('tells each attempt, and that there was more than one', async () => {
        const origin = await named('b');
        const table = tableOf({
          a: { urls: [`http://127.0.0.1:${await closedPort()}`], share: 1 },
          b: { urls: [origin.url], share: 0, state: 'spare' },
        });
        const { port } = await start(table);
        await ask(port);
        const { platform, attempts, flags } = await line();
        expect(platform).toBe('b');
        expect(attempts).toMatchObject([{ outcome: 'connect' }, { outcome: 'ok' }]);
        // It was the first to find the origin dead, and so the first to leave it.
        expect(flags).toBe('EV');
      });

      it.each<[flags: string, status: number, targets: () => Promise<Record<string, TargetWish>>]>([
        ['UH', 503, async () => ({ a: { urls: [] } })],
        ['UF', 503, async () => ({ a: { urls: [`http://127.0.0.1:${await closedPort()}`] } })],
        [
          'UR',
          502,
          async () => ({
            a: {
              urls: [
                (await rawOrigin(cleanup, (socket) => void socket.once('data', () => socket.destroy()))).url,
              ],
            },
          }),
        ],
        [
          'UPE',
          502,
          async () => ({
            a: {
              urls: [
                (
                  await rawOrigin(
                    cleanup,
                    (socket) =>
                      void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nno colon\r\n\r\n')),
                  )
                ).url,
              ],
            },
          }),
        ],
      ])('says %s', async (flags, status, targets) => {
        const { port } = await start(tableOf(await targets()));
        await ask(port, { method: 'POST' });
        expect(await line()).toMatchObject({ flags, status });
      });

      it('says NR for an unknown host, LD for a loop and DPE for what is no request', async () => {
        const { port } = await start(tableOf({ a: { urls: [] } }, { host: 'shop.example' }));
        await ask(port);
        expect(await line(0)).toMatchObject({ status: 404, flags: 'NR' });
        expect(await line(0)).not.toHaveProperty('platform');
        const via = Array.from({ length: 10 }, () => '1.1 sluice').join(',');
        await ask(port, { headers: { via } });
        expect(await line(1)).toMatchObject({ status: 508, flags: 'LD' });
        await askRaw(port, 'GET / HTTP/1.1\r\nno colon\r\n\r\n');
        expect(await line(2)).toMatchObject({ status: 400, flags: 'DPE', client: '127.0.0.1' });
      });

      it('says UT when nobody answers in time', async () => {
        const silent = await rawOrigin(cleanup, () => undefined);
        const table = tableOf({ a: { urls: [silent.url] } });
        const { port } = await startGateway(
          cleanup,
          createWire,
          table,
          ({ timeouts }) => ({
            accessLog: { format: 'json', file: '-' },
            timeouts: { ...timeouts, headMs: 100 },
          }),
          { openLines },
        );
        expect((await ask(port, { method: 'POST' })).status).toBe(504);
        expect(await line()).toMatchObject({ status: 504, flags: 'UT', attempts: [{ outcome: 'timeout' }] });
      });

      it('says DC, and what was said until then, when the client goes away', async () => {
        const origin = await httpOrigin(cleanup, (_request, response) => void response.write('part'));
        const { port } = await start(tableOf({ a: { urls: [origin.url] } }));
        const socket = net.connect({ host: '127.0.0.1', port });
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
        await new Promise((resolve) => socket.once('data', resolve));
        socket.destroy();
        expect(await line()).toMatchObject({ status: 200, flags: 'DC', bytes: 4 });
      });

      it('says UR when the origin breaks off its answer', async () => {
        const origin = await rawOrigin(cleanup, (socket) => {
          socket.once('data', () => {
            socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart');
          });
        });
        const { port } = await start(tableOf({ a: { urls: [origin.url] } }));
        await expect(ask(port)).rejects.toThrow();
        expect(await line()).toMatchObject({ status: 200, flags: 'UR' });
      });

      it('follows changed settings, and is written to the end when the gateway stops', async () => {
        const origin = await named('a');
        const opened: string[] = [];
        const closed: string[] = [];
        const open: OpenLines = async (file) => {
          if (file === '/nowhere') throw new Error('no such folder');
          opened.push(file);
          return {
            write: (text) => lines.push(`${file} ${text}`),
            reopen: () => opened.push(`${file} again`),
            close: async () => void closed.push(file),
          };
        };
        const { gateway, port } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
          () => ({}),
          { openLines: open },
        );
        const settings = (file: string | undefined, base: GatewaySettings): GatewaySettings =>
          file === undefined ? base : { ...base, accessLog: { format: 'combined', file } };
        const { DEFAULT_GATEWAY } = await import('../../src/core/settings.ts');
        const base: GatewaySettings = { ...DEFAULT_GATEWAY, listen: [{ host: '127.0.0.1', port }] };
        await ask(port);
        await gateway.apply(settings('/one', base));
        await ask(port);
        await gateway.apply(settings('/one', base));
        await expect(gateway.apply(settings('/nowhere', base))).rejects.toThrow('no such folder');
        await ask(port);
        await gateway.apply(settings('/two', base));
        await ask(port);
        await until(() => lines.length === 3);
        expect(opened).toEqual(['/one', '/one again', '/two']);
        expect(lines.map((text) => text.slice(0, 4))).toEqual(['/one', '/one', '/two']);
        await gateway.close();
        expect(closed).toEqual(['/one', '/two']);
      });
    });

    it('counts requests, flags and latencies by platform', async () => {
      const origin = await named('a');
      const { gateway, port } = await start(tableOf({ cf: { urls: [origin.url] } }));
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      cleanup.tasks.unshift(() => agent.destroy());
      for (let i = 0; i < 3; i += 1) await ask(port, { agent });
      await ask(port, { method: 'TRACE', agent });
      await until(() => gateway.metrics().requests['4xx'] === 1);
      const { targets, flags, connections } = gateway.metrics();
      const cf = targets.find(({ platform }) => platform === 'cf');
      expect(cf).toMatchObject({ application: 'shop', classes: [0, 0, 3, 0, 0, 0], inFlight: 0 });
      expect(cf?.buckets.reduce((sum, count) => sum + count)).toBe(3);
      expect(cf?.sumMs).toBeGreaterThan(0);
      expect(targets.find(({ platform }) => platform === '')?.classes).toEqual([0, 0, 0, 0, 1, 0]);
      expect(flags).toMatchObject({ DPE: 1, DC: 0 });
      expect(connections.open).toBe(1);
      expect(connections.accepted).toBeGreaterThanOrEqual(1);
    });

    describe('rate limits', () => {
      const limited = (origin: TestOrigin, rateLimit: NonNullable<TableRoute['rateLimit']>): RoutingTable =>
        tableOf({ a: { urls: [origin.url] } }, { rateLimit });

      it('answers 429 beyond the burst and says when to come again', async () => {
        const origin = await named('a');
        const table = limited(origin, { rps: 0.01, burst: 2, by: 'address' });
        const { gateway, port } = await start(table);
        expect([(await ask(port)).status, (await ask(port)).status]).toEqual([200, 200]);
        const refused = await ask(port);
        expect(refused.status).toBe(429);
        const seconds = Number(refused.headers['retry-after']);
        expect(seconds).toBeGreaterThan(0);
        expect(seconds).toBeLessThanOrEqual(100);
        expect(await line(2)).toMatchObject({ status: 429, flags: 'RL', attempts: [] });
        expect(origin.seen).toHaveLength(2);
        // The same rule in the next table is the same bucket.
        gateway.swap({ ...table, version: table.version + 1_000 });
        expect((await ask(port)).status).toBe(429);
        gateway.swap(limited(origin, { rps: 0.01, burst: 3, by: 'address' }));
        expect((await ask(port)).status).toBe(200);
      });

      it('tells clients apart by what a trusted proxy says of them', async () => {
        const origin = await named('a');
        const { port } = await start(limited(origin, { rps: 0.01, burst: 1, by: 'address' }), {
          trustedProxies: ['127.0.0.1'],
        });
        const from = async (address: string): Promise<number> =>
          (await ask(port, { headers: { 'x-forwarded-for': address } })).status;
        expect(await from('192.0.2.1')).toBe(200);
        expect(await from('192.0.2.2')).toBe(200);
        expect(await from('192.0.2.1')).toBe(429);
        expect(await from('2001:db8::1')).toBe(200);
        expect(await from('2001:db8::ffff')).toBe(429);
      });

      it('tells clients apart by a field, and those without it by their address', async () => {
        const origin = await named('a');
        const { port } = await start(limited(origin, { rps: 0.01, burst: 1, by: { field: 'x-api-key' } }));
        const as = async (headers: Record<string, string>): Promise<number> =>
          (await ask(port, { headers })).status;
        expect(await as({ 'x-api-key': 'one' })).toBe(200);
        expect(await as({ 'X-API-Key': 'two' })).toBe(200);
        expect(await as({ 'x-api-key': 'one' })).toBe(429);
        expect(await as({})).toBe(200);
        expect(await as({})).toBe(429);
      });

      it('gives each worker its share', async () => {
        const origin = await named('a');
        const { port } = await start(limited(origin, { rps: 0.01, burst: 4, by: 'address' }), { workers: 2 });
        const statuses: number[] = [];
        for (let i = 0; i < 4; i += 1) statuses.push((await ask(port)).status);
        expect(statuses).toEqual([200, 200, 429, 429]);
      });
    });

    describe('sessions', () => {
      const sticky = (targets: Record<string, TargetWish>, path = '/'): RoutingTable =>
        tableOf(targets, { affinity: true, path });
      const cookieOf = (headers: http.IncomingHttpHeaders): string | undefined =>
        headers['set-cookie']?.[0]?.split(';')[0];

      it('stay on the platform that served them first', async () => {
        const [a, b] = [await named('a'), await named('b')];
        const table = sticky({ a: { urls: [a.url], share: 0.5 }, b: { urls: [b.url], share: 0.5 } });
        const { port } = await start(table, { affinityKey: 'k'.repeat(32) });
        const homes = new Set<string>();
        for (let i = 0; i < 12; i += 1) {
          const first = await ask(port);
          homes.add(first.body);
          const cookie = cookieOf(first.headers)!;
          expect(cookie).toMatch(new RegExp(`^sluice\\.affinity=${first.body}\\.`));
          for (let n = 0; n < 4; n += 1) {
            const next = await ask(port, { headers: { cookie: `x=1; ${cookie}` } });
            expect(next.body).toBe(first.body);
            expect(next.headers['set-cookie']).toBeUndefined();
          }
        }
        expect([...homes].sort()).toEqual(['a', 'b']);
      });

      it('are not told to the application', async () => {
        const origin = await httpOrigin(cleanup, (request, response) =>
          response.end(request.headers.cookie ?? 'none'),
        );
        const { port } = await start(sticky({ a: { urls: [origin.url] } }, '/app'));
        const first = await ask(port, { path: '/app/x' });
        expect(first.headers['set-cookie']?.[0]).toMatch(
          /^sluice\.affinity=a\.[\w-]{22}; Path=\/app; HttpOnly; SameSite=Lax$/,
        );
        const cookie = cookieOf(first.headers)!;
        expect((await ask(port, { path: '/app', headers: { cookie } })).body).toBe('none');
        expect((await ask(port, { path: '/app', headers: { cookie: `a=1; ${cookie}` } })).body).toBe('a=1');
      });

      it('are ignored and replaced when forged', async () => {
        const [a, b] = [await named('a'), await named('b')];
        const { port } = await start(
          sticky({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } }),
        );
        const cookie = `sluice.affinity=b.${'A'.repeat(22)}`;
        const answer = await ask(port, { headers: { cookie } });
        expect(answer.body).toBe('a');
        expect(cookieOf(answer.headers)).toMatch(/^sluice\.affinity=a\./);
        expect(await line()).toMatchObject({ flags: '' });
      });

      it('outlast a drain as long as the table keeps them, and then move with a new cookie', async () => {
        const [a, b] = [await named('a'), await named('b')];
        const targets = { a: { urls: [a.url] }, b: { urls: [b.url], share: 0 } };
        const { gateway, port } = await start(sticky(targets));
        const cookie = cookieOf((await ask(port)).headers)!;
        const asked = () => ask(port, { headers: { cookie } });
        const drained: TargetWish = { urls: [a.url], share: 0, state: 'draining' };
        gateway.swap(sticky({ a: { ...drained, keepsSessions: true }, b: { urls: [b.url] } }));
        expect((await ask(port)).body).toBe('b');
        const kept = await asked();
        expect([kept.body, kept.headers['set-cookie']]).toEqual(['a', undefined]);
        gateway.swap(sticky({ a: drained, b: { urls: [b.url] } }));
        const moved = await asked();
        expect(moved.body).toBe('b');
        expect(cookieOf(moved.headers)).toMatch(/^sluice\.affinity=b\./);
        await until(() => lines.length === 4);
        expect(lines.map((text) => JSON.parse(text).flags)).toEqual(['', '', '', 'AM']);
      });

      it('are given a place anew where the table says so, on the same platform too', async () => {
        const [a, b] = [await named('a'), await named('b')];
        const { gateway, port } = await start(
          sticky({ a: { urls: [a.url] }, b: { urls: [b.url], share: 0 } }),
        );
        const cookie = cookieOf((await ask(port)).headers)!;
        const leaving = { urls: [a.url], share: 0.01, movesSessions: true } as const;
        gateway.swap(sticky({ a: leaving, b: { urls: [b.url], share: 0.99 } }));
        const answers = await Promise.all(
          Array.from({ length: 40 }, () => ask(port, { headers: { cookie } })),
        );
        const moved = answers.filter(({ body }) => body === 'b');
        expect(moved.length).toBeGreaterThan(30);
        for (const { headers } of moved) expect(cookieOf(headers)).toMatch(/^sluice\.affinity=b\./);
        for (const { body, headers } of answers) if (body === 'a') expect(cookieOf(headers)).toBeUndefined();
      });

      it('are served elsewhere while their platform refuses, and come back to it', async () => {
        const b = await named('b');
        let up = true;
        const a = await httpOrigin(cleanup, (request, response) => {
          if (up) response.end('a');
          else request.socket.destroy();
        });
        const table = sticky({ a: { urls: [a.url] }, b: { urls: [b.url], share: 0, state: 'spare' } });
        const { port } = await start(table);
        const cookie = cookieOf((await ask(port)).headers)!;
        const asked = () => ask(port, { headers: { cookie } });
        up = false;
        const away = await asked();
        expect([away.status, away.body, away.headers['set-cookie']]).toEqual([200, 'b', undefined]);
        up = true;
        expect((await asked()).body).toBe('a');
      });

      it('try the other origins of their platform before another one', async () => {
        const b = await named('b');
        const sick = await httpOrigin(cleanup, (request) => request.socket.destroy());
        const well = await named('a');
        const table = sticky({ b: { urls: [b.url] }, a: { urls: [sick.url, well.url], share: 0.5 } });
        const { port } = await start(table, { affinityKey: 'k'.repeat(32) });
        const { AffinityCookies } = await import('../../src/gateway/affinity.ts');
        const { DEFAULT_GATEWAY } = await import('../../src/core/settings.ts');
        const made = new AffinityCookies({ ...DEFAULT_GATEWAY, affinityKey: 'k'.repeat(32) }, () => 0);
        const cookie = `sluice.affinity=${made.value('shop', 'a')}`;
        for (let i = 0; i < 8; i += 1) expect((await ask(port, { headers: { cookie } })).body).toBe('a');
        expect(b.seen).toEqual([]);
        expect(sick.seen.length).toBeGreaterThan(0);
      });

      it('are not bound to a platform by its errors', async () => {
        const origin = await httpOrigin(cleanup, (_request, response) => {
          response.writeHead(500);
          response.end();
        });
        const { port } = await start(sticky({ a: { urls: [origin.url] } }));
        expect((await ask(port)).headers['set-cookie']).toBeUndefined();
      });

      it('are kept on secure cookies where the client speaks TLS to a proxy of ours', async () => {
        const origin = await named('a');
        const { port } = await start(sticky({ a: { urls: [origin.url] } }), {
          trustedProxies: ['127.0.0.1'],
        });
        const answer = await ask(port, { headers: { 'x-forwarded-proto': 'https' } });
        expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
      });
    });
  });
}
