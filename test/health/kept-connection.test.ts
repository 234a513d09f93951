import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/core/ports.ts';
import { DEFAULT_HEALTH, type HealthSettings } from '../../src/core/settings.ts';
import { KeptConnection } from '../../src/health/kept-connection.ts';
import { createMonitor, type Monitor } from '../../src/health/monitor.ts';
import { createProbe, type ProbeTarget } from '../../src/health/probes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { silent } from '../support/scenario.ts';

const HEALTH: HealthSettings = { ...DEFAULT_HEALTH, path: '/healthz', everyMs: 500, timeoutMs: 10_000 };
const servers: net.Server[] = [];
const sockets = new Set<net.Socket>();
let lines: KeptConnection[] = [];
let laterMs = 0;
/** Timers run; what grows old does so only when a test says it. */
const clock: Clock = { ...systemClock, monotonic: () => laterMs };
const probe = createProbe({ clock });

/** The connections that came, oldest first, and an address. */
async function listen(server: net.Server, scheme = 'http'): Promise<{ url: string; came: net.Socket[] }> {
  const came: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => {
    came.push(socket);
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, came };
}

/** A server that answers the n-th request of the m-th connection with these bytes; undefined: not at all. */
function answering(answer: (request: number, connection: number) => string | undefined): net.Server {
  let connections = 0;
  return net.createServer((socket) => {
    const connection = ++connections;
    let requests = 0;
    socket.on('data', () => {
      const bytes = answer(++requests, connection);
      if (bytes !== undefined) socket.write(bytes);
    });
  });
}

async function gone(socket: net.Socket | undefined): Promise<void> {
  if (socket === undefined || socket.destroyed) return;
  await new Promise((resolve) => socket.once('close', resolve));
}

