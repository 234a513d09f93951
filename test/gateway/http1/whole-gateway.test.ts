import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import {
  askRaw,
  type Cleanup,
  type CreateWire,
  listen,
  rawOrigin,
  startGateway,
  tableOf,
  until,
} from '../harness.ts';
import { BROKEN_BODIES } from './body-vectors.ts';
import { CONNECTIONS, FIELDS, FRAMINGS, HOSTS, REQUEST_LINES } from './request-vectors.ts';
import { RESPONSE_FIELDS, RESPONSE_FRAMINGS, STATUS_LINES } from './response-vectors.ts';

const wire: CreateWire = (settings, clock) => createHttp1Wire(settings, clock, { poison: true });
const REQUESTS = [...REQUEST_LINES, ...HOSTS, ...FIELDS, ...FRAMINGS, ...CONNECTIONS];
const ANSWERS = [...STATUS_LINES, ...RESPONSE_FRAMINGS, ...RESPONSE_FIELDS];
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: hidden.test\r\nConnection: close\r\n\r\n';

interface Arrival {
  readonly line: string;
  readonly body: string;
}

const cleanup: Cleanup = { tasks: [] };
let arrivals: Arrival[] = [];
/** What an origin of Node's could not make sense of. */
let faults: string[] = [];
let originBytes = (): number => 0;
let port = 0;
let answer = '';
let answering = 0;

beforeAll(async () => {
  const sockets: { bytesRead: number }[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      arrivals.push({
        line: `${request.method} ${request.url}`,
        body: Buffer.concat(chunks).toString('latin1'),
      });
      response.end('served');
    });
  });
  server.on('connection', (socket) => sockets.push(socket));
  server.on('clientError', (error, socket) => {
    faults.push(error.message);
    socket.destroy();
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  originBytes = () => sockets.reduce((all, { bytesRead }) => all + bytesRead, 0);
  cleanup.tasks.push(() => {
    server.closeAllConnections();
    server.close();
  });
  port = (await startGateway(cleanup, wire, tableOf({ a: { urls: [url] } }))).port;

  const hostile = await rawOrigin(cleanup, (socket) => {
    socket.on('end', () => socket.end());
    socket.on('data', () => {
      socket.write(answer, 'latin1');
      // Where the connection ends the answer must not be taken for whole.
      setTimeout(() => socket.end(), 10);
    });
  });
  answering = (
    await startGateway(cleanup, wire, tableOf({ a: { urls: [hostile.url] } }), (base) => ({
      // Nobody is to be ejected here, or the next vector would not get through.
      ejection: { ...base.ejection, consecutive: 100_000, minRequests: 100_000 },
    }))
  ).port;
});
afterAll(async () => {
  for (const task of cleanup.tasks) await task();
});

async function send(bytes: string): Promise<{ status: number; text: string; reached: number }> {
  arrivals = [];
  faults = [];
  const before = originBytes();
  const text = await askRaw(port, bytes);
  return { status: Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1]), text, reached: originBytes() - before };
}

it('has at least two hundred hostile messages to show', () => {
  const hostile =
    REQUESTS.filter(([, , expected]) => typeof expected === 'number').length +
    ANSWERS.filter(([, , expected]) => expected === 'refused').length +
    BROKEN_BODIES.length;
  expect(hostile).toBeGreaterThanOrEqual(200);
});

describe('ambiguous framing never reaches an origin', () => {
  const refused = REQUESTS.flatMap(([what, head, expected]) =>
    typeof expected === 'number' ? [[what, head, expected] as const] : [],
  );
  it.each(refused)('a head refused: %s', async (_what, head, expected) => {
    // Whatever its length could be: what follows must not become a request of its own.
    const { status, text, reached } = await send(`${head}${HIDDEN}`);
    expect(status).toBe(expected);
    expect(text).toMatch(/\r\nconnection: close\r\n/);
    expect(text.match(/HTTP\/1\.1 \d{3} /g)).toHaveLength(1);
    expect(reached).toBe(0);
  });

  it.each(BROKEN_BODIES)('a body refused: %s', async (_what, body) => {
    const { status, text } = await send(
      `POST /one HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n${body}${HIDDEN}`,
    );
    expect(status).toBe(400);
    expect(text.match(/HTTP\/1\.1 \d{3} /g)).toHaveLength(1);
    expect(arrivals).toEqual([]);
    // The half request may have begun there; its connection has ended, and nothing on it was a whole message.
    await until(() => faults.every((fault) => /aborted|ECONNRESET/.test(fault)));
  });
});

describe('what is accepted is one message there too', () => {
  const accepted = REQUESTS.flatMap(([what, head, expected]) =>
    typeof expected === 'number' ? [] : [[what, head, expected] as const],
  );
  it.each(accepted)('%s', async (_what, head, { bodyLength = 0, upgrade, keepAlive }) => {
    // Content that looks like a request, as long as was announced.
    const length = bodyLength < 0 ? HIDDEN.length : bodyLength;
    const content = HIDDEN.repeat(1 + length / HIDDEN.length).slice(0, length);
    const body = bodyLength < 0 ? `${HIDDEN.length.toString(16)}\r\n${content}\r\n0\r\n\r\n` : content;
    const { status } = await send(
      `${head}${body}GET /next HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`,
    );
    expect(status).toBe(200);
    expect(faults).toEqual([]);
    expect(arrivals[0]?.body).toBe(content);
    const isOld = head.includes(' HTTP/1.0\r\n');
    const isLast = upgrade !== undefined || keepAlive === false || (isOld && keepAlive !== true);
    expect(arrivals.slice(1)).toEqual(isLast ? [] : [{ line: 'GET /next', body: '' }]);
  });
});

describe('answers nobody can trust never reach a client', () => {
  const refused = ANSWERS.flatMap(([what, head, expected]) =>
    expected === 'refused' ? [[what, head] as const] : [],
  );
  it.each(refused)('%s', async (_what, head) => {
    answer = `${head}hidden`;
    const text = await askRaw(answering, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).not.toMatch(/hidden|evil/);
    expect(text.match(/HTTP\/1\.1 \d{3} /g)).toHaveLength(1);
  });

  it.each(BROKEN_BODIES)('a body cut off: %s', async (_what, body) => {
    answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
    const text = await askRaw(
      answering,
      'GET / HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nConnection: close\r\n\r\n',
    );
    expect(text).not.toMatch(/\r\n0\r\n([^\r\n]+\r\n)*\r\n$/);
  });
});
