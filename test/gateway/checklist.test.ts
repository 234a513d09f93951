import net, { type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TableRoute } from '../../src/core/routing-table.ts';
import type { GatewaySettings } from '../../src/core/settings.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import {
  askRaw,
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
} from './harness.ts';

/**
 * What an HTTP gateway owes to both sides, line by line, over raw sockets against the byte wire. Lines about HTTP/2 are
 * in http2/, about certificates in tls/ and upstream-tls.test.ts, about whole bodies of hostile messages in
 * http1/whole-gateway.test.ts; WebSocket drains in http1/upgrades.test.ts; time limits in http1/limits.test.ts.
 */

const wire: CreateWire = (settings, clock) => createHttp1Wire(settings, clock, { poison: true });

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a.test\r\n';
const CLOSE = 'Connection: close\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const HANDSHAKE = `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;

interface Recording extends TestOrigin {
  /** All bytes of each connection. */
  readonly got: string[];
}

let cleanup: Cleanup = { tasks: [] };

beforeEach(() => {
  cleanup = { tasks: [] };
});
afterEach(async () => {
  for (const task of cleanup.tasks) await task();
});

/** Keeps what it is sent; answers each piece with what `answer` says. */
async function recording(
  answer: (request: string, socket: Socket) => string | undefined = () => OK,
): Promise<Recording> {
  const got: string[] = [];
  const origin = await rawOrigin(cleanup, (socket) => {
    const index = got.push('') - 1;
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      got[index] += text;
      const said = answer(text, socket);
      if (said !== undefined && said !== '') socket.write(said, 'latin1');
    });
  });
  return Object.assign(origin, { got });
}

function before(
  origin: TestOrigin,
  change: Partial<GatewaySettings> = {},
  route: Partial<TableRoute> = {},
): Promise<TestGateway> {
  return startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }, route), () => change);
}

function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
}

/** What a client with these bytes is told, and what the origin saw of them. */
async function told(
  bytes: string,
  change: Partial<GatewaySettings> = {},
): Promise<{ status: number; got: string }> {
  const origin = await recording();
  const { port } = await before(origin, change);
  const text = await askRaw(port, bytes);
  return { status: statusOf(text), got: origin.got.join('') };
}

