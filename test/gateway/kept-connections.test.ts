import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { type Cleanup, type CreateWire, rawOrigin, startGateway, tableOf, until } from './harness.ts';

const WIRES: readonly [string, CreateWire][] = [
  ['compat', createCompatWire],
  ['fast', createHttp1Wire],
];
const KEPT = 50;

/** A client on one connection that says what came. */
class Client {
  text = '';
  readonly #socket: Socket;

  constructor(cleanup: Cleanup, port: number) {
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    this.#socket.on('error', () => undefined);
    cleanup.tasks.unshift(() => void this.#socket.destroy());
  }

  ask(method: string): void {
    this.text = '';
    const body = method === 'POST' ? 'Content-Length: 4\r\n\r\nbody' : '\r\n';
    this.#socket.write(`${method} /${method} HTTP/1.1\r\nHost: a\r\n${body}`);
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.text)?.[1] ?? 0);
  }
}

/**
 * OpenShift's router closes every idle connection at each reload. The origin here holds back its first answers until
 * there are as many connections as clients, so that all of them are kept afterwards.
 */
describe.each(WIRES)(
  'connections that the origin closes while they are idle, over the %s wire',
  (_, createWire) => {
    let cleanup: Cleanup = { tasks: [] };

    beforeEach(() => {
      cleanup = { tasks: [] };
    });
    afterEach(async () => {
      for (const task of cleanup.tasks) await task();
    });

    async function setUp() {
      const kept = new Set<Socket>();
      const executed: string[] = [];
      const first: Socket[] = [];
      const answer = (socket: Socket): void => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      };
      const origin = await rawOrigin(cleanup, (socket) => {
        kept.add(socket);
        let text = '';
        socket.on('close', () => kept.delete(socket));
        socket.on('end', () => socket.end());
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          const isWhole = text.startsWith('POST') ? text.endsWith('body') : text.endsWith('\r\n\r\n');
          if (!isWhole) return;
          executed.push(text.split(' ', 1)[0] ?? '');
          text = '';
          if (first.length < KEPT && first.push(socket) === KEPT) first.forEach(answer);
          else if (executed.length > KEPT) answer(socket);
        });
      });
      const { port, ejections, traffic, gateway } = await startGateway(
        cleanup,
        createWire,
        tableOf({ a: { urls: [origin.url] }, b: { urls: ['http://127.0.0.1:1'], share: 0 } }),
        // Only the origin is to close them, however slow this machine is.
        (base) => ({ timeouts: { ...base.timeouts, upstreamKeepAliveMs: 60_000 } }),
      );
      const clients = Array.from({ length: KEPT }, () => new Client(cleanup, port));
      for (const client of clients) client.ask('GET');
      await until(() => clients.every(({ status }) => status === 200));
      expect(kept.size).toBe(KEPT);
      executed.length = 0;
      for (let i = 0; i < KEPT; i += 1) executed.push('');
      const counted = (): number =>
        traffic.reduce((sum, { counts }) => sum + counts.reset + counts.connect + counts.timeout, 0);
      return { kept, clients, executed, ejections, gateway, counted };
    }

    it.each([
      ['the end comes first', 'end-first'],
      ['the requests come first', 'requests-first'],
    ])('cost no request, whatever its method, when %s', async (_order, order) => {
      const { kept, clients, executed, ejections, counted } = await setUp();
      const methods = clients.map((_client, i) => (i % 2 === 0 ? 'GET' : 'POST'));
      const askAll = (): void => {
        for (const [i, client] of clients.entries()) client.ask(methods[i] ?? 'GET');
      };
      const closeAll = (): void => {
        for (const socket of kept) socket.destroy();
      };
      // Both happen before the gateway gets to see either.
      if (order === 'requests-first') askAll();
      closeAll();
      if (order === 'end-first') askAll();
      await until(() => clients.every(({ status }) => status !== 0));
      expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 200));
      expect(executed.filter((method) => method === 'POST')).toHaveLength(KEPT / 2);
      expect(ejections).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect(counted()).toBe(0);
    });

    it('cost no safe request when they end under it, and no unsafe one is sent twice', async () => {
      const { kept, clients, executed, ejections, counted } = await setUp();
      // The end comes as soon as the request has: nobody could have known.
      for (const socket of kept) {
        socket.removeAllListeners('data');
        socket.on('data', (chunk: Buffer) => {
          executed.push(chunk.toString('latin1').split(' ', 1)[0] ?? '');
          socket.destroy();
        });
      }
      for (const [i, client] of clients.entries()) client.ask(i % 2 === 0 ? 'GET' : 'POST');
      await until(() => clients.every(({ status }) => status !== 0));
      expect(clients.map(({ status }) => status)).toEqual(clients.map((_, i) => (i % 2 === 0 ? 200 : 502)));
      expect(executed.filter((method) => method === 'POST')).toHaveLength(KEPT / 2);
      expect(ejections).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect(counted()).toBe(0);
    });
  },
);
