import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { type Cleanup, rawOrigin, startGateway, tableOf, until } from '../harness.ts';
import { messagesIn, type SeenMessage } from './messages.ts';
import { everywhere, pieces } from './reading.ts';

/** One request with its answer; the target says which. Together they hold every way to frame a message. */
interface Scene {
  readonly request: string;
  readonly answer: string;
}

const SCENES: readonly Scene[] = [
  {
    request: 'GET /0?a=b HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive\r\nAccept:  text/html \r\n\r\n',
    answer:
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Two: 1\r\nX-Two: 2\r\nKeep-Alive: timeout=5\r\n\r\nhello\r\nworld',
  },
  {
    request:
      'POST /1 HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nConnection: TE\r\nContent-Length: 26\r\n\r\n' +
      'GET /fake HTTP/1.1\r\n\r\n0\r\n\r',
    answer:
      'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '5;ext="a\\"b"\r\nab\r\nc\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\n',
  },
  {
    request:
      'PUT /2 HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n' +
      '3\r\n\r\n0\r\n7;x=y\r\nHTTP/1.\r\n0\r\nX-End: yes\r\n\r\n',
    answer: 'HTTP/1.1 204\r\nETag: "1"\r\n\r\n',
  },
  {
    request: '\r\nHEAD /3 HTTP/1.1\r\nHost: a.test\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n',
  },
  {
    request: 'GET http://a.test/4 HTTP/1.1\r\nHost: ignored.test\r\nCookie: a=1; sluice.other.x=2\r\n\r\n',
    answer: `HTTP/1.1 404 Not Found\r\nContent-Length: 600\r\nX-Long: ${'v'.repeat(300)}\r\n\r\n${'z'.repeat(600)}`,
  },
];

const isInterim = (start: string): boolean => start.startsWith('HTTP/1.1 1');

/** Of requests no head is without a body but for want of a length; of answers the HEAD's and the 204. */
function answersIn(text: string): readonly SeenMessage[] {
  return messagesIn(text, (start) => isInterim(start) || start.includes(' 204') || start.endsWith('OK HEAD'))
    .messages;
}

interface Seen {
  readonly requests: readonly SeenMessage[];
  readonly answers: readonly SeenMessage[];
}

describe('how bytes are cut', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  /** Lets one piece be read before the next is sent: all ends of the connections live in this process. */
  async function send(socket: net.Socket, parts: readonly Buffer[]): Promise<void> {
    for (const part of parts) {
      if (socket.destroyed) return;
      socket.write(part);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
  }

  async function stage() {
    let answerCuts: readonly (readonly number[])[] = [];
    let requests: SeenMessage[] = [];
    const origin = await rawOrigin(cleanup, (socket) => {
      let rest = '';
      socket.setNoDelay(true);
      socket.on('data', (chunk: Buffer) => {
        const seen = messagesIn(rest + chunk.toString('latin1'), () => false);
        rest = seen.rest;
        for (const request of seen.messages) {
          requests.push(request);
          const index = Number(/ \/(\d)/.exec(request.start)?.[1]);
          void send(socket, pieces(Buffer.from(SCENES[index]!.answer, 'latin1'), answerCuts[index] ?? []));
        }
      });
    });
    const { port } = await startGateway(
      cleanup,
      (settings, clock) => createHttp1Wire(settings, clock, { poison: true }),
      tableOf({ a: { urls: [origin.url] } }),
    );

    /** All requests on one connection, one behind the other. */
    return async function play(
      requestCuts: readonly number[],
      cuts: readonly (readonly number[])[],
    ): Promise<Seen> {
      answerCuts = cuts;
      requests = [];
      const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
      socket.on('error', () => undefined);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      // The answer to HEAD looks like one with a body: it is told by its length, which no other has.
      const marked = (): string =>
        text.replace(/200 OK(?=\r\n(?:[^\r]+\r\n)*Content-Length: 4000\r\n)/, '200 OK HEAD');
      const bytes = Buffer.from(SCENES.map(({ request }) => request).join(''), 'latin1');
      await send(socket, pieces(bytes, requestCuts));
      const isWhole = (): boolean =>
        answersIn(marked()).filter(({ start }) => !isInterim(start)).length === SCENES.length;
      await until(() => isWhole() || socket.destroyed);
      socket.destroy();
      return { requests, answers: answersIn(marked()) };
    };
  }

  it('changes nothing of what the origin and the client are told', async () => {
    const play = await stage();
    const whole = await play([], []);
    expect(whole.requests.map(({ start }) => start)).toEqual([
      'GET /0?a=b HTTP/1.1',
      'POST /1 HTTP/1.1',
      'PUT /2 HTTP/1.1',
      'HEAD /3 HTTP/1.1',
      'GET /4 HTTP/1.1',
    ]);
    expect(whole.answers.map(({ start }) => start)).toEqual([
      'HTTP/1.1 103 Early Hints',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 201 Created',
      'HTTP/1.1 100 Continue',
      'HTTP/1.1 204 ',
      'HTTP/1.1 200 OK HEAD',
      'HTTP/1.1 404 Not Found',
    ]);
    expect(whole.requests[2]).toMatchObject({ body: '\r\n0HTTP/1.', trailers: ['x-end: yes'] });
    expect(whole.answers[2]).toMatchObject({ body: 'ab\r\nc0123456789', trailers: ['x-sum: 7'] });

    const cuts = fc.array(fc.nat(2_000), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2_000), { maxLength: 30 }),
        fc.tuple(cuts, cuts, cuts, cuts, cuts),
        async (requestCuts, answerCuts) => {
          expect(await play(requestCuts, answerCuts)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
    const all = SCENES.map(({ answer }) => everywhere(Buffer.from(answer, 'latin1')));
    const bytes = Buffer.from(SCENES.map(({ request }) => request).join(''), 'latin1');
    expect(await play(everywhere(bytes), all)).toEqual(whole);
  }, 60_000);
});
