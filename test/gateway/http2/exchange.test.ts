import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../../src/core/settings.ts';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import {
  ask as askHttp1,
  type Cleanup,
  type CreateWire,
  closedPort,
  httpOrigin,
  rawOrigin,
  startGateway,
  type TestGateway,
  type TestOrigin,
  tableOf,
  until,
} from '../harness.ts';
import { certificateFor } from '../tls/clients.ts';
import { answerTo, ask, connect } from './client.ts';

const createWire: CreateWire = (settings, clock) => createHttp1Wire(settings, clock, { poison: true });
const tls = [certificateFor('shop.example.com')];

describe.each([
  ['prior knowledge', false],
  ['ALPN', true],
] as const)('the exchange over HTTP/2 by %s', (_how, secure) => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  function start(
    table: ReturnType<typeof tableOf>,
    change: (base: GatewaySettings) => Partial<GatewaySettings> = () => ({}),
  ): Promise<TestGateway> {
    return startGateway(cleanup, createWire, table, (base) => ({
      listen: [{ host: '127.0.0.1', port: 0, http2: true, ...(secure ? { tls } : {}) }],
      ...change(base),
    }));
  }

  const to = (origin: TestOrigin) => tableOf({ a: { urls: [origin.url] } });

  /** Answers with the head it got and the body it was sent. */
  const echo = (seen?: IncomingHttpHeaders[]): Promise<TestOrigin> =>
    httpOrigin(cleanup, (request, response) => {
      const chunks: Buffer[] = [];
      seen?.push(request.headers);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(Buffer.concat(chunks)));
    });

  it('carries many requests at once on one connection, each with its own answer', async () => {
    const origin = await httpOrigin(cleanup, (request, response) => {
      setTimeout(() => response.end(`answer to ${request.url}`), (Number(request.url?.slice(1)) % 7) * 3);
    });
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => ask(session, { ':path': `/${i}` })),
    );
    expect(answers.map(({ body }) => body)).toEqual(answers.map((_, i) => `answer to /${i}`));
  });

  it('shows pages of one’s own for what the gateway answers itself', async () => {
    const page = { status: 503, type: 'text/html; charset=utf-8', text: '<h1>Sorry</h1>' };
    const { port } = await start(tableOf({}), () => ({ outage: [page] }));
    const session = connect(cleanup, port, secure);
    const { headers, body } = await ask(session, {});
    expect([headers[':status'], headers['content-type'], body]).toEqual([503, page.type, page.text]);
  });

  it('shows pages of one’s own for what the gateway answers itself', async () => {
    const page = { status: 503, type: 'text/html; charset=utf-8', text: '<h1>Sorry</h1>' };
    const { port } = await start(tableOf({}), () => ({ outage: [page] }));
    const session = connect(cleanup, port, secure);
    const { status, headers, body } = await ask(session, {});
    expect([status, headers['content-type'], body]).toEqual([503, page.type, page.text]);
  });

  it('says to the origin what HTTP/1.1 would have said', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const origin = await echo(seen);
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    await ask(session, {
      ':authority': 'shop.example.com:81',
      ':path': '/a%2Fb?c=d',
      'x-mine': 'yes',
      cookie: ['a=1', 'b=2'],
      te: 'trailers',
      'x-forwarded-for': '6.6.6.6',
    });
    expect(origin.seen).toEqual(['GET /a%2Fb?c=d']);
    expect(seen[0]).toMatchObject({
      host: 'shop.example.com:81',
      cookie: 'a=1; b=2',
      te: 'trailers',
      'x-mine': 'yes',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': secure ? 'https' : 'http',
      'x-forwarded-host': 'shop.example.com:81',
    });
    expect(seen[0]).not.toHaveProperty('content-length');
    expect(seen[0]).not.toHaveProperty('transfer-encoding');
  });

  it('passes bodies on, announced or not', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const origin = await echo(seen);
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const body = randomBytes(300_000);
    const announced = await ask(session, { ':method': 'PUT', 'content-length': body.length }, body);
    expect(Buffer.from(announced.body, 'latin1').equals(body)).toBe(true);
    const open = await ask(session, { ':method': 'POST' }, body);
    expect(Buffer.from(open.body, 'latin1').equals(body)).toBe(true);
    expect((await ask(session, { ':method': 'POST', 'content-length': 0 }, '')).body).toBe('');
    expect(seen.map((head) => head['content-length'] ?? head['transfer-encoding'])).toEqual([
      '300000',
      'chunked',
      undefined,
    ]);
  });

  it('streams both ways at once', async () => {
    const origin = await httpOrigin(cleanup, (request, response) => {
      response.writeHead(200);
      request.on('data', (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
      request.on('end', () => response.end('!'));
    });
    const { port } = await start(to(origin));
    const stream = connect(cleanup, port, secure).request({ ':method': 'POST' }, { endStream: false });
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.write('one');
    await until(() => text === 'ONE');
    stream.write('two');
    await until(() => text === 'ONETWO');
    stream.end();
    await until(() => text === 'ONETWO!' && stream.closed);
  });

  it('gives HEAD, 204 and 304 no body and keeps what they say of it', async () => {
    const origin = await httpOrigin(cleanup, (request, response) => {
      if (request.url === '/204') return response.writeHead(204).end();
      if (request.url === '/304') return response.writeHead(304, { etag: '"1"' }).end();
      if (request.url === '/empty') return response.writeHead(200, { 'content-length': 0 }).end();
      return response.writeHead(200, { 'content-length': 1234 }).end();
    });
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const head = await ask(session, { ':method': 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '1234', '']);
    expect((await ask(session, { ':path': '/204' })).status).toBe(204);
    const same = await ask(session, { ':path': '/304' });
    expect([same.status, same.headers.etag, same.body]).toEqual([304, '"1"', '']);
    expect((await ask(session, { ':path': '/empty' })).headers['content-length']).toBe('0');
  });

  it('passes trailers on, both ways', async () => {
    let sum: string | undefined;
    const origin = await httpOrigin(cleanup, (request, response) => {
      request.resume();
      request.on('end', () => {
        sum = request.trailers['x-sum'];
        response.writeHead(200, { trailer: 'x-total' });
        response.write('body');
        response.addTrailers({ 'x-total': '42' });
        response.end();
      });
    });
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const stream = session.request({ ':method': 'POST', te: 'trailers' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.end('content');
    const answer = await answerTo(stream);
    expect([answer.body, answer.trailers?.['x-total']]).toEqual(['body', '42']);
    expect(sum).toBe('7');
  });

  it('relays interim answers, and answers 100-continue once it will take the body', async () => {
    const origin = await httpOrigin(cleanup, (request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      request.resume();
      request.on('end', () => response.end('done'));
    });
    const { port } = await start(to(origin));
    const stream = connect(cleanup, port, secure).request(
      { ':method': 'POST', expect: '100-continue', 'content-length': 4 },
      { endStream: false },
    );
    const answer = answerTo(stream);
    await new Promise<void>((resolve) => stream.once('continue', resolve));
    stream.end('body');
    const { body, interim } = await answer;
    expect(body).toBe('done');
    expect(interim.find((head) => Number(head[':status']) === 103)).toMatchObject({
      link: '</a.css>; rel=preload',
    });
  });

  it('does not buffer server-sent events', async () => {
    let send: ((text: string) => void) | undefined;
    const origin = await httpOrigin(cleanup, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      send = (text) => void response.write(text);
    });
    const { port } = await start(to(origin));
    const stream = connect(cleanup, port, secure).request({});
    let text = '';
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await new Promise((resolve) => stream.on('response', resolve));
    send?.('data: 1\n\n');
    await until(() => text === 'data: 1\n\n');
    stream.close();
  });

  it('holds an origin back while one client stream reads slowly, and the other streams go on', async () => {
    const size = 96 * 1024 * 1024;
    let sent = 0;
    const origin = await httpOrigin(cleanup, (request, response) => {
      if (request.url !== '/big') return void response.end('small');
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
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const big = session.request({ ':path': '/big' });
    big.pause();
    await new Promise((resolve) => big.on('response', resolve));
    let before = -1;
    while (before !== sent || sent === 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(size);
    expect((await ask(session)).body).toBe('small');
    let received = 0;
    big.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    big.resume();
    await until(() => received === size);
  });

  it('holds a client back while the origin reads slowly, and loses nothing', async () => {
    const body = randomBytes(24 * 1024 * 1024);
    let release: (() => void) | undefined;
    const origin = await httpOrigin(cleanup, (request, response) => {
      const got: Buffer[] = [];
      if (request.url === '/small') return void response.end('small');
      request.pause();
      release = () => {
        request.on('data', (chunk: Buffer) => got.push(chunk));
        request.on('end', () => response.end(Buffer.concat(got).equals(body) ? 'same' : 'different'));
        request.resume();
      };
      return undefined;
    });
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const answer = ask(session, { ':method': 'PUT' }, body);
    await until(() => release !== undefined);
    expect((await ask(session, { ':path': '/small' })).body).toBe('small');
    release?.();
    expect((await answer).body).toBe('same');
  });

  it('cancels upstream when the client takes its stream back', async () => {
    let cancelled = false;
    const origin = await httpOrigin(cleanup, (_request, response) => {
      response.on('close', () => {
        cancelled = true;
      });
    });
    const { port, gateway } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const stream = session.request({});
    stream.on('error', () => undefined);
    await until(() => origin.seen.length === 1);
    stream.close(8);
    await until(() => cancelled && gateway.metrics().active === 0);
    expect(gateway.metrics().requests.aborted).toBe(1);
    expect(session.closed).toBe(false);
  });

  it('cancels upstream when the connection goes', async () => {
    const origin = await httpOrigin(cleanup, () => undefined);
    const { port, gateway } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    for (let i = 0; i < 3; i += 1) session.request({}).on('error', () => undefined);
    await until(() => origin.seen.length === 3);
    session.destroy();
    await until(() => gateway.metrics().active === 0 && origin.sockets.size === 0);
  });

  it('ends a cut answer as a reset, never as a clean end', async () => {
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
    const { port } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    await expect(ask(session, { ':path': '/length' })).rejects.toThrow();
    await expect(ask(session, { ':path': '/chunked' })).rejects.toThrow();
    expect(session.closed).toBe(false);
  });

  it('answers early and takes no more of the upload', async () => {
    const origin = await httpOrigin(cleanup, (request, response) => {
      response.writeHead(413).end('too much');
      request.resume();
    });
    const { port, gateway } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    const stream = session.request({ ':method': 'POST' }, { endStream: false });
    let status: number | undefined;
    let body = '';
    stream.on('error', () => undefined);
    stream.on('response', (head) => {
      status = head[':status'];
    });
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    stream.write(Buffer.alloc(10_000));
    await until(() => stream.closed);
    expect([status, body, stream.rstCode]).toEqual([413, 'too much', 0]);
    await until(() => gateway.metrics().active === 0);
    expect((await ask(session)).status).toBe(413);
  });

  it('sends a request on to another origin when the first is not there, body and all', async () => {
    const origin = await echo();
    const gone = await closedPort();
    const table = tableOf({
      a: { urls: [`http://127.0.0.1:${gone}`], share: 1 },
      b: { urls: [origin.url], share: 0 },
    });
    const { port, ejections } = await start(table);
    const session = connect(cleanup, port, secure);
    expect((await ask(session, { ':method': 'POST' }, 'order 1')).body).toBe('order 1');
    expect(ejections).toHaveLength(1);
  });

  it('sends a safe request once more when a kept connection was closed under it', async () => {
    let served = 0;
    const origin = await rawOrigin(cleanup, (socket) => {
      let first = true;
      socket.on('data', () => {
        if (first) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.destroy();
        first = false;
        served += 1;
      });
    });
    const { port, ejections } = await start(to(origin));
    const session = connect(cleanup, port, secure);
    expect((await ask(session)).body).toBe('ok');
    expect((await ask(session)).body).toBe('ok');
    expect(served).toBe(3);
    expect(ejections).toEqual([]);
  });

  it('answers itself where nobody else can', async () => {
    const origin = await echo();
    const { port } = await start(tableOf({ a: { urls: [origin.url] } }, { host: 'other.test' }), (base) => ({
      limits: { ...base.limits, bodyBytes: 1_000 },
    }));
    const session = connect(cleanup, port, secure);
    const lost = await ask(session, { accept: 'application/json' });
    expect([lost.status, lost.headers['content-type']]).toEqual([404, 'application/json']);
    const there = { ':authority': 'other.test', ':method': 'POST' };
    expect((await ask(session, { ...there, 'content-length': 2_000 }, Buffer.alloc(2_000))).status).toBe(413);
    expect((await ask(session, { ...there, ':path': '/open' }, Buffer.alloc(2_000))).status).toBe(413);
    expect((await ask(session, { ':method': 'TRACE' })).status).toBe(405);
  });

  it('keeps its place beside HTTP/1.1 on the same port', async () => {
    const origin = await echo();
    const { port } = await start(to(origin));
    if (secure) return;
    expect((await askHttp1(port, { method: 'POST', body: 'by 1.1' })).body).toBe('by 1.1');
    expect((await ask(connect(cleanup, port), { ':method': 'POST' }, 'by 2')).body).toBe('by 2');
  });

  it('says GOAWAY when it stops, finishes what runs and takes nothing new', async () => {
    let finish: (() => void) | undefined;
    const origin = await httpOrigin(cleanup, (_request, response) => {
      finish = () => void response.end('late');
    });
    const { port, gateway } = await start(to(origin), (base) => ({
      timeouts: { ...base.timeouts, drainMs: 5_000 },
    }));
    const session = connect(cleanup, port, secure);
    const idle = connect(cleanup, port, secure);
    await new Promise((resolve) => idle.once('remoteSettings', resolve));
    const running = ask(session);
    await until(() => finish !== undefined);
    let code: number | undefined;
    session.on('goaway', (its) => {
      code = its;
    });
    const closed = gateway.close();
    await until(() => code !== undefined && idle.closed);
    expect(code).toBe(0);
    finish?.();
    expect((await running).body).toBe('late');
    await closed;
    expect(origin.seen).toHaveLength(1);
  });
});