/** Somebody who asks this again and again. */
function asker(target: Partial<ProbeTarget> & { url: string }, health: Partial<HealthSettings> = {}) {
  const kept = new KeptConnection();
  lines.push(kept);
  return (more: Partial<ProbeTarget> = {}) =>
    probe({ hostHeader: 'shop.cf.test', ...target, ...more }, { ...HEALTH, ...health }, 'http', kept);
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

afterEach(() => {
  for (const line of lines) line.close();
  lines = [];
  laterMs = 0;
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

describe('a connection that is kept for health paths', () => {
  it('is asked four times, and told so with the last', async () => {
    const said: (string | undefined)[] = [];
    const { url, came } = await listen(
      http.createServer((request, response) => {
        said.push(request.headers.connection);
        response.end('ok');
      }),
    );
    const ask = asker({ url });
    for (let i = 0; i < 5; i++) expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(2);
    expect(said).toEqual(['keep-alive', 'keep-alive', 'keep-alive', 'close', 'keep-alive']);
  });

  it('is not asked any more after four seconds', async () => {
    const { url, came } = await listen(answering(() => OK));
    const ask = asker({ url });
    await ask();
    laterMs += 3_000;
    await ask();
    expect(came).toHaveLength(1);
    laterMs += 1_000;
    await ask();
    expect(came).toHaveLength(2);
  });

  it('is not kept at all where the next question comes too late for it', async () => {
    const said: (string | undefined)[] = [];
    const { url } = await listen(
      http.createServer((request, response) => {
        said.push(request.headers.connection);
        response.end();
      }),
    );
    await asker({ url }, { everyMs: 4_000 })();
    expect(said).toEqual(['close']);
  });

  it.each([
    ['another host', { hostHeader: 'other.cf.test' }],
    ['another server name', { sni: 'other.cf.test' }],
  ])('is not used for %s', async (_name, more) => {
    const { url, came } = await listen(answering(() => OK));
    const ask = asker({ url });
    await ask();
    await ask(more);
    await ask(more);
    expect(came).toHaveLength(2);
  });

  it('is for health paths only', async () => {
    const { url, came } = await listen(answering(() => OK));
    const kept = new KeptConnection();
    lines.push(kept);
    const target = { url, hostHeader: undefined };
    for (const kind of ['tcp', 'control', 'tcp', 'control', 'deep'] as const)
      expect(await probe(target, HEALTH, kind, kept)).toMatchObject({ ok: true });
    expect(came).toHaveLength(5);
  });

  it('shows a release that has changed', async () => {
    const { url, came } = await listen(
      answering((n) => `HTTP/1.1 200 OK\r\nx-release: r-${n}\r\ncontent-length: 0\r\n\r\n`),
    );
    const ask = asker({ url }, { release: { header: 'x-release' } });
    expect(await ask()).toMatchObject({ release: 'r-1' });
    expect(await ask()).toMatchObject({ release: 'r-2' });
    expect(came).toHaveLength(1);
  });

  it('still knows the days of the certificate that it was opened with', async () => {
    const { key, certificate: cert } = selfSignedCertificate(['localhost']);
    let connections = 0;
    const server = https.createServer({ key, cert }, (_request, response) => response.end('ok'));
    server.on('secureConnection', () => {
      connections += 1;
    });
    const { url } = await listen(server, 'https');
    const ask = asker({ url, sni: 'localhost', ca: cert });
    const first = await ask();
    const second = await ask();
    expect(first).toMatchObject({ ok: true, certificateDays: expect.any(Number) });
    expect(second).toMatchObject({ ok: true, certificateDays: first.certificateDays });
    expect(connections).toBe(1);
  });

  it('gathers no handlers', async () => {
    const { url } = await listen(answering(() => OK));
    const before: net.Socket[] = [];
    const connect = net.Socket.prototype.connect;
    net.Socket.prototype.connect = function watched(this: net.Socket, ...args: Parameters<typeof connect>) {
      before.push(this);
      return connect.apply(this, args);
    } as typeof connect;
    try {
      const ask = asker({ url });
      await ask();
      const [socket] = before;
      const counts = () =>
        ['data', 'end', 'error', 'close', 'drain'].map((name) => socket?.listenerCount(name));
      const once = counts();
      await ask();
      await ask();
      expect(before).toHaveLength(1);
      expect(counts()).toEqual(once);
    } finally {
      net.Socket.prototype.connect = connect;
    }
  });
});

describe('an answer after which the connection is kept', () => {
  it.each([
    ['with a length', OK],
    ['of status 204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['of status 304, whatever length it names', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n'],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    [
      'in chunks with a trailer',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nx-sum: 1\r\n\r\n',
    ],
    ['of an old server that says so', `HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n${OK.slice(17)}`],
    ['after an interim one', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${OK}`],
  ])('is one %s', async (_name, bytes) => {
    const { url, came } = await listen(answering(() => bytes));
    const ask = asker({ url }, { status: { from: 200, to: 399 } });
    for (let i = 0; i < 3; i++) expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(1);
  });

  it.each([
    ['says that it closes', `HTTP/1.1 200 OK\r\nconnection: close\r\n${OK.slice(17)}`],
    ['is of an old server', `HTTP/1.0 200 OK\r\n${OK.slice(17)}`],
    ['names no end', 'HTTP/1.1 200 OK\r\n\r\nok'],
    ['names two ends', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n${OK.slice(17)}`],
    ['goes on after its end', `${OK}more`],
    ['is not over', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok'],
    ['is not over, in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n'],
    ['is not well', 'HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n'],
  ])('is none that %s', async (_name, bytes) => {
    const { url, came } = await listen(answering(() => bytes));
    const ask = asker({ url }, { status: { from: 200, to: 200 } });
    const first = await ask();
    expect(first.ok).toBe(!bytes.includes('500'));
    expect(await ask()).toMatchObject({ ok: first.ok, detail: first.detail });
    expect(came).toHaveLength(2);
  });

  it('may come in pieces: its rest is read before the next question', async () => {
    const server = net.createServer((socket) => {
      socket.on('data', async () => {
        for (const piece of ['2\r\n', 'ok\r\n', '0\r\n\r\n']) {
          const head = piece.startsWith('2') ? 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' : '';
          socket.write(`${head}${piece}`);
          await systemClock.sleep(10);
        }
        server.emit('sent');
      });
    });
    const { url, came } = await listen(server);
    const ask = asker({ url });
    const sent = once(server, 'sent');
    await ask();
    await sent;
    expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(1);
  });

  it('has no body to wait for where its status allows none', async () => {
    const { url } = await listen(answering(() => 'HTTP/1.1 204 No Content\r\n\r\n'));
    const ask = asker({ url }, { body: { contains: 'ok' } });
    expect(await ask()).toMatchObject({ ok: false, detail: 'body does not match' });
  });

  it('is read to its end only within a bound', async () => {
    const server = answering(
      () => `HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(100_000)}`,
    );
    const { url, came } = await listen(server);
    const ask = asker({ url });
    expect(await ask()).toMatchObject({ ok: true });
    await gone(came[0]);
    expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(2);
  });
});

describe('a kept connection that ends', () => {
  it('between two questions is no failure', async () => {
    const { url, came } = await listen(answering(() => OK));
    const ask = asker({ url });
    await ask();
    came[0]?.end();
    await gone(came[0]);
    expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(2);
  });

  it.each([
    ['is closed', (socket: net.Socket) => socket.end()],
    ['is reset', (socket: net.Socket) => socket.resetAndDestroy()],
    [
      'says that nobody asked',
      (socket: net.Socket) => socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n'),
    ],
  ])('when it is asked, and %s, is no failure: a fresh one is asked at once', async (_name, close) => {
    const server = net.createServer((socket) => {
      let requests = 0;
      socket.on('data', () => (++requests === 1 ? socket.write(OK) : close(socket)));
    });
    const { url, came } = await listen(server);
    const ask = asker({ url });
    await ask();
    expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(2);
  });

  it('in the middle of an answer is one', async () => {
    const { url, came } = await listen(
      net.createServer((socket) => {
        let requests = 0;
        socket.on('data', () => (++requests === 1 ? socket.write(OK) : socket.end('HTTP/1.1 2')));
      }),
    );
    const ask = asker({ url });
    await ask();
    expect(await ask()).toMatchObject({ ok: false, detail: 'reset' });
    expect(came).toHaveLength(1);
  });

  it('ends for good when the fresh one does not answer either', async () => {
    const { url, came } = await listen(
      net.createServer((socket) => {
        const isFirst = came.length === 0 || came[0] === socket;
        let requests = 0;
        socket.on('data', () => (isFirst && ++requests === 1 ? socket.write(OK) : socket.resetAndDestroy()));
      }),
    );
    const ask = asker({ url });
    await ask();
    expect(await ask()).toMatchObject({ ok: false, detail: 'reset' });
    expect(came).toHaveLength(2);
  });

  it('may not say anything before it is asked', async () => {
    const { url, came } = await listen(answering(() => OK));
    const ask = asker({ url });
    await ask();
    came[0]?.write(OK);
    await gone(came[0]);
    expect(await ask()).toMatchObject({ ok: true });
    expect(came).toHaveLength(2);
  });
});

describe('behind a kept connection', () => {
  it('a router that froze is a failure, and the next question goes out on a fresh one', async () => {
    const { url, came } = await listen(
      answering((request, connection) => (connection === 1 && request === 2 ? undefined : OK)),
    );
    const kept = new KeptConnection();
    lines.push(kept);
    const ask = (timeoutMs: number) =>
      probe({ url, hostHeader: undefined }, { ...HEALTH, timeoutMs }, 'http', kept);
    expect(await ask(10_000)).toMatchObject({ ok: true });
    expect(await ask(50)).toMatchObject({ ok: false, detail: 'timeout' });
    expect(came).toHaveLength(1);
    expect(await ask(10_000)).toMatchObject({ ok: true });
    expect(came).toHaveLength(2);
  });

  it('a router that takes no new connections is noticed within four questions', async () => {
    const server = answering(() => OK);
    const { url } = await listen(server);
    const ask = asker({ url });
    expect(await ask()).toMatchObject({ ok: true });
    server.close();
    const found: string[] = [];
    for (let i = 0; i < 4; i++) found.push((await ask()).detail);
    expect(found).toEqual(['ok', 'ok', 'ok', 'refused']);
  });
});

describe('a connection that is doubted', () => {
  it('still gives the answer that is waited for, and is asked no more', async () => {
    const { url, came } = await listen(answering(() => OK));
    const kept = new KeptConnection();
    lines.push(kept);
    const ask = () => probe({ url, hostHeader: undefined }, HEALTH, 'http', kept);
    await ask();
    const waiting = ask();
    kept.doubt();
    expect(await waiting).toMatchObject({ ok: true });
    await ask();
    expect(came).toHaveLength(2);
    await ask();
    expect(came).toHaveLength(2);
  });
});

describe('who closes it', () => {
  it('hears that nothing comes any more, and leaves nothing open', async () => {
    const { url, came } = await listen(answering((request) => (request === 1 ? OK : undefined)));
    const kept = new KeptConnection();
    const target = { url, hostHeader: undefined };
    await probe(target, HEALTH, 'http', kept);
    const asked = probe(target, HEALTH, 'http', kept);
    kept.close();
    expect(await asked).toMatchObject({ ok: false, detail: 'closed' });
    await gone(came[0]);
    expect(await probe(target, HEALTH, 'http', kept)).toMatchObject({ ok: false });
    expect(came.filter(({ destroyed }) => !destroyed)).toHaveLength(0);
  });

  it.each([
    ['when the monitor leaves a target', (monitor: Monitor) => monitor.watch([])],
    ['when the monitor closes', (monitor: Monitor) => monitor.close()],
  ])('is done %s', async (_name, end) => {
    const { url, came } = await listen(answering(() => OK));
    const monitor = createMonitor({
      ...{ clock: systemClock, random: seededRandom(1), logger: silent, platforms: [] },
      probe: createProbe({ clock: systemClock }),
    });
    const answered = new Promise<void>((resolve) =>
      monitor.onSignal((signal) => signal.kind === 'probe' && signal.probe === 'http' && resolve()),
    );
    const origin = { application: 'shop', platform: 'cf', url, hostHeader: undefined, sni: undefined };
    monitor.watch([{ ...origin, health: { ...HEALTH, everyMs: 1_000 } }]);
    await monitor.start();
    await answered;
    await end(monitor);
    for (const socket of came) await gone(socket);
    expect(came.length).toBeGreaterThan(0);
    await monitor.close();
  });
});
