import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ask,
  askRaw,
  type Cleanup,
  type CreateWire,
  closedPort,
  httpOrigin,
  rawOrigin,
  startGateway,
  type TestOrigin,
  tableOf,
  until,
} from './harness.ts';

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = [
  'GET /ws HTTP/1.1',
  'Host: shop.example.com',
  'Connection: Upgrade',
  'Upgrade: websocket',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
  '',
  '',
].join('\r\n');

/** What two hops of sockets may hold by themselves: Linux grows a receive buffer to 32 MB where tcp_rmem says so. */
const MORE_THAN_KERNEL_BUFFERS = 96 * 1024 * 1024;

/** What every wire must do under the exchange: run once for each of them. */
export function exchangeSuite(name: string, createWire: CreateWire): void {
  describe(`the exchange over the ${name} wire`, () => {
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
        request.on('end', () => response.end(id));
      });

    describe('passes messages on', () => {
      it('keeps connections on both sides', async () => {
        const ports = new Set<number | undefined>();
        const origin = await httpOrigin(cleanup, (request, response) => {
          ports.add(request.socket.remotePort);
          response.end('ok');
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        cleanup.tasks.unshift(() => agent.destroy());
        const clients = new Set<number | undefined>();
        for (let i = 0; i < 5; i += 1) clients.add((await ask(port, { agent })).port);
        expect(ports.size).toBe(1);
        expect(clients.size).toBe(1);
      });

      it('streams both ways at once, chunk by chunk', async () => {
        const origin = await httpOrigin(cleanup, (request, response) => {
          response.writeHead(200);
          request.on('data', (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
          request.on('end', () => response.end('!'));
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const request = http.request({ host: '127.0.0.1', port, method: 'POST', agent: false });
        request.write('one');
        const response = await new Promise<http.IncomingMessage>((resolve) =>
          request.on('response', resolve),
        );
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        await until(() => text === 'ONE');
        request.write('two');
        await until(() => text === 'ONETWO');
        request.end();
        await until(() => text === 'ONETWO!');
        await until(() => response.complete);
      });

      it('holds an origin back while the client reads slowly', async () => {
        const size = MORE_THAN_KERNEL_BUFFERS;
        let sent = 0;
        const origin = await httpOrigin(cleanup, (_request, response) => {
          const chunk = Buffer.alloc(64 * 1024, 'x');
          response.writeHead(200, { 'content-length': size });
          const push = (): void => {
            while (sent < size) {
              sent += chunk.length;
              if (!response.write(chunk)) return void response.once('drain', push);
            }
            response.end();
          };
          push();
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const socket = net.connect({ host: '127.0.0.1', port });
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        socket.pause();
        let before = -1;
        while (before !== sent || sent === 0) {
          before = sent;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        // All of it would mean nobody held back.
        expect(sent).toBeLessThan(size);
        let received = 0;
        socket.on('data', (chunk) => {
          received += chunk.length;
        });
        socket.resume();
        await new Promise((resolve) => socket.on('close', resolve));
        expect(received).toBeGreaterThan(size);
      });

      it('holds a client back while the origin reads slowly, and loses nothing', async () => {
        const size = MORE_THAN_KERNEL_BUFFERS;
        let release: (() => void) | undefined;
        let received = 0;
        const origin = await httpOrigin(cleanup, (request, response) => {
          request.pause();
          release = () => {
            request.on('data', (chunk: Buffer) => {
              received += chunk.length;
            });
            request.on('end', () => response.end(String(received)));
            request.resume();
          };
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const answer = ask(port, { method: 'POST', body: Buffer.alloc(size, 'y') });
        await until(() => release !== undefined);
        await new Promise((resolve) => setTimeout(resolve, 100));
        release?.();
        expect((await answer).body).toBe(String(size));
      });

      it('cancels upstream when the client goes away', async () => {
        let cancelled = false;
        const origin = await httpOrigin(cleanup, (_request, response) => {
          response.on('close', () => {
            cancelled = true;
          });
        });
        const { port, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
        );
        const request = http.get({ host: '127.0.0.1', port, agent: false });
        request.on('error', () => undefined);
        await until(() => origin.seen.length === 1);
        request.destroy();
        await until(() => cancelled);
        await until(() => gateway.metrics().active === 0);
        expect(gateway.metrics().requests.aborted).toBe(1);
      });

      it('gives HEAD, 204 and 304 no body and keeps what they say of it', async () => {
        const origin = await httpOrigin(cleanup, (request, response) => {
          if (request.url === '/204') return response.writeHead(204).end();
          if (request.url === '/304') return response.writeHead(304, { etag: '"1"' }).end();
          return response.writeHead(200, { 'content-length': 1234 }).end();
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        cleanup.tasks.unshift(() => agent.destroy());
        const head = await ask(port, { method: 'HEAD', agent });
        expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '1234', '']);
        expect((await ask(port, { path: '/204', agent })).status).toBe(204);
        const notModified = await ask(port, { path: '/304', agent });
        expect([notModified.status, notModified.headers.etag, notModified.body]).toEqual([304, '"1"', '']);
      });

      it('passes chunked bodies and trailers on', async () => {
        const origin = await httpOrigin(cleanup, (request, response) => {
          const got: Buffer[] = [];
          request.on('data', (chunk: Buffer) => got.push(chunk));
          request.on('end', () => {
            response.writeHead(200, {
              trailer: 'x-sum',
              'x-coding': request.headers['transfer-encoding'] ?? 'none',
            });
            response.write(Buffer.concat(got));
            response.addTrailers({ 'x-sum': '42' });
            response.end();
          });
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const answer = await ask(port, {
          method: 'POST',
          headers: { 'transfer-encoding': 'chunked', te: 'trailers' },
          body: 'payload',
        });
        expect(answer.body).toBe('payload');
        expect(answer.headers['x-coding']).toBe('chunked');
        expect(answer.trailers['x-sum']).toBe('42');
      });

      it('answers 100-continue only once it will take the body', async () => {
        const origin = await named('done');
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const request = http.request({
          host: '127.0.0.1',
          port,
          method: 'POST',
          agent: false,
          headers: { expect: '100-continue', 'content-length': 4 },
        });
        request.flushHeaders();
        await new Promise<void>((resolve) => request.on('continue', resolve));
        request.end('body');
        const response = await new Promise<http.IncomingMessage>((resolve) =>
          request.on('response', resolve),
        );
        response.resume();
        expect(response.statusCode).toBe(200);
      });

      it('does not buffer server-sent events', async () => {
        let send: ((text: string) => void) | undefined;
        const origin = await httpOrigin(cleanup, (_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.flushHeaders();
          send = (text) => void response.write(text);
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const request = http.get({ host: '127.0.0.1', port, agent: false });
        request.on('error', () => undefined);
        const response = await new Promise<http.IncomingMessage>((resolve) =>
          request.on('response', resolve),
        );
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('error', () => undefined);
        send?.('data: 1\n\n');
        await until(() => text === 'data: 1\n\n');
        request.destroy();
      });

      it('ends a cut answer as an abort, never as a clean end', async () => {
        const origin = await rawOrigin(cleanup, (socket) => {
          socket.once('data', (request) => {
            const chunked = request.toString().includes('/chunked');
            socket.write(
              chunked
                ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
                : 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello',
            );
            setTimeout(() => socket.destroy(), 20);
          });
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        await expect(ask(port, { path: '/length' })).rejects.toThrow();
        await expect(ask(port, { path: '/chunked' })).rejects.toThrow();
        expect(await askRaw(port, 'GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n')).not.toMatch(/\r\n0\r\n\r\n$/);
      });
    });

    describe('rewrites heads', () => {
      const echo = (): Promise<TestOrigin> =>
        httpOrigin(cleanup, (request, response) => response.end(JSON.stringify(request.headers)));

      it('drops hop-by-hop fields and those Connection names', async () => {
        const origin = await echo();
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const { body } = await ask(port, {
          headers: {
            connection: 'close, x-mine',
            'x-mine': '1',
            'keep-alive': 'timeout=5',
            'proxy-authorization': 'Basic x',
            te: 'gzip',
            'x-cf-app-instance': 'guid:0',
            'x-forwarded-client-cert': 'forged',
            'x-kept': 'yes',
          },
        });
        const seen = JSON.parse(body);
        for (const gone of [
          'x-mine',
          'keep-alive',
          'proxy-authorization',
          'te',
          'x-cf-app-instance',
          'x-forwarded-client-cert',
        ]) {
          expect(seen).not.toHaveProperty(gone);
        }
        expect(seen['x-kept']).toBe('yes');
        expect(seen.via).toMatch(/^1\.1 sluice-[0-9a-f]{8}$/);
      });

      it('says itself who the client is, and believes only trusted proxies', async () => {
        const origin = await echo();
        const table = tableOf({ a: { urls: [origin.url] } });
        const forged = {
          host: 'shop.example.com',
          'x-forwarded-for': '6.6.6.6',
          'x-forwarded-proto': 'https',
          x_forwarded_for: '7.7.7.7',
          forwarded: 'for=6.6.6.6',
        };
        const open = await startGateway(cleanup, createWire, table);
        const seen = JSON.parse((await ask(open.port, { headers: forged })).body);
        expect(seen['x-forwarded-for']).toBe('127.0.0.1');
        expect(seen['x-forwarded-proto']).toBe('http');
        expect(seen['x-forwarded-host']).toBe('shop.example.com');
        expect(seen['x-forwarded-port']).toBe(String(open.port));
        expect(seen).not.toHaveProperty('forwarded');
        expect(seen).not.toHaveProperty('x_forwarded_for');

        const behind = await startGateway(cleanup, createWire, table, () => ({
          trustedProxies: ['127.0.0.0/8'],
        }));
        const trusted = JSON.parse((await ask(behind.port, { headers: forged })).body);
        expect(trusted['x-forwarded-for']).toBe('6.6.6.6, 127.0.0.1');
        expect(trusted['x-forwarded-proto']).toBe('https');
      });

      it("sends the target's Host and puts the public one back into Location and cookies", async () => {
        const origin = await httpOrigin(cleanup, (request, response) => {
          response.writeHead(302, {
            location: `https://${request.headers.host}/next?x=1`,
            'set-cookie': ['sid=1; Path=/; Domain=apps.cf.test; Secure', 'plain=1'],
          });
          response.end(request.headers.host);
        });
        const table = tableOf(
          { a: { urls: [origin.url], hostHeader: 'shop.apps.cf.test' } },
          { publicHost: 'rewrite' },
        );
        const { port } = await startGateway(cleanup, createWire, table);
        const answer = await ask(port, { headers: { host: 'www.shop.example:8080' } });
        expect(answer.body).toBe('shop.apps.cf.test');
        expect(answer.headers.location).toBe('http://www.shop.example:8080/next?x=1');
        expect(answer.headers['set-cookie']).toEqual([
          'sid=1; Path=/; Domain=www.shop.example; Secure',
          'plain=1',
        ]);
      });
    });

    describe('tunnels upgrades', () => {
      const accept = createHash('sha1')
        .update(KEY + WEBSOCKET_GUID)
        .digest('base64');
      const echoSocket = (answer = accept): Promise<TestOrigin> =>
        httpOrigin(
          cleanup,
          (_request, response) => response.writeHead(426).end('no'),
          (server) =>
            server.on('upgrade', (request, socket) => {
              socket.on('error', () => undefined);
              if (request.url === '/refuse') {
                socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
                return;
              }
              socket.write(
                `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${answer}\r\n\r\n`,
              );
              socket.on('data', (chunk) => socket.write(chunk));
              // The other half stays open until everything has been said.
              socket.on('end', () => socket.end('bye'));
            }),
        );

      it('echoes bytes and closes each half on its own', async () => {
        const origin = await echoSocket();
        const { port, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
        );
        const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
        });
        socket.write(HANDSHAKE);
        await until(() => text.includes('\r\n\r\n'));
        expect(text).toMatch(/^HTTP\/1\.1 101 /);
        expect(gateway.metrics().upgrades).toBe(1);
        text = '';
        socket.write('ping');
        await until(() => text === 'ping');
        socket.end();
        await until(() => text === 'pingbye');
        await until(() => gateway.metrics().upgrades === 0);
        expect(gateway.metrics().requests['1xx']).toBe(1);
      });

      it('passes a refusal on and closes', async () => {
        const origin = await echoSocket();
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const text = await askRaw(port, HANDSHAKE.replace('/ws', '/refuse'));
        expect(text).toMatch(/^HTTP\/1\.1 403 /);
        expect(text).toMatch(/no$/);
      });

      it('does not believe a 101 that proves nothing', async () => {
        const origin = await echoSocket('AAAA');
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        expect(await askRaw(port, HANDSHAKE)).toMatch(/^HTTP\/1\.1 502 /);
      });

      it('takes another platform when the first refuses the connection', async () => {
        const origin = await echoSocket();
        const dead = `http://127.0.0.1:${await closedPort()}`;
        const table = tableOf({ a: { urls: [dead], share: 1 }, b: { urls: [origin.url], share: 0 } });
        const { port } = await startGateway(cleanup, createWire, table);
        const socket = net.connect({ host: '127.0.0.1', port });
        const first = new Promise<string>((resolve) =>
          socket.once('data', (chunk) => resolve(chunk.toString())),
        );
        socket.write(HANDSHAKE);
        expect(await first).toMatch(/^HTTP\/1\.1 101 /);
        socket.destroy();
      });

      it('survives both ends dying at any moment', async () => {
        const origin = await echoSocket();
        const { port, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
        );
        for (let i = 0; i < 10; i += 1) {
          const socket = net.connect({ host: '127.0.0.1', port });
          socket.on('error', () => undefined);
          socket.write(HANDSHAKE);
          if (i % 2 === 0) await new Promise((resolve) => socket.once('data', resolve));
          if (i % 3 === 0) for (const other of origin.sockets) other.resetAndDestroy();
          socket.resetAndDestroy();
        }
        await until(() => gateway.metrics().active === 0);
        expect((await ask(port)).status).toBe(426);
      });

      it('notices a client that goes away before the switch', async () => {
        const origin = await rawOrigin(cleanup, (socket) =>
          socket.resume().on('end', () => socket.destroy()),
        );
        const { port, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
        );
        const socket = net.connect({ host: '127.0.0.1', port });
        socket.on('error', () => undefined);
        socket.write(HANDSHAKE);
        await until(() => origin.sockets.size === 1);
        socket.resetAndDestroy();
        await until(() => gateway.metrics().active === 0);
        await until(() => origin.sockets.size === 0);
      });

      it('ignores an offer of another protocol and serves the request', async () => {
        const origin = await named('plain');
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const text = await askRaw(
          port,
          'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nContent-Length: 4\r\n\r\nbody',
        );
        expect(text).toMatch(/^HTTP\/1\.1 200 /);
        expect(text).toContain('plain');
      });
    });

    describe('fails over', () => {
      const half = { share: 0.5 };

      it('sends any method elsewhere when the connection is refused', async () => {
        const alive = await named('b');
        const dead = `http://127.0.0.1:${await closedPort()}`;
        const table = tableOf({ a: { urls: [dead], share: 1 }, b: { urls: [alive.url], share: 0 } });
        const { port, ejections } = await startGateway(cleanup, createWire, table);
        const answer = await ask(port, { method: 'POST', body: 'order' });
        expect([answer.status, answer.body]).toEqual([200, 'b']);
        expect(ejections.map(({ reason }) => reason)).toEqual(['refused']);
        expect((await ask(port)).body).toBe('b');
        expect(ejections).toHaveLength(1);
      });

      it('sends a body again that had been taken in before the refusal', async () => {
        const got: string[] = [];
        const alive = await httpOrigin(cleanup, (request, response) => {
          request.on('data', (chunk: Buffer) => got.push(chunk.toString()));
          request.on('end', () => response.end());
        });
        const dead = `http://127.0.0.1:${await closedPort()}`;
        const table = tableOf({ a: { urls: [dead], share: 1 }, b: { urls: [alive.url], share: 0 } });
        const { port } = await startGateway(cleanup, createWire, table);
        const body = 'z'.repeat(300_000);
        expect((await ask(port, { method: 'PUT', body })).status).toBe(200);
        expect(got.join('')).toBe(body);
      });

      it('sends any method elsewhere when TLS fails', async () => {
        const plain = await named('a');
        const alive = await named('b');
        const table = tableOf({
          a: { urls: [plain.url.replace('http:', 'https:')], share: 1 },
          b: { urls: [alive.url], share: 0 },
        });
        const { port, ejections } = await startGateway(cleanup, createWire, table);
        expect((await ask(port, { method: 'POST', body: 'order' })).body).toBe('b');
        expect(ejections.map(({ reason }) => reason)).toEqual(['tls']);
        expect(plain.seen).toEqual([]);
      });

      it('never sends a POST again once it was delivered', async () => {
        let delivered = 0;
        const broken = await rawOrigin(cleanup, (socket) => {
          socket.once('data', () => {
            delivered += 1;
            socket.resetAndDestroy();
          });
        });
        const other = await named('b');
        const table = tableOf({ a: { urls: [broken.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port } = await startGateway(cleanup, createWire, table);
        expect((await ask(port, { method: 'POST', body: 'order' })).status).toBe(502);
        expect(delivered).toBe(1);
        expect(other.seen).toEqual([]);
      });

      it('sends a GET again after a reset', async () => {
        const broken = await rawOrigin(cleanup, (socket) =>
          socket.once('data', () => socket.resetAndDestroy()),
        );
        const other = await named('b');
        const table = tableOf({ a: { urls: [broken.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port, gateway } = await startGateway(cleanup, createWire, table);
        expect((await ask(port)).body).toBe('b');
        expect(gateway.metrics().replays).toBe(1);
      });

      it.each([502, 503, 504])('sends a GET elsewhere after a %i, and a POST not', async (status) => {
        const broken = await httpOrigin(cleanup, (request, response) => {
          request.resume();
          response.writeHead(status).end('broken');
        });
        const other = await named('b');
        const table = tableOf({ a: { urls: [broken.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port } = await startGateway(cleanup, createWire, table);
        expect((await ask(port)).body).toBe('b');
        const post = await ask(port, { method: 'POST', body: 'order' });
        expect([post.status, post.body]).toEqual([status, 'broken']);
        expect(other.seen).toEqual(['GET /']);
      });

      it.each([
        [404, 'unknown_route'],
        [503, 'no_endpoints'],
      ])('takes %i with X-Cf-RouterError %s as proof that nobody got even a POST', async (status, error) => {
        const router = await httpOrigin(cleanup, (request, response) => {
          request.resume();
          response.writeHead(status, { 'x-cf-routererror': error }).end('router');
        });
        const other = await named('b');
        const table = tableOf({ a: { urls: [router.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port } = await startGateway(cleanup, createWire, table);
        expect((await ask(port, { method: 'POST', body: 'order' })).body).toBe('b');
      });

      it("relays the platform's own answer when nothing better is left", async () => {
        const only = await httpOrigin(cleanup, (_request, response) => {
          response.writeHead(503, { 'x-cf-routererror': 'no_endpoints' }).end('router says no');
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [only.url] } }));
        const answer = await ask(port);
        expect([answer.status, answer.body]).toEqual([503, 'router says no']);
      });

      it("does not replay an application's own 500", async () => {
        const broken = await httpOrigin(cleanup, (_request, response) => response.writeHead(500).end('mine'));
        const other = await named('b');
        const table = tableOf({ a: { urls: [broken.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port } = await startGateway(cleanup, createWire, table);
        expect((await ask(port)).status).toBe(500);
        expect(other.seen).toEqual([]);
      });

      it('takes a fresh connection when a kept one was closed under the request, without blame', async () => {
        let requests = 0;
        const origin = await rawOrigin(cleanup, (socket) => {
          let first = true;
          socket.on('data', () => {
            requests += 1;
            // The second request on a connection meets a server that has just decided to close it.
            if (first) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
            else socket.destroy();
            first = false;
          });
        });
        const { port, ejections, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({
            a: { urls: [origin.url] },
            b: { urls: [origin.url.replace('127.0.0.1', 'localhost')], share: 0 },
          }),
        );
        for (let i = 0; i < 4; i += 1) expect((await ask(port)).body).toBe('ok');
        expect(requests).toBeGreaterThan(4);
        expect(ejections).toEqual([]);
        expect(gateway.metrics().replays).toBeGreaterThan(0);
      });

      it('answers 502 to a POST whose kept connection was closed, and sends it once', async () => {
        let posts = 0;
        const origin = await rawOrigin(cleanup, (socket) => {
          socket.on('data', (chunk) => {
            if (!chunk.toString().startsWith('POST')) {
              socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
              return;
            }
            posts += 1;
            socket.destroy();
          });
        });
        const { port, ejections } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
        );
        await ask(port);
        expect((await ask(port, { method: 'POST', headers: { 'content-length': 0 } })).status).toBe(502);
        expect(posts).toBe(1);
        expect(ejections).toEqual([]);
      });

      it('answers 503 with Retry-After and names nothing of the inside when all are down', async () => {
        const ports = [await closedPort(), await closedPort()];
        const table = tableOf({
          a: { urls: [`http://127.0.0.1:${ports[0]}`], ...half },
          b: { urls: [`http://127.0.0.1:${ports[1]}`], ...half },
        });
        const { port } = await startGateway(cleanup, createWire, table);
        for (let i = 0; i < 3; i += 1) {
          const answer = await ask(port, { headers: { accept: 'application/json' } });
          expect(answer.status).toBe(503);
          expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
          expect(JSON.parse(answer.body).status).toBe(503);
          expect(JSON.stringify(answer.rawHeaders) + answer.body).not.toMatch(/127\.0\.0\.1|ECONN/);
        }
      });

      it('knows no application under a foreign host', async () => {
        const origin = await named('a');
        const { port } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }, { host: 'shop.example.com', path: '/shop' }),
        );
        const status = async (host: string, path: string): Promise<number> =>
          (await ask(port, { headers: { host }, path })).status;
        expect(await status('Shop.Example.com:8080', '/shop/1?x')).toBe(200);
        expect(await status('shop.example.com', '/shopping')).toBe(404);
        expect(await status('other.example.com', '/shop')).toBe(404);
      });

      it('answers 504 when nobody answers in time', async () => {
        const origin = await httpOrigin(cleanup, () => undefined);
        const { port } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
          (base) => ({
            timeouts: { ...base.timeouts, headMs: 300 },
          }),
        );
        expect((await ask(port)).status).toBe(504);
      });

      it('gives a platform that came back one trial, and everybody after it', async () => {
        let broken = true;
        let trials = 0;
        let answerTrial: (() => void) | undefined;
        const a = await httpOrigin(cleanup, (request, response) => {
          // A trial that waits long may be asked after on a connection of its own.
          if (request.method === 'HEAD') return void response.end();
          if (broken) return void response.destroy();
          trials += 1;
          if (trials > 1) response.end('a');
          else answerTrial = () => void response.end('a');
        });
        const b = await named('b');
        const table = tableOf({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } });
        const { port, ejections } = await startGateway(cleanup, createWire, table, (base) => ({
          ejection: { ...base.ejection, consecutive: 2, baseMs: 200, windowMs: 60_000 },
        }));
        while (ejections.length === 0) await ask(port);
        broken = false;
        await until(() => {
          void ask(port).catch(() => undefined);
          return answerTrial !== undefined;
        });
        const during = await Promise.all(Array.from({ length: 10 }, () => ask(port)));
        expect(during.map(({ body }) => body)).toEqual(Array(10).fill('b'));
        expect(trials).toBe(1);
        answerTrial?.();
        await until(() => ejections.some(({ reason }) => reason === 'readmitted'));
        expect((await ask(port)).body).toBe('a');
      });

      it('keeps replays within the budget and lets the rest wait their turn', async () => {
        let running = 0;
        let most = 0;
        const broken = await httpOrigin(cleanup, (_request, response) => response.writeHead(503).end());
        const slow = await httpOrigin(cleanup, (_request, response) => {
          running += 1;
          most = Math.max(most, running);
          setTimeout(() => {
            running -= 1;
            response.end('b');
          }, 30);
        });
        const table = tableOf({ a: { urls: [broken.url], share: 1 }, b: { urls: [slow.url], share: 0 } });
        const { port, gateway } = await startGateway(cleanup, createWire, table, (base) => ({
          // Never ejected here, so that only the budget is at work.
          ejection: { ...base.ejection, consecutive: 1_000, minRequests: 1_000 },
          retryBudget: { ratio: 0, min: 2 },
        }));
        const answers = await Promise.all(Array.from({ length: 12 }, () => ask(port)));
        expect(answers.map(({ body }) => body)).toEqual(Array(12).fill('b'));
        expect(most).toBeLessThanOrEqual(2);
        expect(gateway.metrics().refusedByBudget).toBe(0);
      });

      it("relays the platform's answer when the budget stays used up", async () => {
        const broken = await httpOrigin(cleanup, (_request, response) => response.writeHead(503).end('busy'));
        const other = await named('b');
        const table = tableOf({ a: { urls: [broken.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port, gateway } = await startGateway(cleanup, createWire, table, () => ({
          retryBudget: { ratio: 0, min: 0 },
        }));
        const answer = await ask(port);
        expect([answer.status, answer.body]).toEqual([503, 'busy']);
        expect(gateway.metrics().refusedByBudget).toBe(1);
      });
    });

    describe('notices a frozen origin', () => {
      it('evacuates what may be replayed at once and never re-sends a POST', async () => {
        let frozen = false;
        const posts: string[] = [];
        const a = await httpOrigin(
          cleanup,
          (request, response) => {
            request.resume();
            if (!frozen) response.end('a');
            else if (request.method === 'POST') posts.push('a');
          },
          (server) => server.on('connection', () => undefined),
        );
        const b = await httpOrigin(cleanup, (request, response) => {
          if (request.method === 'POST') posts.push('b');
          request.resume();
          response.end('b');
        });
        const table = tableOf({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } });
        const { port, ejections, gateway } = await startGateway(cleanup, createWire, table, (base) => ({
          timeouts: { ...base.timeouts, headMs: 1_500 },
        }));
        for (let i = 0; i < 5; i += 1) expect((await ask(port)).body).toBe('a');
        frozen = true;
        const startedAt = performance.now();
        const post = ask(port, { method: 'POST', body: 'order' });
        const gets = await Promise.all(Array.from({ length: 20 }, () => ask(port)));
        expect(gets.map(({ body }) => body)).toEqual(Array(20).fill('b'));
        expect(Math.max(...gets.map(({ ms }) => ms))).toBeLessThan(1_500);
        expect(ejections[0]?.reason).toBe('stall');
        expect(performance.now() - startedAt).toBeLessThan(1_500);
        expect(gateway.metrics().evacuations).toBe(20);
        expect((await post).status).toBe(504);
        expect(posts).toEqual(['a']);
      });

      it('leaves a slow request alone while the origin answers others', async () => {
        const a = await httpOrigin(cleanup, (request, response) => {
          if (request.url === '/slow') setTimeout(() => response.end('slow a'), 700);
          else response.end('a');
        });
        const b = await named('b');
        const table = tableOf({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } });
        const { port, ejections } = await startGateway(cleanup, createWire, table);
        await ask(port);
        expect((await ask(port, { path: '/slow' })).body).toBe('slow a');
        expect(ejections).toEqual([]);
      });

      it('never counts an upload that is still under way', async () => {
        const a = await httpOrigin(cleanup, (request, response) => {
          request.resume();
          request.on('end', () => response.end('a'));
        });
        const b = await named('b');
        const table = tableOf({ a: { urls: [a.url], share: 1 }, b: { urls: [b.url], share: 0 } });
        const { port, ejections } = await startGateway(cleanup, createWire, table);
        const request = http.request({ host: '127.0.0.1', port, method: 'PUT', agent: false });
        const answered = new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve));
        request.write('a');
        await new Promise((resolve) => setTimeout(resolve, 500));
        request.end('b');
        const response = await answered;
        response.resume();
        expect(response.statusCode).toBe(200);
        expect(ejections).toEqual([]);
      });
    });

    describe('changes tables', () => {
      it('loses nothing under load, and tells when the old origin is out of use', async () => {
        const slow = (id: string): Promise<TestOrigin> =>
          httpOrigin(cleanup, (_request, response) => void setTimeout(() => response.end(id), 20));
        const a = await slow('a');
        const b = await slow('b');
        const first = tableOf({ a: { urls: [a.url] } });
        const second = tableOf({ a: { urls: [b.url] } });
        const { port, gateway, drained } = await startGateway(cleanup, createWire, first);
        const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        cleanup.tasks.unshift(() => agent.destroy());
        const answers: Promise<{ body: string }>[] = [];
        for (let i = 0; i < 80; i += 1) {
          answers.push(ask(port, { agent }));
          if (i === 40) {
            await until(() => a.seen.length > 4);
            gateway.swap(second);
            expect(drained).not.toContain(second.version);
          }
        }
        const bodies = (await Promise.all(answers)).map(({ body }) => body);
        expect(bodies).toHaveLength(80);
        expect(new Set(bodies)).toEqual(new Set(['a', 'b']));
        await until(() => drained.includes(second.version));
        await until(() => a.sockets.size === 0);
      });

      it('loses and doubles nothing when tables change in the middle of an open load', async () => {
        const posted: string[] = [];
        const slow = (id: string): Promise<TestOrigin> =>
          httpOrigin(cleanup, (request, response) => {
            request.resume();
            if (request.method === 'POST') posted.push(String(request.url));
            setTimeout(() => response.end(id), 5 + (posted.length % 20));
          });
        const origins = [await slow('a'), await slow('b'), await slow('c')];
        const tables = (turn: number) => tableOf({ p: { urls: [origins[turn % 3]!.url] } });
        const { port, gateway, drained } = await startGateway(cleanup, createWire, tables(0));
        const agent = new http.Agent({ keepAlive: true });
        cleanup.tasks.unshift(() => agent.destroy());
        const answers: Promise<{ status: number }>[] = [];
        let last = tables(1);
        // Sends at its own pace, whatever comes back.
        for (let i = 0; i < 60; i += 1) {
          for (let j = 0; j < 4; j += 1) {
            answers.push(
              ask(port, j === 0 ? { agent, method: 'POST', path: `/${i}`, body: 'x' } : { agent }),
            );
          }
          if (i % 3 === 0) {
            last = tables(i / 3);
            gateway.swap(last);
          }
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const statuses = (await Promise.all(answers)).map(({ status }) => status);
        expect(statuses).toEqual(Array(240).fill(200));
        expect(posted.toSorted()).toEqual(Array.from({ length: 60 }, (_, i) => `/${i}`).toSorted());
        await until(() => drained.includes(last.version));
        expect(gateway.metrics().replays).toBe(0);
      });

      it('gives a draining target nothing new', async () => {
        const a = await named('a');
        const b = await named('b');
        const table = tableOf({
          a: { urls: [a.url], share: 0, state: 'draining' },
          b: { urls: [b.url], share: 0 },
        });
        const { port } = await startGateway(cleanup, createWire, table);
        for (let i = 0; i < 5; i += 1) expect((await ask(port)).body).toBe('b');
      });

      it('answers 503 before the first table', async () => {
        const { port } = await startGateway(cleanup, createWire, { version: 0, publishedAt: 0, routes: [] });
        expect((await ask(port)).status).toBe(503);
      });
    });

    describe('stops', () => {
      it('finishes what runs, says connection: close, and takes nothing new', async () => {
        let finish: (() => void) | undefined;
        const origin = await httpOrigin(cleanup, (_request, response) => {
          finish = () => void response.end('late');
        });
        const { port, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
        );
        const agent = new http.Agent({ keepAlive: true });
        cleanup.tasks.unshift(() => agent.destroy());
        const running = ask(port, { agent });
        await until(() => finish !== undefined);
        const closed = gateway.close();
        await expect(ask(port)).rejects.toThrow();
        finish?.();
        const answer = await running;
        expect([answer.body, answer.headers.connection]).toEqual(['late', 'close']);
        await closed;
      });

      it('aborts what outlasts the deadline', async () => {
        const origin = await httpOrigin(cleanup, () => undefined);
        const { port, gateway } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
          (base) => ({
            timeouts: { ...base.timeouts, drainMs: 100 },
          }),
        );
        const running = ask(port).catch(() => 'aborted');
        await until(() => origin.seen.length === 1);
        await gateway.close();
        expect(await running).toBe('aborted');
      });
    });

    describe('reports', () => {
      it('counts attempts by how they ended, once a second', async () => {
        const a = await httpOrigin(cleanup, (request, response) => {
          response.writeHead(request.url === '/500' ? 500 : 200).end();
        });
        const { port, traffic } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [a.url] } }));
        await ask(port);
        await ask(port);
        await ask(port, { path: '/500' });
        const sum = (key: 'ok' | 'status5xx'): number =>
          traffic.reduce((all, { counts }) => all + counts[key], 0);
        await until(() => sum('ok') === 2 && sum('status5xx') === 1);
        expect(traffic[0]).toMatchObject({ application: 'shop', platform: 'a', worker: 1, windowMs: 1_000 });
      });
    });

    describe('refuses ambiguous requests', () => {
      const POST = 'POST / HTTP/1.1\r\nHost: x\r\n';
      it.each([
        ['length and chunked', `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX`],
        ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
        ['two equal lengths', `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
        ['a signed length', `${POST}Content-Length: +1\r\n\r\na`],
        ['a list of lengths', `${POST}Content-Length: 1, 1\r\n\r\na`],
        [
          'a coding that is not chunked at the end',
          `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
        ],
        ['a coding we do not know', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
        ['chunked with a disguise', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
        ['a space before the colon', `${POST}Content-Length : 1\r\n\r\na`],
        ['a folded field', `${POST}X: a\r\n b\r\n\r\n`],
        ['a bare CR', `${POST}X: a\rb\r\n\r\n`],
        ['a NUL', `${POST}X: a\0b\r\n\r\n`],
        ['a bad chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`],
        ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
        ['no Host', 'GET / HTTP/1.1\r\nX: 1\r\n\r\n'],
        ['a Host with user', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
        ['a Host with path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
        ['a fragment', 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n'],
        ['GET *', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
        ['Connection naming Host', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n'],
        ['chunked in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
        ['a body before a switch', HANDSHAKE.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nab')],
        ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
        ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
      ])('%s', async (_what, bytes) => {
        const origin = await named('reached');
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const text = await askRaw(port, bytes);
        expect(text).toMatch(/^HTTP\/1\.1 (400|405|501) /);
        expect(text).not.toContain('reached');
        expect(origin.seen).toEqual([]);
      });

      it('takes the authority of an absolute target over Host', async () => {
        const origin = await httpOrigin(cleanup, (request, response) =>
          response.end(`${request.headers.host} ${request.url}`),
        );
        const { port } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }, { host: 'real.example' }),
        );
        const text = await askRaw(
          port,
          'GET http://real.example/p?q HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n',
        );
        expect(text).toContain('real.example /p?q');
      });

      it('keeps the framing of a chunked DELETE', async () => {
        const bodies: string[] = [];
        const origin = await httpOrigin(cleanup, (request, response) => {
          let body = '';
          request.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          request.on('end', () => {
            bodies.push(body);
            response.end('ok');
          });
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        const smuggled = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n';
        await ask(port, { method: 'DELETE', headers: { 'transfer-encoding': 'chunked' }, body: smuggled });
        expect(origin.seen).toEqual(['DELETE /']);
        expect(bodies).toEqual([smuggled]);
      });

      it.each([
        [
          'length and chunked',
          'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        ],
        ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
        ['a coding we do not know', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
        ['a NUL in a field', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'],
        ['no status line', 'hello\r\n\r\n'],
        ['a 101 nobody asked for', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
      ])('answers 502 to an answer with %s', async (_what, bytes) => {
        const origin = await rawOrigin(cleanup, (socket) => socket.on('data', () => socket.write(bytes)));
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        expect((await ask(port)).status).toBe(502);
      });

      it('never gives a second answer on a connection to the next request', async () => {
        const origin = await rawOrigin(cleanup, (socket) => {
          socket.once('data', () => {
            socket.write(
              'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
            );
          });
        });
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
        for (let i = 0; i < 3; i += 1) expect((await ask(port)).body).toBe('one');
      });

      it('ejects nobody for a request it cannot send', async () => {
        const origin = await named('a');
        const other = await named('b');
        const table = tableOf({ a: { urls: [origin.url], share: 1 }, b: { urls: [other.url], share: 0 } });
        const { port, ejections } = await startGateway(cleanup, createWire, table);
        const text = await askRaw(port, 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        expect(text).toMatch(/^HTTP\/1\.1 (200|501) /);
        expect(ejections).toEqual([]);
      });

      it('answers 431 to a head and 413 to a body over the limit', async () => {
        const origin = await named('a');
        const { port } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: { urls: [origin.url] } }),
          (base) => ({
            limits: { ...base.limits, bodyBytes: 1_000 },
          }),
        );
        expect(await askRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
          /^HTTP\/1\.1 431 /,
        );
        const announced = await askRaw(port, `${POST}Content-Length: 2000\r\n\r\n`);
        expect(announced).toMatch(/^HTTP\/1\.1 413 /);
        const chunk = `7d0\r\n${'x'.repeat(2000)}\r\n`;
        expect(await askRaw(port, `${POST}Transfer-Encoding: chunked\r\n\r\n${chunk}`)).toMatch(
          /^HTTP\/1\.1 413 /,
        );
      });
    });
  });
}
