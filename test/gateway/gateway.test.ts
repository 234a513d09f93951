import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import type { EjectionSignal } from '../../src/core/signals.ts';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import {
  ask,
  type Cleanup,
  closedPort,
  httpOrigin,
  listen,
  silent,
  startGateway,
  type TestOrigin,
  tableOf,
  until,
} from './harness.ts';

describe('the gateway', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  const named = (id: string): Promise<TestOrigin> =>
    httpOrigin(cleanup, (request, response) => {
      request.resume();
      response.end(id);
    });

  const found = (origin: string, change: Partial<EjectionSignal> = {}): EjectionSignal => ({
    kind: 'ejection',
    at: Date.now(),
    worker: 2,
    platform: 'a',
    origin,
    reason: 'refused',
    until: Date.now() + 60_000,
    ...change,
  });

  it('does as another worker found, and tries again when that one succeeded', async () => {
    const a = await named('a');
    const b = await named('b');
    const table = tableOf({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } });
    const { gateway, port, ejections } = await startGateway(cleanup, createCompatWire, table);
    const origin = `a/127.0.0.1:${a.port}`;
    gateway.applyEjection(found(origin, { worker: 1 }));
    expect((await ask(port)).body).toBe('a');
    gateway.applyEjection(found(origin));
    expect((await ask(port)).body).toBe('b');
    expect(ejections).toEqual([]);
    gateway.applyEjection(found(origin, { reason: 'readmitted', until: Date.now() }));
    expect((await ask(port)).body).toBe('a');
  });

  it('keeps the last origin in, whoever says otherwise', async () => {
    const a = await named('a');
    const { gateway, port } = await startGateway(
      cleanup,
      createCompatWire,
      tableOf({ a: { urls: [a.url] } }),
    );
    gateway.applyEjection(found(`a/127.0.0.1:${a.port}`));
    expect((await ask(port)).body).toBe('a');
  });

  it('finds an ejected platform alive again when the other one freezes', async () => {
    let frozen = false;
    const a = await named('a');
    const b = await httpOrigin(cleanup, (_request, response) => {
      if (!frozen) response.end('b');
    });
    const table = tableOf({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } });
    const { gateway, port, ejections } = await startGateway(cleanup, createCompatWire, table);
    gateway.applyEjection(found(`a/127.0.0.1:${a.port}`));
    expect((await ask(port)).body).toBe('b');
    frozen = true;
    const answers = await Promise.all([ask(port), ask(port), ask(port)]);
    expect(answers.map(({ body }) => body)).toEqual(['a', 'a', 'a']);
    expect((await ask(port)).body).toBe('a');
    expect(ejections.map(({ reason }) => reason)).toContain('readmitted');
  });

  it('does not let one application close a shared router for another', async () => {
    const router = await httpOrigin(cleanup, (request, response) => {
      response.writeHead(request.headers.host === 'broken.test' ? 503 : 200).end();
    });
    const other = await named('other');
    const targets = { a: { urls: [router.url], share: 1 }, b: { urls: [other.url], share: 0 } };
    const broken = tableOf(targets, { application: 'broken', host: 'broken.test' });
    const fine = tableOf(targets, { application: 'fine', host: 'fine.test' });
    const table = { ...fine, routes: [...broken.routes, ...fine.routes] };
    const { port, ejections } = await startGateway(cleanup, createCompatWire, table);
    for (let i = 0; i < 8; i += 1) await ask(port, { headers: { host: 'broken.test' } });
    expect(ejections).toMatchObject([{ application: 'broken', reason: 'consecutive-failures' }]);
    const before = router.seen.length;
    for (let i = 0; i < 3; i += 1) await ask(port, { headers: { host: 'fine.test' } });
    expect(router.seen.length).toBe(before + 3);
  });

  it('ends tunnels and event streams of an origin that left the table after the drain time', async () => {
    const a = await httpOrigin(cleanup, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    const b = await named('b');
    const { gateway, port, drained } = await startGateway(
      cleanup,
      createCompatWire,
      tableOf({ a: { urls: [a.url] } }),
      (base) => ({ timeouts: { ...base.timeouts, drainMs: 200 } }),
    );
    const socket = net.connect({ host: '127.0.0.1', port });
    const began = new Promise((resolve) => socket.once('data', resolve));
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await began;
    const next = tableOf({ a: { urls: [b.url] } });
    gateway.swap(next);
    expect(drained).not.toContain(next.version);
    await ended;
    await until(() => drained.includes(next.version));
    expect((await ask(port)).body).toBe('b');
  });

  it('tells the log, and nobody else, why it answered itself', async () => {
    const lines: object[] = [];
    const dead = await closedPort();
    const gateway = createGateway({
      worker: 1,
      settings: { ...DEFAULT_GATEWAY, listen: [{ host: '127.0.0.1', port: 0 }] },
      clock: systemClock,
      random: seededRandom(1),
      logger: { ...silent, debug: (fields) => lines.push(fields) },
    });
    await gateway.start();
    cleanup.tasks.unshift(() => gateway.close());
    gateway.swap(tableOf({ a: { urls: [`http://127.0.0.1:${dead}`] } }));
    const answer = await ask(gateway.ports[0]!, {
      path: '/cart?token=secret',
      headers: { host: 'shop.test' },
    });
    expect(lines).toEqual([
      {
        status: 503,
        why: `refused: connect ECONNREFUSED 127.0.0.1:${dead}`,
        method: 'GET',
        host: 'shop.test',
        path: '/cart',
      },
    ]);
    expect(answer.body).not.toContain('127.0.0.1');
  });

  it('refuses to start on a taken port, and says so', async () => {
    const server = net.createServer();
    const taken = await listen(server);
    cleanup.tasks.push(() => new Promise((resolve) => server.close(resolve)));
    const settings = {
      ...DEFAULT_GATEWAY,
      listen: [
        { host: '127.0.0.1', port: await closedPort() },
        { host: '127.0.0.1', port: taken },
      ],
    };
    const gateway = createGateway({
      worker: 1,
      settings,
      clock: systemClock,
      random: seededRandom(1),
      logger: silent,
    });
    await expect(gateway.start()).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await gateway.close();
  });

  it('leaves no connection and no exchange behind when clients and origins come and go', async () => {
    const moody = (): Promise<TestOrigin> =>
      httpOrigin(cleanup, (request, response) => {
        request.resume();
        if (request.url === '/reset') response.destroy();
        else if (request.url === '/503') response.writeHead(503).end('no');
        else setTimeout(() => response.end('a'), 5);
      });
    const a = await moody();
    const b = await moody();
    const { gateway, port, traffic } = await startGateway(
      cleanup,
      createCompatWire,
      tableOf({ a: { urls: [a.url], share: 0.5 }, b: { urls: [b.url], share: 0.5 } }),
      (base) => ({
        timeouts: { ...base.timeouts, upstreamKeepAliveMs: 100 },
        ejection: { ...base.ejection, baseMs: 50 },
      }),
    );
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 200; i += 1) {
      if (i % 5 === 0) {
        const socket = net.connect({ host: '127.0.0.1', port });
        socket.on('error', () => undefined);
        const head = i % 2 === 0 ? 'GET / HTTP/1.1\r\n' : 'POST /503 HTTP/1.1\r\nContent-Length: 99999\r\n';
        socket.write(`${head}Host: x\r\n\r\n`, () => socket.resetAndDestroy());
        continue;
      }
      const path = ['/reset', '/503', '/', '/'][i % 4] ?? '/';
      const method = i % 3 === 0 ? 'POST' : 'GET';
      const body = method === 'POST' ? Buffer.alloc(i * 1_000) : '';
      all.push(ask(port, { path, method, body }).catch(() => undefined));
    }
    await Promise.all(all);
    await until(() => gateway.metrics().active === 0);
    await until(() => a.sockets.size === 0 && b.sockets.size === 0);
    // The report tells of every lane with something in flight.
    traffic.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(traffic.filter(({ inFlight }) => inFlight !== 0)).toEqual([]);
  });
});
