import http from 'node:http';
import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import {
  ask,
  askRaw,
  type Cleanup,
  type CreateWire,
  httpOrigin,
  rawOrigin,
  startGateway,
  type TestOrigin,
  tableOf,
  until,
} from '../harness.ts';

const wire: CreateWire = (settings, clock) => createHttp1Wire(settings, clock, { poison: true });
const CLOSE = 'Connection: close\r\n\r\n';

describe('connections of the http1 wire', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  async function before(origin: TestOrigin): Promise<number> {
    return (await startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }))).port;
  }

  /** An origin in bare bytes that goes when we go. */
  function bareOrigin(serve: (socket: Socket) => void): Promise<TestOrigin> {
    return rawOrigin(cleanup, (socket) => {
      socket.on('end', () => socket.end());
      serve(socket);
    });
  }

  /** An origin that answers every request on a connection with these bytes. */
  function answering(...pieces: string[]): Promise<TestOrigin> {
    return bareOrigin((socket) => {
      socket.on('data', () => {
        for (const piece of pieces) socket.write(piece, 'latin1');
      });
    });
  }

  function echo(): Promise<TestOrigin> {
    return httpOrigin(cleanup, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(`${request.method} ${request.url} ${Buffer.concat(chunks)};`));
    });
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

  describe('towards clients', () => {
    it('answers pipelined requests in their order', async () => {
      const origin = await httpOrigin(cleanup, (request, response) => {
        request.resume();
        // The first takes longest.
        setTimeout(() => response.end(`<${request.url}>`), request.url === '/0' ? 40 : 0);
      });
      const port = await before(origin);
      let text = '';
      for (let i = 0; i < 9; i += 1) text += `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`;
      text += `POST /9 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /10 HTTP/1.1\r\nHost: a\r\n${CLOSE}`;
      const answers = [...(await askRaw(port, text)).matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1]));
      expect(answers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it('reads requests that come byte by byte', async () => {
      const port = await before(await echo());
      const { socket, text } = connect(port);
      const request =
        'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nX: 1\r\n\r\n' +
        `PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n${CLOSE}hi`;
      for (const byte of Buffer.from(request)) {
        socket.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => text().includes('PUT /b hi;'));
      expect(text()).toContain('POST /a abcdefg;');
    });

    it('answers a fault behind a good request after it, and closes', async () => {
      const port = await before(await echo());
      const text = await askRaw(
        port,
        'GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost : a\r\n\r\n',
      );
      expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*GET \/a ;[\s\S]*HTTP\/1\.1 400 /);
    });

    it('speaks to HTTP/1.0 without chunks, and keeps the connection only when asked', async () => {
      const chunked = await answering(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      );
      const text = await askRaw(await before(chunked), 'GET / HTTP/1.0\r\n\r\n');
      expect(text).toMatch(/\r\n\r\nabc$/);
      expect(text).not.toMatch(/transfer-encoding/i);

      const { socket, text: answers } = connect(
        await before(await answering('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')),
      );
      socket.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      await until(() => answers().endsWith('abc'));
      expect(answers()).toMatch(/connection: keep-alive/);
      socket.write('GET / HTTP/1.0\r\n\r\n');
      await new Promise((resolve) => socket.on('close', resolve));
      expect(answers()).toMatch(/abcHTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*abc$/);
    });

    it('relays early hints to HTTP/1.1 only, and keeps 100 to itself', async () => {
      const origin = await answering(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      );
      const port = await before(origin);
      const text = await askRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}`);
      expect(text).toMatch(
        /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>; rel=preload\r\n[\s\S]*HTTP\/1\.1 200 OK/,
      );
      expect(text).not.toContain('100 Continue');
      expect(await askRaw(port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK/);
    });

    it('adds a Date where there is none and leaves one alone', async () => {
      const without = await ask(
        await before(await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
      );
      expect(Math.abs(Date.parse(without.headers.date ?? '') - Date.now())).toBeLessThan(5_000);
      const date = 'Mon, 02 Mar 2026 10:00:00 GMT';
      const given = await ask(
        await before(await answering(`HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Length: 0\r\n\r\n`)),
      );
      expect(given.rawHeaders.filter((text) => text === date)).toHaveLength(1);
    });

    it('passes trailers on only to who accepts them, and none that may not stand there', async () => {
      const origin = await answering(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n',
      );
      const port = await before(origin);
      const asked = await askRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n${CLOSE}`);
      expect(asked).toMatch(/0\r\nX-Sum: 1\r\n\r\n$/);
      expect(await askRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}`)).toMatch(/a\r\n0\r\n\r\n$/);
    });

    it('lets a client read a refusal it got in the middle of its upload', async () => {
      const origin = await answering('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
      const port = await before(origin);
      const { socket, text } = connect(port);
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 800000\r\n\r\n');
      const upload = setInterval(() => socket.write(Buffer.alloc(20_000)), 2);
      await until(() => text().endsWith('no'));
      expect(text()).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close/i);
      clearInterval(upload);
      socket.end();
      await until(() => socket.destroyed);
      await until(() => origin.sockets.size === 0);
    });

    it('breaks off when a body turns out malformed behind the answer', async () => {
      const origin = await bareOrigin((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin'));
      });
      const port = await before(origin);
      const { socket, text } = connect(port);
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
      await until(() => text().endsWith('begin'));
      socket.write('nonsense\r\n');
      await until(() => socket.destroyed && origin.sockets.size === 0);
      expect(text()).toMatch(/begin$/);
    });
  });

  describe('towards origins', () => {
    it('asks for chunks as chunks and for lengths as lengths', async () => {
      const got: string[] = [];
      const origin = await bareOrigin((socket) => {
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
          if (!/hello(\r\n0\r\n\r\n)?$/.test(text) || text.endsWith('5\r\nhello')) return;
          got.push(text);
          text = '';
          socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        });
      });
      const port = await before(origin);
      await ask(port, { method: 'PUT', body: 'hello', headers: { 'content-length': 5 } });
      await ask(port, { method: 'PUT', body: 'hello', headers: { 'transfer-encoding': 'chunked' } });
      expect(got[0]).toMatch(/^PUT \/ HTTP\/1\.1\r\n[\s\S]*\r\ncontent-length: 5\r\n[\s\S]*\r\n\r\nhello$/);
      expect(got[1]).toMatch(/\r\ntransfer-encoding: chunked\r\n[\s\S]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
    });

    it.each([
      ['behind an answer until close', 'HTTP/1.1 200 OK\r\n\r\nok', true],
      [
        'behind Connection: close',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
        false,
      ],
      ['behind HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', false],
      ['with bytes left over', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok?', false],
      ['with a body on a 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok', false],
    ])('keeps no connection %s', async (_what, bytes, ends) => {
      let connections = 0;
      const origin = await bareOrigin((socket) => {
        connections += 1;
        socket.on('data', () => (ends ? socket.end(bytes) : socket.write(bytes)));
      });
      const port = await before(origin);
      for (let i = 0; i < 3; i += 1) expect([200, 304]).toContain((await ask(port)).status);
      expect(connections).toBe(3);
      await until(() => origin.sockets.size === 0);
    });

    it('takes the connection used last first', async () => {
      const used: (number | undefined)[] = [];
      const origin = await httpOrigin(cleanup, (request, response) => {
        used.push(request.socket.remotePort);
        setTimeout(() => response.end('ok'), request.url === '/slow' ? 60 : 1);
      });
      const port = await before(origin);
      await Promise.all([ask(port, { path: '/slow' }), ask(port), ask(port)]);
      const last = used[0];
      for (let i = 0; i < 4; i += 1) await ask(port);
      expect(used.slice(3)).toEqual([last, last, last, last]);
    });

    it('closes connections that were idle too long, on both sides', async () => {
      const origin = await httpOrigin(cleanup, (_request, response) => response.end('ok'));
      const { port } = await startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }), (base) => ({
        timeouts: { ...base.timeouts, upstreamKeepAliveMs: 300, clientKeepAliveMs: 600 },
      }));
      const { socket, text } = connect(port);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => text().endsWith('ok'));
      expect(origin.sockets.size).toBe(1);
      await until(() => origin.sockets.size === 0);
      expect(socket.destroyed).toBe(false);
      await until(() => socket.destroyed);
    });

    it('passes an answer until close on in chunks, and its truncation as an abort', async () => {
      const origin = await bareOrigin((socket) => {
        socket.once('data', (request) => {
          socket.write('HTTP/1.1 200 OK\r\n\r\nhello');
          setTimeout(() => (request.includes('/cut') ? socket.resetAndDestroy() : socket.end()), 20);
        });
      });
      const port = await before(origin);
      expect((await ask(port)).body).toBe('hello');
      await expect(ask(port, { path: '/cut' })).rejects.toThrow();
    });

    it('never ends an answer whose chunks are malformed', async () => {
      const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
      const text = await askRaw(
        await before(await answering(`${head}5\r\nhello\r\n`, 'zz\r\n')),
        `GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
      );
      expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    });

    it('reads answers that come byte by byte', async () => {
      const bytes =
        'HTTP/1.1 200 OK\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n';
      const origin = await bareOrigin((socket) => {
        socket.setNoDelay(true);
        socket.on('data', async () => {
          for (const byte of Buffer.from(bytes)) {
            socket.write(Buffer.of(byte));
            await new Promise((resolve) => setImmediate(resolve));
          }
        });
      });
      const port = await before(origin);
      for (let i = 0; i < 2; i += 1) expect((await ask(port)).body).toBe('abc');
      expect(origin.sockets.size).toBe(1);
    });

    it('leaves nothing behind when clients go at any moment', async () => {
      const origin = await httpOrigin(cleanup, (_request, response) => {
        response.write(Buffer.alloc(200_000));
        setTimeout(() => response.end(Buffer.alloc(200_000)), 5);
      });
      const { port, gateway } = await startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }));
      for (let i = 0; i < 40; i += 1) {
        const request = http.get({ host: '127.0.0.1', port, agent: false });
        request.on('error', () => undefined);
        setTimeout(() => request.destroy(), i % 12);
        if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      }
      await until(() => gateway.metrics().active === 0);
      expect((await ask(port)).body).toHaveLength(400_000);
      await until(() => origin.sockets.size <= 1);
    });
  });
});
