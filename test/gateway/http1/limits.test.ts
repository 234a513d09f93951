import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY, type LimitSettings, type TimeoutSettings } from '../../../src/core/settings.ts';
import { createGateway, type Gateway } from '../../../src/gateway/gateway.ts';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { type VirtualClock, virtualClock } from '../../../src/lib/virtual-clock.ts';
import {
  askRaw,
  type Cleanup,
  httpOrigin,
  rawOrigin,
  silent,
  type TestOrigin,
  tableOf,
  until,
} from '../harness.ts';

interface Bench {
  readonly gateway: Gateway;
  readonly clock: VirtualClock;
  readonly port: number;
  readonly said: readonly object[];
}

describe('limits of the http1 wire', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  async function gatewayTo(
    origin: TestOrigin,
    limits: Partial<LimitSettings> = {},
    timeouts: Partial<TimeoutSettings> = {},
  ): Promise<Bench> {
    const clock = virtualClock();
    const settings = {
      ...DEFAULT_GATEWAY,
      listen: [{ host: '127.0.0.1', port: 0 }],
      limits: { ...DEFAULT_GATEWAY.limits, ...limits },
      timeouts: { ...DEFAULT_GATEWAY.timeouts, drainMs: 0, ...timeouts },
    };
    const said: object[] = [];
    const gateway = createGateway({
      worker: 1,
      settings,
      clock,
      random: seededRandom(7),
      logger: { ...silent, debug: (fields: object) => void said.push(fields) },
      wire: createHttp1Wire(settings, clock, { poison: true }),
    });
    await gateway.start();
    cleanup.tasks.unshift(async () => {
      const closed = gateway.close();
      for (let i = 0; i < 40; i += 1) {
        clock.advance(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await closed;
    });
    gateway.swap(tableOf({ a: { urls: [origin.url] } }));
    return { gateway, clock, port: gateway.ports[0]!, said };
  }

  function connect(port: number): { socket: Socket; text: () => string } {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    cleanup.tasks.unshift(() => socket.destroy());
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    return { socket, text: () => text };
  }

  const served = (): Promise<TestOrigin> =>
    httpOrigin(cleanup, (request, response) => {
      request.resume();
      request.on('end', () => response.end('served'));
    });

  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';

  it.each<[string, Partial<LimitSettings>, string, number]>([
    ['a target over its limit', { targetBytes: 10 }, 'GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n', 414],
    ['a target without end', {}, `GET /${'x'.repeat(20_000)}`, 414],
    ['a field too many', { fields: 3 }, `${GET}A: 1\r\nB: 2\r\nC: 3\r\n\r\n`, 431],
    ['a head over its limit', { headBytes: 100 }, `${GET}X: ${'x'.repeat(100)}\r\n\r\n`, 431],
    ['a version we do not speak', {}, 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
    ['a coding we do not speak', {}, `${GET}Transfer-Encoding: gzip\r\n\r\n`, 501],
    ['a method we do not know', {}, 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['an expectation we cannot meet', {}, `${GET}Expect: tea\r\n\r\n`, 417],
    ['CONNECT', {}, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 405],
    ['TRACE', {}, 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 405],
    ['a body over its limit', { bodyBytes: 3 }, `${GET}Content-Length: 4\r\n\r\nabcd`, 413],
    ['a malformed chunk', {}, `${GET}Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n`, 400],
  ])('refuses %s in the words of every other refusal', async (_what, limits, bytes, status) => {
    const origin = await served();
    const { port, gateway, said } = await gatewayTo(origin, limits);
    const text = await askRaw(port, bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toMatch(/\r\nconnection: close\r\n/);
    expect(text).toMatch(/\r\ncontent-type: text\/plain; charset=utf-8\r\n/);
    expect(text).toMatch(/\r\ncache-control: no-store\r\n/);
    expect(text).toMatch(/\r\ndate: /);
    expect(text.split('\r\n\r\n')[1]).toMatch(/^[A-Z].*\.\n$/);
    expect(/\r\nallow: GET, /.test(text)).toBe(status === 405);
    expect(origin.seen).toEqual([]);
    await until(() => gateway.metrics().active === 0);
    expect(gateway.metrics().requests[status < 500 ? '4xx' : '5xx']).toBe(1);
    expect(said).toEqual([expect.objectContaining({ status })]);
  });

  it('takes exactly as much as the limits say', async () => {
    const { port } = await gatewayTo(await served(), { targetBytes: 10, fields: 3, bodyBytes: 4 });
    const text = await askRaw(
      port,
      'POST /123456789 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('answers 408 to a head that is not whole in time, counted from its first byte', async () => {
    const { port, clock, gateway } = await gatewayTo(await served(), { minRate: 0 }, { headerMs: 3_000 });
    const { socket, text } = connect(port);
    await until(() => !socket.connecting);
    // Silence before the first byte is a kept connection, not a slow head.
    clock.advance(20_000);
    socket.write(GET);
    await new Promise((resolve) => setTimeout(resolve, 400));
    clock.advance(2_800);
    socket.write('X: ');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(text()).toBe('');
    clock.advance(600);
    await until(() => socket.destroyed);
    expect(text()).toMatch(/^HTTP\/1\.1 408 [\s\S]*connection: close/);
    expect(gateway.metrics().requests['4xx']).toBe(1);
  });

  it('answers 408 to a head that comes too slowly', async () => {
    const { port, clock } = await gatewayTo(await served(), { minRate: 100 }, { headerMs: 60_000 });
    const slow = connect(port);
    const quick = connect(port);
    slow.socket.write(`${GET}X: `);
    quick.socket.write(`${GET}X: ${'x'.repeat(700)}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
    clock.advance(4_800);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(slow.text()).toBe('');
    clock.advance(800);
    await until(() => slow.socket.destroyed);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 /);
    expect(quick.text()).toBe('');
    quick.socket.write('\r\nConnection: close\r\n\r\n');
    await until(() => quick.text().includes('served'));
  });

  it('answers 408 to a body that comes too slowly, and ends the half request at the origin', async () => {
    const origin = await httpOrigin(cleanup, (request) => request.resume());
    const { port, clock, gateway, said } = await gatewayTo(origin, { minRate: 100 });
    const { socket, text } = connect(port);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\nslow');
    await until(() => origin.seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    clock.advance(4_800);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(text()).toBe('');
    clock.advance(800);
    await until(() => socket.destroyed && origin.sockets.size === 0);
    expect(text()).toMatch(/^HTTP\/1\.1 408 [\s\S]*connection: close/);
    expect(gateway.metrics().requests['4xx']).toBe(1);
    expect(said).toEqual([expect.objectContaining({ status: 408, why: 'a body too slow' })]);
  });

  it('does not blame a client for an origin that takes its time', async () => {
    let readOn = (): void => undefined;
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.on('end', () => socket.end());
      socket.once('data', () => {
        socket.pause();
        readOn = () => {
          socket.resume();
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
        };
      });
    });
    // More than the sockets in between hold, so that the client is kept waiting; and a rate it would need to meet.
    const { port, clock } = await gatewayTo(origin, { minRate: 50_000_000 }, { idleMs: 600_000 });
    const { socket, text } = connect(port);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    const piece = Buffer.alloc(1_000_000);
    for (let i = 0; i < 100; i += 1) socket.write(piece);
    let before = -1;
    while (before !== socket.bytesWritten - socket.writableLength) {
      before = socket.bytesWritten - socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(socket.writableLength).toBeGreaterThan(0);
    clock.advance(20_000);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(text()).toBe('');
    readOn();
    await until(() => text().endsWith('ok'));
  });

  it('lets a client talk slowly once it has been answered', async () => {
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.on('end', () => socket.end());
      socket.on('data', (chunk) => {
        const text = chunk.toString('latin1');
        if (text.startsWith('POST'))
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi!\r\n');
        if (text.includes('bye')) socket.write('0\r\n\r\n');
      });
    });
    const { port, clock } = await gatewayTo(origin);
    const { socket, text } = connect(port);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    await until(() => text().includes('hi!'));
    clock.advance(20_000);
    socket.write('3\r\nbye\r\n0\r\n\r\n');
    await until(() => text().endsWith('0\r\n\r\n'));
  });

  it('says connection: close with the last answer a connection may have', async () => {
    const { port } = await gatewayTo(await served(), { perConnection: 3 });
    const text = await askRaw(port, `${GET}\r\n`.repeat(5));
    const answers = text.split(/(?=HTTP\/1\.1 )/);
    expect(answers.map((answer) => /\r\nconnection: close\r\n/i.test(answer))).toEqual([false, false, true]);
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 200 '))).toBe(true);
  });

  it('gives up a client that reads nothing, without a word against the origin', async () => {
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.on('end', () => socket.destroy());
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n');
        const piece = Buffer.alloc(1_000_000, 'x');
        const push = (): void => {
          while (socket.writable && socket.write(piece));
        };
        socket.on('drain', push);
        push();
      });
    });
    const { port, clock, gateway } = await gatewayTo(origin, {}, { idleMs: 5_000 });
    const counts: unknown[] = [];
    gateway.onTraffic((signals) => counts.push(...signals.map((signal) => signal.counts)));
    const { socket } = connect(port);
    socket.pause();
    socket.write(`${GET}\r\n`);
    await until(() => origin.sockets.size === 1);
    const [to] = [...origin.sockets];
    let before = -1;
    while (before !== to!.bytesWritten - to!.writableLength || before === 0) {
      before = to!.bytesWritten - to!.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    clock.advance(4_500);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(gateway.metrics().active).toBe(1);
    clock.advance(1_000);
    await until(() => gateway.metrics().active === 0 && origin.sockets.size === 0);
    expect(gateway.metrics().requests.aborted).toBe(1);
    clock.advance(1_000);
    expect(counts).toContainEqual(expect.objectContaining({ aborted: 1, timeout: 0 }));
  });

  it('counts Max-Forwards of an OPTIONS down, and answers it where it ends', async () => {
    const origin = await httpOrigin(cleanup, (request, response) =>
      response.end(String(request.headers['max-forwards'])),
    );
    const { port } = await gatewayTo(origin);
    const options = (value: string): Promise<string> =>
      askRaw(
        port,
        `OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${value === '' ? '' : `Max-Forwards: ${value}\r\n`}\r\n`,
      );
    expect(await options('7')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n.*6/);
    expect(await options('')).toMatch(/undefined/);
    expect(origin.seen).toHaveLength(2);
    expect(await options('0')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nallow: GET, /);
    expect(await options('-1')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await options('1\r\nMax-Forwards: 5')).toMatch(/^HTTP\/1\.1 400 /);
    expect(origin.seen).toHaveLength(2);
    const get = await askRaw(port, `${GET}Max-Forwards: 3\r\nConnection: close\r\n\r\n`);
    expect(get).toMatch(/\r\n\r\n.*3/);
  });
});
