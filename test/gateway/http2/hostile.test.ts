import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../../src/core/settings.ts';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import {
  type Cleanup,
  type CreateWire,
  httpOrigin,
  startGateway,
  type TestGateway,
  type TestOrigin,
  tableOf,
  until,
} from '../harness.ts';
import {
  ACK,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  PADDED,
  POST,
  PREFACE,
  RawClient,
  setting,
  TYPE,
  word,
} from './raw-client.ts';

const createWire: CreateWire = (settings, clock) => createHttp1Wire(settings, clock, { poison: true });

const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const FRAME_SIZE_ERROR = 6;
const REFUSED_STREAM = 7;
const COMPRESSION_ERROR = 9;
type Field = readonly [name: string, value: string];
const START = [PREFACE, frame(TYPE.settings, 0, 0)];

describe('a hostile client by HTTP/2', () => {
  let cleanup: Cleanup = { tasks: [] };
  let origin: TestOrigin;
  const clients: RawClient[] = [];

  beforeEach(async () => {
    cleanup = { tasks: [] };
    origin = await httpOrigin(cleanup, (request, response) => {
      if (request.url === '/never') return;
      request.resume();
      request.on('end', () => response.end('reached'));
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy();
    for (const task of cleanup.tasks) await task();
  });

  function start(
    change: (base: GatewaySettings) => Partial<GatewaySettings> = () => ({}),
  ): Promise<TestGateway> {
    return startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }), (base) => ({
      listen: [{ host: '127.0.0.1', port: 0, http2: true }],
      ...change(base),
    }));
  }

  function connect(port: number, ...parts: readonly Buffer[]): RawClient {
    const client = new RawClient(port);
    clients.push(client);
    client.send(...parts);
    return client;
  }

  const never = (id: number): Buffer => headers(id, having(GET, ':path', '/never'));

  it('is served like any other as long as it behaves', async () => {
    const { port } = await start();
    const client = connect(port, ...START, headers(1, GET));
    expect(await client.answered(1)).toBe('200');
    expect(client.body(1)).toBe('reached');
    // Our SETTINGS, and the answer to its own.
    expect(client.of(TYPE.settings).map(({ flags }) => flags)).toEqual([0, ACK]);
    client.send(frame(TYPE.ping, 0, 0, '12345678'));
    await until(() => client.of(TYPE.ping).length === 1);
    expect(client.of(TYPE.ping)[0]).toMatchObject({ flags: ACK });
    expect(client.of(TYPE.ping)[0]!.payload.toString()).toBe('12345678');
  });

  it('is understood with padding, priority, and a head in pieces', async () => {
    const { port } = await start();
    const head = block(POST);
    const padded = Buffer.concat([Buffer.from([3]), Buffer.alloc(5), head.subarray(0, 10), Buffer.alloc(3)]);
    const client = connect(
      port,
      ...START,
      frame(TYPE.headers, PADDED | 0x20, 1, padded),
      frame(TYPE.continuation, 0, 1, head.subarray(10, 20)),
      frame(TYPE.continuation, 0, 1),
      frame(TYPE.continuation, END_HEADERS, 1, head.subarray(20)),
      frame(TYPE.data, PADDED, 1, Buffer.from([2, 0x61, 0x62, 0, 0])),
      frame(TYPE.data, END_STREAM, 1, 'c'),
      frame(0x42, 0, 1, 'an extension nobody knows'),
    );
    expect(await client.answered(1)).toBe('200');
    expect(client.goAway).toBeUndefined();
  });

  const AFTER_HEAD = [...START, headers(1, POST, END_HEADERS)];
  it.each<[string, readonly Buffer[], number]>([
    ['a preface that is none', [Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')], PROTOCOL_ERROR],
    ['no SETTINGS first', [PREFACE, headers(1, GET)], PROTOCOL_ERROR],
    ['SETTINGS on a stream', [...START, frame(TYPE.settings, 0, 1)], PROTOCOL_ERROR],
    ['SETTINGS of an odd length', [...START, frame(TYPE.settings, 0, 0, '12345')], FRAME_SIZE_ERROR],
    ['an ACK that says something', [...START, frame(TYPE.settings, ACK, 0, '123456')], FRAME_SIZE_ERROR],
    ['a push setting of 2', [...START, frame(TYPE.settings, 0, 0, setting(2, 2))], PROTOCOL_ERROR],
    ['a window beyond all', [...START, frame(TYPE.settings, 0, 0, setting(4, 2 ** 31))], FLOW_CONTROL_ERROR],
    ['frames too short', [...START, frame(TYPE.settings, 0, 0, setting(5, 100))], PROTOCOL_ERROR],
    ['DATA on no stream', [...START, frame(TYPE.data, 0, 0, 'x')], PROTOCOL_ERROR],
    ['DATA on a stream not opened', [...START, frame(TYPE.data, 0, 5, 'x')], PROTOCOL_ERROR],
    ['more padding than frame', [...AFTER_HEAD, frame(TYPE.data, PADDED, 1, '\x05abcd')], PROTOCOL_ERROR],
    ['HEADERS on no stream', [...START, headers(0, GET)], PROTOCOL_ERROR],
    ['HEADERS on an even stream', [...START, headers(2, GET)], PROTOCOL_ERROR],
    [
      'HEADERS of nothing but padding',
      [...START, frame(TYPE.headers, PADDED | 4, 1, '\x09')],
      FRAME_SIZE_ERROR,
    ],
    [
      'another frame within a header block',
      [...START, headers(1, GET, END_STREAM), frame(TYPE.ping, 0, 0, '12345678')],
      PROTOCOL_ERROR,
    ],
    [
      'another stream within a header block',
      [...START, headers(1, GET, END_STREAM), frame(TYPE.continuation, END_HEADERS, 3)],
      PROTOCOL_ERROR,
    ],
    ['CONTINUATION of nothing', [...START, frame(TYPE.continuation, END_HEADERS, 1)], PROTOCOL_ERROR],
    ['a broken header block', [...START, frame(TYPE.headers, 5, 1, '\x80')], COMPRESSION_ERROR],
    ['PING of seven octets', [...START, frame(TYPE.ping, 0, 0, '1234567')], FRAME_SIZE_ERROR],
    ['PING on a stream', [...START, frame(TYPE.ping, 0, 1, '12345678')], PROTOCOL_ERROR],
    ['RST_STREAM of three octets', [...AFTER_HEAD, frame(TYPE.reset, 0, 1, '123')], FRAME_SIZE_ERROR],
    ['RST_STREAM before the stream', [...START, frame(TYPE.reset, 0, 1, word(8))], PROTOCOL_ERROR],
    ['PRIORITY of four octets', [...START, frame(TYPE.priority, 0, 1, '1234')], FRAME_SIZE_ERROR],
    ['PRIORITY of no stream', [...START, frame(TYPE.priority, 0, 0, '12345')], PROTOCOL_ERROR],
    ['WINDOW_UPDATE of three octets', [...START, frame(TYPE.window, 0, 0, '123')], FRAME_SIZE_ERROR],
    ['WINDOW_UPDATE of nothing', [...START, frame(TYPE.window, 0, 0, word(0))], PROTOCOL_ERROR],
    ['WINDOW_UPDATE before the stream', [...START, frame(TYPE.window, 0, 1, word(1))], PROTOCOL_ERROR],
    ['a window that overflows', [...START, frame(TYPE.window, 0, 0, word(2 ** 31 - 1))], FLOW_CONTROL_ERROR],
    ['a push', [...START, frame(TYPE.push, END_HEADERS, 1, word(2))], PROTOCOL_ERROR],
    ['GOAWAY on a stream', [...START, frame(TYPE.goAway, 0, 1, '12345678')], PROTOCOL_ERROR],
    ['a frame too long', [...START, frame(TYPE.data, 0, 1, Buffer.alloc(16_385))], FRAME_SIZE_ERROR],
  ])('is told to go for %s', async (_what, parts, code) => {
    const { port, gateway } = await start();
    const client = connect(port, ...parts);
    await client.closed();
    // On a port that serves both what is no preface is read as HTTP/1.1.
    if (client.goAway !== undefined) expect(client.goAway.code).toBe(code);
    else
      expect(client.socket.bytesRead > 0 ? 'an answer by HTTP/1.1' : 'nothing').toBe('an answer by HTTP/1.1');
    await until(() => gateway.metrics().active === 0);
  });

  const without = (name: string): Field[] => GET.filter(([its]) => its !== name);
  it.each<[string, readonly Field[]]>([
    ['no method', without(':method')],
    ['no path', without(':path')],
    ['no scheme', without(':scheme')],
    ['no authority', without(':authority')],
    ['two paths', [...GET, [':path', '/b']]],
    ['a pseudo-header field behind others', [...without(':path'), ['x', '1'], [':path', '/']]],
    ['a pseudo-header field nobody knows', [...GET, [':protocol', 'websocket']]],
    ['a status', [...GET, [':status', '200']]],
    ['an empty path', [...without(':path'), [':path', '']]],
    ['an absolute path', [...without(':path'), [':path', 'http://other.test/']]],
    ['a path with a space', [...without(':path'), [':path', '/ HTTP/1.1']]],
    ['a path with a line', [...without(':path'), [':path', '/ HTTP/1.1\r\nx: y']]],
    ['a fragment', [...without(':path'), [':path', '/#a']]],
    ['a method with a space', having(GET, ':method', 'GET /x')],
    ['a method with a line', having(GET, ':method', 'GET\r\n')],
    ['CONNECT', having(GET, ':method', 'CONNECT')],
    ['a scheme nobody serves', having(GET, ':scheme', 'ftp')],
    ['an authority with a user', having(GET, ':authority', 'a@b')],
    ['an authority with a line', having(GET, ':authority', 'a\r\nb')],
    ['a Host that says something else', [...GET, ['host', 'other.test']]],
    ['two Hosts', [...GET, ['host', 'shop.example.com'], ['host', 'shop.example.com']]],
    ['Connection', [...GET, ['connection', 'close']]],
    ['Keep-Alive', [...GET, ['keep-alive', '5']]],
    ['Proxy-Connection', [...GET, ['proxy-connection', 'close']]],
    ['Transfer-Encoding', [...GET, ['transfer-encoding', 'chunked']]],
    ['Upgrade', [...GET, ['upgrade', 'websocket']]],
    ['TE other than trailers', [...GET, ['te', 'gzip']]],
    ['a name in upper case', [...GET, ['X-Mine', '1']]],
    ['an empty name', [...GET, ['', '1']]],
    ['a name with a colon', [...GET, ['x:y', '1']]],
    ['a name with a space', [...GET, ['x y', '1']]],
    ['a name with a line', [...GET, ['x\r\ny', '1']]],
    ['a name with a NUL', [...GET, ['x\0', '1']]],
    ['a value with a line', [...GET, ['x', '1\r\nhost: other.test']]],
    ['a value with a CR', [...GET, ['x', '1\r2']]],
    ['a value with an LF', [...GET, ['x', '1\n2']]],
    ['a value with a NUL', [...GET, ['x', '1\x002']]],
    ['a value that ends the head', [...GET, ['x', '\r\n\r\nGET /admin HTTP/1.1\r\n\r\n']]],
    ['two lengths', [...GET, ['content-length', '0'], ['content-length', '0']]],
    ['a signed length', [...GET, ['content-length', '+0']]],
    ['a length and no content', [...GET, ['content-length', '5']]],
  ])('reaches no origin with %s', async (_what, fields) => {
    const { port, gateway } = await start();
    const client = connect(port, ...START, headers(1, fields), headers(3, GET));
    expect(await client.answered(1)).toMatch(/^(400|405)$/);
    // Its other streams have nothing to do with it.
    expect(await client.answered(3)).toBe('200');
    expect(origin.seen).toEqual(['GET /']);
    await until(() => gateway.metrics().active === 0);
  });

  it.each<[string, readonly Buffer[]]>([
    ['more content than announced', [frame(TYPE.data, END_STREAM, 1, '123456')]],
    ['less content than announced', [frame(TYPE.data, END_STREAM, 1, '1234')]],
    ['too much after all was there', [frame(TYPE.data, 0, 1, '12345'), frame(TYPE.data, END_STREAM, 1, '6')]],
    ['trailers before the end', [frame(TYPE.data, 0, 1, '1'), headers(1, [['x', '1']], END_HEADERS)]],
    ['trailers that are a head', [frame(TYPE.data, 0, 1, '12345'), headers(1, [[':path', '/']])]],
    ['trailers with a line', [frame(TYPE.data, 0, 1, '12345'), headers(1, [['x', '1\r\n\r\n']])]],
  ])('gets no answer of the application for %s', async (_what, parts) => {
    const { port, gateway } = await start();
    const announced: Field[] = [...POST, ['content-length', '5']];
    const client = connect(port, ...START, headers(1, announced, END_HEADERS), ...parts, headers(3, GET));
    expect(await client.answered(1)).toMatch(/^(400|nothing)$/);
    expect(await client.answered(3)).toBe('200');
    expect(client.body(1)).not.toContain('reached');
    await until(() => gateway.metrics().active === 0);
  });

  describe('ends its connection, not only its streams, by', () => {
    const many = (count: number, make: (i: number) => Buffer): Buffer =>
      Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
    const reset = (id: number): Buffer => frame(TYPE.reset, 0, id, word(8));
    const opened = [...START, never(1)];

    it.each<[string, readonly Buffer[]]>([
      [
        'taking back streams',
        [...START, many(60, (i) => Buffer.concat([never(2 * i + 1), reset(2 * i + 1)]))],
      ],
      [
        'making us take them back',
        [
          ...START,
          many(60, (i) =>
            Buffer.concat([never(2 * i + 1), frame(TYPE.window, 0, 2 * i + 1, word(2 ** 31 - 1))]),
          ),
        ],
      ],
      ['PING', [...START, many(300, () => frame(TYPE.ping, 0, 0, '12345678'))]],
      ['SETTINGS', [...START, many(300, () => frame(TYPE.settings, 0, 0, setting(4, 65_535)))]],
      ['PRIORITY', [...START, many(300, () => frame(TYPE.priority, 0, 1, '12345'))]],
      ['windows nobody used', [...opened, many(300, () => frame(TYPE.window, 0, 1, word(1)))]],
      ['frames nobody knows', [...START, many(300, () => frame(0x33, 0, 0, 'x'))]],
      [
        'DATA without data',
        [...START, headers(1, POST, END_HEADERS), many(300, () => frame(TYPE.data, 0, 1))],
      ],
      [
        'a head in endless pieces',
        [...START, frame(TYPE.headers, 0, 1, block(GET)), many(40, () => frame(TYPE.continuation, 0, 1))],
      ],
      [
        'a head of endless length',
        [
          ...START,
          frame(TYPE.headers, 0, 1, block(GET)),
          many(5, () => frame(TYPE.continuation, 0, 1, Buffer.alloc(16_384))),
        ],
      ],
      ['streams beyond what we allow', [...START, many(700, (i) => never(2 * i + 1))]],
    ])('%s', async (_what, parts) => {
      const { port, gateway } = await start();
      const client = connect(port, ...parts);
      await client.closed();
      expect(client.goAway).toBeUndefined();
      await until(() => gateway.metrics().active === 0);
    });

    it('nothing of this when it is done as often as clients do', async () => {
      const { port } = await start();
      const client = connect(
        port,
        ...START,
        many(20, (i) => Buffer.concat([never(2 * i + 1), reset(2 * i + 1)])),
        many(50, () => frame(TYPE.ping, 0, 0, '12345678')),
        many(50, () => frame(TYPE.window, 0, 0, word(1_000))),
        headers(1_001, GET),
      );
      expect(await client.answered(1_001)).toBe('200');
    });
  });

  it('gets 431 for a head that a few bytes blow up to, and stays in step', async () => {
    const { port } = await start();
    const big = Buffer.concat([
      Buffer.from([0x40, 1, 0x78, 0x7f, 0xd1, 0x0e]),
      Buffer.alloc(2_000, 'v'),
      Buffer.alloc(2_000, 0xbe),
    ]);
    const head = Buffer.concat([block(GET), big]);
    const client = connect(port, ...START, frame(TYPE.headers, 5, 1, head), headers(3, GET));
    expect(await client.answered(1)).toBe('431');
    expect(await client.answered(3)).toBe('200');
    expect(client.of(TYPE.reset)).toEqual([]);
  });

  it('has streams beyond the limit refused, as ones that were never looked at', async () => {
    const { port } = await start(({ http2 }) => ({ http2: { ...http2, maxConcurrentStreams: 2 } }));
    const client = connect(port, ...START, never(1), never(3), never(5));
    await until(() => client.resetOf(5) !== undefined);
    expect(client.resetOf(5)).toBe(REFUSED_STREAM);
    expect(client.resetOf(1)).toBeUndefined();
    client.send(frame(TYPE.reset, 0, 1, word(8)), headers(7, GET));
    expect(await client.answered(7)).toBe('200');
  });

  it('sends no more content than its window', async () => {
    const { port } = await start();
    const upload = headers(1, having(POST, ':path', '/never'), 4);
    const data = (): Buffer => frame(TYPE.data, 0, 1, Buffer.alloc(16_000));
    const client = connect(port, ...START, upload);
    await until(() => origin.seen.length === 1);
    // The origin takes some; what it leaves is the client's window.
    const end = Date.now() + 10_000;
    while (!client.isClosed && Date.now() < end) {
      client.send(data(), data(), data(), data(), data());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(client.goAway?.code).toBe(FLOW_CONTROL_ERROR);
    // It does not read, so it would not notice that we have gone.
    for (const socket of origin.sockets) socket.destroy();
  });

  it('that never opens its window keeps neither a stream nor its memory', async () => {
    const { port, gateway } = await start(({ timeouts }) => ({ timeouts: { ...timeouts, idleMs: 300 } }));
    const client = connect(
      port,
      PREFACE,
      frame(TYPE.settings, 0, 0, setting(4, 0)),
      headers(1, GET),
      headers(3, GET),
    );
    await until(() => client.statuses(1).length === 1 && client.statuses(3).length === 1);
    expect(client.of(TYPE.data)).toEqual([]);
    await until(() => client.resetOf(1) !== undefined && client.resetOf(3) !== undefined);
    expect(client.hasEnded(1)).toBe(false);
    await until(() => gateway.metrics().active === 0);
  });

  it('gets what waited once its windows open, and in time its own', async () => {
    const { port } = await start();
    const client = connect(
      port,
      PREFACE,
      frame(TYPE.settings, 0, 0, setting(4, 3)),
      headers(1, GET),
      headers(3, GET),
    );
    await until(() => client.body(1) === 'rea' && client.body(3) === 'rea');
    client.send(frame(TYPE.window, 0, 3, word(100)));
    await until(() => client.hasEnded(3));
    expect(client.body(3)).toBe('reached');
    // Made smaller, then larger: the difference counts for what is open.
    client.send(frame(TYPE.settings, 0, 0, setting(4, 0)), frame(TYPE.window, 0, 1, word(4)));
    await until(() => client.of(TYPE.settings).length === 3);
    expect(client.body(1)).toBe('reac');
    client.send(frame(TYPE.settings, 0, 0, setting(4, 65_535)));
    await until(() => client.hasEnded(1));
    expect(client.body(1)).toBe('reached');
  });

  it('is told to go elsewhere after as many requests as a connection may carry', async () => {
    const { port } = await start(({ limits }) => ({ limits: { ...limits, perConnection: 2 } }));
    const client = connect(port, ...START, headers(1, GET), headers(3, GET), headers(5, GET));
    expect(await client.answered(3)).toBe('200');
    await client.closed();
    expect(client.goAway).toEqual({ last: 3, code: 0 });
    expect(client.statuses(5)).toEqual([]);
    expect(origin.seen).toHaveLength(2);
  });

  it.each<[string, readonly Buffer[]]>([
    ['says nothing', [PREFACE]],
    ['asks nothing', START],
    ['stops within a head', [...START, headers(1, GET, END_STREAM)]],
  ])('is let go when it %s', async (_what, parts) => {
    const { port } = await start(({ timeouts }) => ({
      timeouts: { ...timeouts, clientKeepAliveMs: 300, headerMs: 300 },
    }));
    await connect(port, ...parts).closed();
  });
});

/** The same with another value for one of them. */
function having(fields: readonly Field[], name: string, value: string): readonly Field[] {
  return fields.map((field) => (field[0] === name ? [name, value] : field));
}