/** Refused with one of these, the connection closed behind it, and not a byte to the origin. */
async function refuses(bytes: string, ...statuses: number[]): Promise<void> {
  const { status, got } = await told(bytes);
  expect(statuses).toContain(status);
  expect(got).toBe('');
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

describe('framing', () => {
  it.each<[string, string[], number[]]>([
    [
      'reject CL+TE',
      [
        `${POST}Content-Length: 6\r\n${CHUNKED}0\r\n\r\nX`,
        `${POST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n`,
      ],
      [400],
    ],
    [
      'reject dup/list/±/hex/overflow CL',
      ['1\r\nContent-Length: 1', '1, 1', '+1', '-1', '0x1', '18446744073709551617', '1e0', ''].map(
        (length) => `${POST}Content-Length: ${length}\r\n\r\na`,
      ),
      [400],
    ],
    [
      'TE≠final chunked ⇒ 400/501',
      [
        'gzip',
        'chunked, gzip',
        'gzip, chunked',
        'chunked, chunked',
        'identity',
        'xchunked',
        'chunked;q=1',
      ].map((coding) => `${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`),
      [400, 501],
    ],
    ['TE in HTTP/1.0', [`POST / HTTP/1.0\r\nHost: a\r\n${CHUNKED}0\r\n\r\n`], [400]],
    [
      'obs-fold',
      [`${GET}X: a\r\n b\r\n\r\n`, `${GET}X: a\r\n\tb\r\n\r\n`, 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
      [400],
    ],
    [
      'bare LF/CR',
      [
        `${GET}X: a\nY: b\r\n\r\n`,
        `${GET}X: a\rY: b\r\n\r\n`,
        'GET / HTTP/1.1\nHost: a\n\n',
        `${GET}X: a\r\r\n\r\n`,
      ],
      [400],
    ],
    [
      'NUL/CTL',
      ['\0', '\x01', '\x08', '\x0b', '\x1b', '\x7f'].flatMap((octet) => [
        `${GET}X: a${octet}b\r\n\r\n`,
        `${GET}X${octet}: a\r\n\r\n`,
        `GET /${octet} HTTP/1.1\r\nHost: a\r\n\r\n`,
      ]),
      [400],
    ],
    [
      'SP before colon',
      [`${GET}X : a\r\n\r\n`, `${POST}Content-Length : 1\r\n\r\na`, `${GET}X\t: a\r\n\r\n`],
      [400],
    ],
    ['empty name', [`${GET}: a\r\n\r\n`], [400]],
    [
      'non-tchar',
      ['X(y)', 'X y', '"X"', 'X/y', 'X\xe4', 'X@y'].map((name) => `${GET}${name}: a\r\n\r\n`),
      [400],
    ],
    [
      'chunk-size strict hex (no 0x,_,sign,OWS)',
      ['0x5', '5_', '+5', '-5', ' 5', '5 ', '5\t', '5g', '', '10000000000000005'].map(
        (size) => `${POST}${CHUNKED}${size}\r\nhello\r\n0\r\n\r\n`,
      ),
      [400],
    ],
    [
      'chunk-ext size cap & no bare CR/LF',
      [`;${'x'.repeat(300)}`, ';a\nb', ';a\rb', ';a="\r\n"', ';', ';a\0', ';a = b'].map(
        (extension) => `${POST}${CHUNKED}5${extension}\r\nhello\r\n0\r\n\r\n`,
      ),
      [400],
    ],
    [
      'chunk terminator exact',
      [
        '5\r\nhello!\r\n',
        '5\r\nhello\n',
        '5\r\nhello\r0\r\n\r\n',
        '5\r\nhell\r\n0\r\n\r\n',
        '5\nhello\r\n',
        '0\r\n\n',
      ].map((chunks) => `${POST}${CHUNKED}${chunks}0\r\n\r\n`),
      [400],
    ],
    ['leading CRLF only', [`\n${GET}\r\n`, ` ${GET}\r\n`, `\0${GET}\r\n`, `\r${GET}\r\n`], [400]],
  ])('%s', async (_line, all, statuses) => {
    for (const bytes of all) await refuses(bytes, ...statuses);
  });

  it('leading CRLF only: and that is let through', async () => {
    expect((await told(`\r\n\r\n${GET}${CLOSE}`)).status).toBe(200);
  });

  it('CL.0/0.CL: always frame or drain or close unread body', async () => {
    const hidden = 'GET /admin HTTP/1.1\r\nHost: a.test\r\n\r\n';
    const origin = await recording((request) => (request.includes('POST') ? OK : undefined));
    const { port } = await before(origin);
    // Answered before the body was read: what follows must not become a request, here or there.
    const { socket, text } = connect(port);
    socket.write(`${POST}Content-Length: ${hidden.length}\r\n\r\n`);
    await until(() => text().endsWith('ok'));
    socket.write(hidden);
    await until(() => socket.destroyed);
    expect(text()).toMatch(/connection: close/);
    expect(origin.got.join('')).not.toContain('GET /admin');
    // A body of nothing is no place to hide either.
    const empty = await recording((request) =>
      request
        .split(/(?=POST|GET)/)
        .map(() => OK)
        .join(''),
    );
    const second = await before(empty);
    await askRaw(
      second.port,
      `${POST}Content-Length: 0\r\n\r\n${hidden}GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
    );
    expect(empty.got.join('').match(/(POST|GET) [^ ]+/g)).toEqual(['POST /', 'GET /admin', 'GET /']);
  });

  it('never reuse an upstream connection with unconsumed/unexpected bytes', async () => {
    const origin = await recording(() => `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    const { port } = await before(origin);
    for (let i = 0; i < 3; i += 1) expect(await askRaw(port, `${GET}${CLOSE}`)).toMatch(/ok$/);
    expect(origin.got).toHaveLength(3);
    const late = await recording((_request, socket) => {
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'), 30);
      return OK;
    });
    const second = await before(late);
    expect(await askRaw(second.port, `${GET}${CLOSE}`)).toMatch(/ok$/);
    await until(() => late.sockets.size === 0);
    expect(await askRaw(second.port, `${GET}${CLOSE}`)).toMatch(/ok$/);
    expect(late.got).toHaveLength(2);
  });

  it('response splitting (validate outgoing field values)', async () => {
    for (const value of ['a\rSet-Cookie: b', 'a\nSet-Cookie: b', 'a\0b', 'a\r\n b']) {
      const origin = await recording(
        () => `HTTP/1.1 302 Found\r\nLocation: ${value}\r\nContent-Length: 0\r\n\r\n`,
      );
      const { port } = await before(origin);
      const text = await askRaw(port, `${GET}${CLOSE}`);
      expect(statusOf(text)).toBe(502);
      expect(text).not.toMatch(/set-cookie|location/i);
    }
  });

  it('upstream response with CL+TE/dup CL ⇒ 502+close', async () => {
    for (const fields of [
      'Content-Length: 3\r\nTransfer-Encoding: chunked',
      'Content-Length: 3\r\nContent-Length: 3',
      'Content-Length: 3\r\nContent-Length: 4',
    ]) {
      const origin = await recording(() => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n0\r\n\r\n`);
      const { port } = await before(origin);
      expect(statusOf(await askRaw(port, `${GET}${CLOSE}`))).toBe(502);
      await until(() => origin.sockets.size === 0);
    }
  });

  it('early final response while uploading ⇒ stop, close', async () => {
    const origin = await recording(() => 'HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno');
    const { port, gateway } = await before(origin);
    const { socket, text } = connect(port);
    socket.write(`${POST}Content-Length: 1000000\r\n\r\nbegin`);
    await until(() => text().endsWith('no'));
    expect(text()).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/);
    await until(() => origin.sockets.size === 0 && gateway.metrics().active === 0);
    socket.end();
    await until(() => socket.destroyed);
  });
});

describe('target', () => {
  it('origin/absolute/authority/asterisk forms', async () => {
    expect((await told(`GET /a?b HTTP/1.1\r\nHost: a.test\r\n${CLOSE}`)).got).toMatch(
      /^GET \/a\?b HTTP\/1\.1\r\n/,
    );
    expect((await told(`GET http://a.test/a HTTP/1.1\r\nHost: a.test\r\n${CLOSE}`)).got).toMatch(
      /^GET \/a HTTP/,
    );
    expect((await told(`OPTIONS * HTTP/1.1\r\nHost: a.test\r\n${CLOSE}`)).got).toMatch(/^OPTIONS \* HTTP/);
    expect((await told(`OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n${CLOSE}`)).got).toMatch(
      /^OPTIONS \* /,
    );
    for (const line of [
      'GET * HTTP/1.1',
      'GET a.test:80 HTTP/1.1',
      'GET a HTTP/1.1',
      'GET ftp://a/ HTTP/1.1',
    ])
      await refuses(`${line}\r\nHost: a.test\r\n\r\n`, 400);
  });

  it('absolute-form authority overrides Host (rewrite)', async () => {
    const { got } = await told(`GET http://real.test:81/p HTTP/1.1\r\nHost: other.test\r\n${CLOSE}`);
    expect(got).toMatch(/^GET \/p HTTP\/1\.1\r\nhost: real\.test:81\r\n/);
    expect(got).not.toContain('other.test');
  });

  it('exactly one valid Host (no userinfo, path, comma list)', async () => {
    for (const host of ['a\r\nHost: a', 'u@a', 'a/b', 'a, b', '', 'a b', 'a:x', 'a?b', 'a#b', '::1'])
      await refuses(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400);
    await refuses('GET / HTTP/1.1\r\n\r\n', 400);
    await refuses('GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400);
  });

  it('CONNECT refused', () => refuses('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405));

  it('raw path forwarded byte-exact (no silent dot-segment/%2f decode)', async () => {
    const path = '/a/../%2e%2F//b;c/%7E"<>|^`{}[]?q=../%00';
    expect(
      (await told(`GET ${path} HTTP/1.1\r\nHost: a\r\n${CLOSE}`)).got.startsWith(`GET ${path} HTTP/1.1\r\n`),
    ).toBe(true);
  });

  it('policy matching on the same normal form', async () => {
    const shop = await recording();
    const { port } = await before(shop, {}, { path: '/shop' });
    const asked = async (target: string): Promise<number> =>
      statusOf(await askRaw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\n${CLOSE}`));
    for (const target of [
      '/shop/../admin',
      '/shop/%2e%2e/admin',
      '/shop/..%2Fadmin',
      '/shop/..;/admin',
      '/shop/..\\x',
    ])
      expect([target, await asked(target)]).toEqual([target, 400]);
    // Not found as it stands, and found by who decodes it.
    for (const target of ['/%73hop', '//shop', '/x/../shop'])
      expect([target, await asked(target)]).toEqual([target, 400]);
    expect(shop.got).toEqual([]);
    for (const target of ['/shop/a%20b', '/shop//x', '/shop/./x', '/shop?x=/../admin'])
      expect([target, await asked(target)]).toEqual([target, 200]);
  });

  it('fragment/8-bit ⇒ 400', async () => {
    for (const target of ['/#a', '/\xe4', 'http://a/#b'])
      await refuses(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, 400);
  });

  it('TRACE off; method allow-list optional', async () => {
    await refuses(`TRACE / HTTP/1.1\r\nHost: a\r\n${CLOSE}`, 405);
    await refuses(`BREW / HTTP/1.1\r\nHost: a\r\n${CLOSE}`, 501);
  });
});

describe('hop-by-hop', () => {
  it('strip Connection + listed fields', async () => {
    const { got } = await told(
      `${GET}Connection: close, X-Mine, x-other\r\nX-Mine: 1\r\nX-Other: 2\r\nX-Kept: 3\r\n\r\n`,
    );
    expect(got).not.toMatch(/connection:|x-mine|x-other/i);
    expect(got).toMatch(/X-Kept: 3/);
  });

  it.each(['host', 'authorization', 'x-forwarded-for', 'Content-Length', 'cookie', 'content-type'])(
    'never Host/CL/TE-critical end-to-end ones named to attack: refuse `Connection: %s`',
    async (name) => {
      await refuses(`${GET}Connection: close, ${name}\r\n\r\n`, 400);
    },
  );

  it('Keep-Alive, Proxy-Connection, Proxy-Auth*, TE (keep `trailers`), Trailer, Upgrade', async () => {
    const { got } = await told(
      `${GET}Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nProxy-Authenticate: x\r\n` +
        `TE: gzip, trailers;q=1\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n${CLOSE}`,
    );
    expect(got).not.toMatch(/^(keep-alive|proxy-[a-z]+|trailer|upgrade|http2-settings):/im);
    expect(got.match(/^te: .*$/gim)).toEqual(['te: trailers']);
    const origin = await recording(() =>
      OK.replace(
        '\r\n',
        '\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTrailer: X\r\nUpgrade: h2\r\nX-Kept: 1\r\n',
      ),
    );
    const text = await askRaw((await before(origin)).port, `${GET}${CLOSE}`);
    expect(text).not.toMatch(/^(keep-alive|proxy-connection|trailer|upgrade):/im);
    expect(text).toMatch(/X-Kept: 1/);
  });

  it('Upgrade (re-create only for allowed)', async () => {
    const { got } = await told(`${GET}Connection: upgrade, close\r\nUpgrade: tls/1.0\r\n\r\n`);
    expect(got).not.toMatch(/upgrade/i);
  });

  it('Via append + loop detection (own id ⇒ 508)', async () => {
    const { got } = await told(`${GET}Via: 1.0 other\r\n${CLOSE}`);
    const via = [...got.matchAll(/^via: (.*)$/gim)].map((match) => match[1]);
    expect(via.join(', ')).toMatch(/^1\.0 other, 1\.1 sluice/);
    const { gateway, port } = await startGateway(cleanup, wire, tableOf({}));
    gateway.swap(tableOf({ a: { urls: [`http://127.0.0.1:${port}`] } }));
    expect(statusOf(await askRaw(port, `${GET}${CLOSE}`))).toBe(508);
  });

  it('Max-Forwards for TRACE/OPTIONS', async () => {
    const options = (left: string): Promise<{ status: number; got: string }> =>
      told(`OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${left}\r\n${CLOSE}`);
    expect((await options('3')).got).toMatch(/^max-forwards: 2$/im);
    expect(await options('0')).toEqual({ status: 200, got: '' });
    await refuses(`TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n${CLOSE}`, 405);
  });

  it('X-Forwarded-*/Forwarded/X-Real-IP: overwrite unless peer in trusted CIDR, right-most-untrusted walk', async () => {
    const forged =
      'X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Proto: evil\r\nX-Forwarded-Host: evil\r\n';
    const { got } = await told(`${GET}${forged}${CLOSE}`);
    expect(got).not.toMatch(/6\.6\.6\.6|evil/);
    expect(got).toMatch(/^x-forwarded-for: 127\.0\.0\.1$/im);
    const trusting = await told(`${GET}X-Forwarded-For: 6.6.6.6, 10.0.0.9\r\n${CLOSE}`, {
      trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'],
    });
    expect(trusting.got).toMatch(/^x-forwarded-for: .*6\.6\.6\.6.*127\.0\.0\.1$/im);
  });

  it('underscore/hyphen aliases dropped', async () => {
    const { got } = await told(
      `${GET}X_Forwarded_For: 6.6.6.6\r\nContent_Length: 5\r\nX_Kept: 1\r\n${CLOSE}`,
    );
    expect(got).not.toMatch(/x_forwarded_for|content_length/i);
    expect(got).toMatch(/X_Kept: 1/);
  });

  it('internal headers (x-gw-*) stripped inbound', async () => {
    const { got } = await told(
      `${GET}X-CF-App-Instance: g:0\r\nX-CF-Process-Instance: g:0\r\nX-Forwarded-Client-Cert: x\r\n${CLOSE}`,
    );
    expect(got).not.toMatch(/x-cf-|client-cert/i);
  });
});

describe('messages', () => {
  it('Expect 100-continue (relay or answer; 417)', async () => {
    const origin = await recording((request) => (request.includes('body') ? OK : undefined));
    const { port } = await before(origin);
    const { socket, text } = connect(port);
    socket.write(`${POST}Expect: 100-continue\r\nContent-Length: 4\r\n${CLOSE}`);
    await until(() => text() === 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('body');
    await until(() => text().endsWith('ok'));
    await refuses(`${GET}Expect: 200-ok\r\n\r\n`, 417);
    await refuses(`${GET}Expect: 100-continue, x\r\n\r\n`, 417);
  });

  it('1xx multiples incl. 103 relayed, none to 1.0', async () => {
    const hint = (n: number): string => `HTTP/1.1 103 Early Hints\r\nLink: </${n}>\r\n\r\n`;
    const origin = await recording(() => `HTTP/1.1 102 Processing\r\n\r\n${hint(1)}${hint(2)}${OK}`);
    const { port } = await before(origin);
    const text = await askRaw(port, `${GET}${CLOSE}`);
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(
      ['102', '103', '103', '200'].map((code) => `HTTP/1.1 ${code}`),
    );
    expect(text.match(/<\/\d>/g)).toEqual(['</1>', '</2>']);
    expect(await askRaw(port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('101 only when asked and offered protocol matches', async () => {
    const other = SWITCHED.replace('Upgrade: websocket', 'Upgrade: chat');
    for (const [asked, answer] of [
      [`${GET}${CLOSE}`, SWITCHED],
      [HANDSHAKE, other],
      [HANDSHAKE, SWITCHED.replace('s3pP', 'AAAA')],
    ] as const) {
      const { port } = await before(await recording(() => answer));
      expect(statusOf(await askRaw(port, asked))).toBe(502);
    }
  });

  it('HEAD/204/304/1xx without body but keep HEAD CL', async () => {
    const origin = await recording((request) => {
      if (request.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n';
      if (request.includes('/204')) return 'HTTP/1.1 204 No Content\r\n\r\n';
      return 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 9\r\n\r\n';
    });
    const { port } = await before(origin);
    const text = await askRaw(
      port,
      `HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
    );
    const answers = text.split(/(?=HTTP\/1\.1 )/);
    expect(answers.map(statusOf)).toEqual([200, 204, 304]);
    expect(answers.every((answer) => answer.endsWith('\r\n\r\n'))).toBe(true);
    expect(answers[0]).toMatch(/content-length: 1234/i);
    expect(answers[1]).not.toMatch(/content-length|transfer-encoding/i);
    expect(origin.got).toHaveLength(1);
  });

  it('trailers forwarded only with TE: trailers, forbidden names removed', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n';
    const { port } = await before(await recording(() => answer));
    expect(await askRaw(port, `${GET}TE: trailers\r\n${CLOSE}`)).toMatch(/\r\na\r\n0\r\nX-Sum: 1\r\n\r\n$/);
    expect(await askRaw(port, `${GET}${CLOSE}`)).toMatch(/\r\na\r\n0\r\n\r\n$/);
    const body = '1\r\na\r\n0\r\nX-Sum: 1\r\nAuthorization: x\r\n\r\n';
    expect((await told(`${POST}TE: trailers\r\nConnection: close\r\n${CHUNKED}${body}`)).got).toMatch(
      /0\r\nX-Sum: 1\r\n\r\n$/,
    );
    expect((await told(`${POST}Connection: close\r\n${CHUNKED}${body}`)).got).toMatch(/a\r\n0\r\n\r\n$/);
  });

  it('Date add', async () => {
    expect(await askRaw((await before(await recording())).port, `${GET}${CLOSE}`)).toMatch(/^date: \w+, /im);
  });

  it('304/206 untouched', async () => {
    const fields =
      'ETag: W/"1"\r\nContent-Range: bytes 0-1/9\r\nLast-Modified: Mon, 02 Mar 2026 10:00:00 GMT\r\nVary: x';
    for (const line of ['206 Partial Content', '304 Not Modified']) {
      const body = line.startsWith('206') ? 'ab' : '';
      const origin = await recording(
        () => `HTTP/1.1 ${line}\r\n${fields}\r\nContent-Length: 2\r\n\r\n${body}`,
      );
      const { port } = await before(origin);
      const text = await askRaw(port, `${GET}Range: bytes=0-1\r\nIf-None-Match: "1"\r\n${CLOSE}`);
      expect(text.startsWith(`HTTP/1.1 ${line}\r\n${fields}\r\n`)).toBe(true);
      expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true);
      expect(origin.got[0]).toMatch(/Range: bytes=0-1\r\nIf-None-Match: "1"/);
    }
  });

  it('no decompression', async () => {
    const packed = gzipSync('hello').toString('latin1');
    const origin = await recording(
      () => `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n${packed}`,
    );
    const text = await askRaw((await before(origin)).port, `${GET}Accept-Encoding: gzip\r\n${CLOSE}`);
    expect(text).toMatch(/content-encoding: gzip/i);
    expect(text.endsWith(packed)).toBe(true);
  });

  it('close-delimited responses: truncation must propagate as abort not as success', async () => {
    const origin = await recording((request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\npart');
      setTimeout(() => (request.includes('/cut') ? socket.resetAndDestroy() : socket.end()), 30);
      return undefined;
    });
    const { port } = await before(origin);
    expect(await askRaw(port, `${GET}${CLOSE}`)).toMatch(/part\r\n0\r\n\r\n$/);
    expect(await askRaw(port, `GET /cut HTTP/1.1\r\nHost: a\r\n${CLOSE}`)).toMatch(/part\r\n$/);
    // HTTP/1.0 has no chunks: there only a reset tells.
    let reset = false;
    const socket = net.connect({ host: '127.0.0.1', port }, () => socket.write('GET /cut HTTP/1.0\r\n\r\n'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reset = error.code === 'ECONNRESET';
    });
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(reset).toBe(true);
  });

  it('client abort cancels upstream', async () => {
    const origin = await recording(() => undefined);
    const { port, gateway } = await before(origin);
    for (const bytes of [`${GET}\r\n`, `${POST}Content-Length: 9\r\n\r\nabc`]) {
      const { socket } = connect(port);
      socket.write(bytes);
      await until(() => origin.sockets.size === 1 && gateway.metrics().active === 1);
      socket.destroy();
      await until(() => origin.sockets.size === 0 && gateway.metrics().active === 0);
    }
  });

  it('back-pressure both ways', async () => {
    // As much as wants to go while nobody reads: what stays behind is what the gateway refused to keep.
    const pushed = async (from: Socket): Promise<number> => {
      const piece = Buffer.alloc(262_144, 'x');
      let sent = 0;
      let quiet = 0;
      while (quiet < 3 && sent < 160_000_000) {
        if (from.writableLength === 0) {
          quiet = 0;
          sent += piece.length;
          from.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        } else {
          quiet += 1;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      return sent;
    };
    const deaf = await rawOrigin(cleanup, (socket) => socket.once('data', () => socket.pause()));
    const up = connect((await before(deaf)).port);
    up.socket.write(`${POST}Content-Length: 900000000\r\n\r\n`);
    expect(await pushed(up.socket)).toBeLessThan(160_000_000);
    up.socket.destroy();

    const eager = await recording(() => 'HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n');
    const down = connect((await before(eager)).port);
    down.socket.write(`${GET}\r\n`);
    await until(() => eager.sockets.size === 1 && down.text().includes('\r\n\r\n'));
    down.socket.pause();
    expect(await pushed([...eager.sockets][0]!)).toBeLessThan(160_000_000);
    down.socket.destroy();
  });

  it('no buffering of SSE', async () => {
    const origin = await recording(
      () => 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const { socket, text } = connect((await before(origin)).port);
    socket.write(`${GET}\r\n`);
    await until(() => text().includes('\r\n\r\n'));
    const [stream] = [...origin.sockets];
    for (let i = 0; i < 5; i += 1) {
      const event = `data: ${i}\n\n`;
      stream!.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      // The next is not sent before this one has arrived.
      await until(() => text().includes(event));
    }
    socket.destroy();
  });
});

describe('limits', () => {
  it.each<[string, number, string, Partial<GatewaySettings['limits']>]>([
    ['head size (431)', 431, `${GET}X: ${'x'.repeat(20_000)}\r\n\r\n`, {}],
    ['target (414)', 414, `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, {}],
    ['field count (100)', 431, `${GET}${'X: 1\r\n'.repeat(100)}\r\n`, {}],
    ['body (413), announced', 413, `${POST}Content-Length: 101\r\n\r\n`, { bodyBytes: 100 }],
    [
      'body (413), in chunks',
      413,
      `${POST}${CHUNKED}65\r\n${'x'.repeat(101)}\r\n0\r\n\r\n`,
      { bodyBytes: 100 },
    ],
  ])('%s', async (_line, status, bytes, limits) => {
    const origin = await recording(() => undefined);
    const { port } = await startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }), (base) => ({
      limits: { ...base.limits, ...limits },
    }));
    const text = await askRaw(port, bytes);
    expect(statusOf(text)).toBe(status);
    expect(text).toMatch(/connection: close/);
    await until(() => origin.sockets.size === 0);
  });

  it('header time & idle, measured on the clock (more in http1/limits.test.ts, http1/deadlines.test.ts)', async () => {
    const origin = await recording(() => undefined);
    const { port } = await startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }), (base) => ({
      timeouts: { ...base.timeouts, headerMs: 300, idleMs: 400, clientKeepAliveMs: 300 },
    }));
    expect(statusOf(await askRaw(port, GET))).toBe(408);
    expect(await askRaw(port, '')).toBe('');
    // An upload that stands still.
    expect(statusOf(await askRaw(port, `${POST}Content-Length: 9\r\n\r\nabc`))).toBe(408);
  });

  it('requests/connection', async () => {
    const origin = await recording();
    const { port } = await startGateway(cleanup, wire, tableOf({ a: { urls: [origin.url] } }), (base) => ({
      limits: { ...base.limits, perConnection: 2 },
    }));
    const text = await askRaw(port, `${GET}\r\n`.repeat(4));
    expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(text.match(/^connection: close/gim)).toHaveLength(1);
  });
});

describe('WS', () => {
  it('key/accept/version pass-through, no extension tampering, half-close', async () => {
    const origin = await recording((request, socket) => {
      if (!request.includes('HTTP/1.1')) return request.toUpperCase();
      socket.removeAllListeners('end');
      socket.on('end', () => socket.end('bye'));
      return SWITCHED.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate; a="b"\r\n\r\n');
    });
    const { port, gateway } = await before(origin);
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    cleanup.tasks.unshift(() => socket.destroy());
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write(
      HANDSHAKE.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate; x\r\n\r\n'),
    );
    await until(() => text.includes('\r\n\r\n'));
    expect(text).toMatch(
      /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate; a="b"\r\n/,
    );
    expect(origin.got[0]).toMatch(
      /Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n/,
    );
    expect(origin.got[0]).toMatch(/Sec-WebSocket-Extensions: permessage-deflate; x\r\n/);
    text = '';
    socket.write('ping');
    await until(() => text === 'PING');
    socket.end();
    await until(() => text === 'PINGbye' && gateway.metrics().upgrades === 0);
  });
});

describe('retry', () => {
  const pair = async (
    first: Recording,
    second: TestOrigin,
    retry: 'safe' | 'idempotent' = 'safe',
  ): Promise<number> => {
    const table = tableOf(
      { a: { urls: [first.url], share: 1 }, b: { urls: [second.url], share: 0 } },
      { retry },
    );
    return (await startGateway(cleanup, wire, table)).port;
  };
  const resetting = (): Promise<Recording> =>
    recording((_request, socket) => {
      socket.resetAndDestroy();
      return undefined;
    });

  it('only before first response byte', async () => {
    const cutting = await recording((_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
      setTimeout(() => socket.destroy(), 20);
      return undefined;
    });
    const other = await recording();
    expect(await askRaw(await pair(cutting, other), `${GET}${CLOSE}`)).toMatch(/abc$/);
    expect(other.got).toEqual([]);
  });

  it('safe/idempotent or Idempotency-Key', async () => {
    const asked = async (bytes: string, retry: 'safe' | 'idempotent'): Promise<number> =>
      statusOf(await askRaw(await pair(await resetting(), await recording(), retry), bytes));
    expect(await asked(`${GET}${CLOSE}`, 'safe')).toBe(200);
    expect(await asked(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${CLOSE}a`, 'safe')).toBe(502);
    expect(await asked(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${CLOSE}a`, 'idempotent')).toBe(
      200,
    );
    expect(await asked(`${POST}Content-Length: 1\r\n${CLOSE}a`, 'idempotent')).toBe(502);
    expect(await asked(`${POST}Idempotency-Key: 1\r\nContent-Length: 1\r\n${CLOSE}a`, 'idempotent')).toBe(
      200,
    );
  });

  it('replay buffer cap, never after body streamed', async () => {
    const size = 300_000;
    const other = await recording();
    let got = 0;
    const first = await recording((request, socket) => {
      got += request.length;
      if (got > size) socket.resetAndDestroy();
      return undefined;
    });
    const port = await pair(first, other, 'idempotent');
    const text = await askRaw(
      port,
      `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n${CLOSE}${'x'.repeat(size)}`,
    );
    expect(statusOf(text)).toBe(502);
    expect(other.got).toEqual([]);
  });
});

describe('SSRF', () => {
  it('fixed upstream set', async () => {
    const elsewhere = await httpOrigin(cleanup, (_request, response) => response.end('inside'));
    const { status, got } = await told(
      `GET http://127.0.0.1:${elsewhere.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${elsewhere.port}\r\n${CLOSE}`,
    );
    expect(status).toBe(200);
    expect(got).toContain(`host: 127.0.0.1:${elsewhere.port}`);
    expect(elsewhere.seen).toEqual([]);
  });

  it('no redirect following', async () => {
    const elsewhere = await httpOrigin(cleanup, (_request, response) => response.end('inside'));
    const origin = await recording(
      () =>
        `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${elsewhere.port}/\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(statusOf(await askRaw((await before(origin)).port, `${GET}${CLOSE}`))).toBe(302);
    expect(elsewhere.seen).toEqual([]);
  });

  it('health paths separate listener', async () => {
    const dead = `http://127.0.0.1:${await closedPort()}`;
    const { port } = await startGateway(cleanup, wire, tableOf({ a: { urls: [dead] } }));
    for (const path of ['/livez', '/readyz', '/metrics', '/v1/status'])
      expect(statusOf(await askRaw(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${CLOSE}`))).toBe(503);
  });
});

describe('what the peers let through and we do not', () => {
  it.each([
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
    ['a Host with user', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'],
    ['GET *', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an invalid field name', `${GET}X(y): a\r\n\r\n`],
    ['a control character in a value', `${GET}X: a\x01\r\n\r\n`],
    ['a folded field', `${GET}X: a\r\n b\r\n\r\n`],
    ['a bad chunk extension', `${POST}${CHUNKED}1;=\r\na\r\n0\r\n\r\n`],
  ])('%s', (_what, bytes) => refuses(bytes, 400));
});
