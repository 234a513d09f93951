import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { type Cleanup, httpOrigin, startGateway, tableOf, until } from '../harness.ts';

const CLIENTS = 24;
const REQUESTS = 8;
/** More than the system buffers for a client that does not read, so that writes have to wait. */
const BIG = 8_000_000;
const BIG_CLIENTS = 3;

let cleanup: Cleanup = { tasks: [] };

beforeEach(() => {
  cleanup = { tasks: [] };
});
afterEach(async () => {
  for (const task of cleanup.tasks) await task();
});

/** Content nobody else sends: eight characters that name who asked, over and over. */
function contentOf(client: number, request: number, length: number): string {
  const mark = `<${String(client).padStart(3, '0')}${String(request).padStart(3, '0')}>`;
  return mark.repeat(Math.ceil(length / 8)).slice(0, length);
}

/**
 * Clients of all speeds ask for content with their own mark and send some, through memory that is spoilt as soon as it
 * is given back. One byte of another client, or of spoilt memory, shows.
 */
it('never shows a client bytes of another, whatever they all do at once', async () => {
  const random = seededRandom(11);
  const sizes = [3, 900, 8_000, 9_000, 66_000, 300_000];
  const wrong: string[] = [];
  let checked = 0;
  const origin = await httpOrigin(cleanup, (request, response) => {
    const [, client, number, length] = (request.url ?? '').split('/').map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const expected = contentOf(client, number, length);
    const got: Buffer[] = [];
    request.on('data', (chunk: Buffer) => got.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(got).toString('latin1');
      if (body !== '' && body !== expected) wrong.push(`origin got a foreign body for ${request.url}`);
      response.setHeader('x-mark', contentOf(client, number, 8));
      if (number % 2 === 0) response.setHeader('content-length', length);
      let at = 0;
      const push = (): void => {
        if (response.destroyed) return;
        if (at >= length) {
          response.end();
          return;
        }
        const to = Math.min(length, at + 1 + Math.floor(random() * (length === BIG ? 40_000 : 100_000)));
        response.write(expected.slice(at, to));
        at = to;
        if (length !== BIG && random() < 0.5) setTimeout(push, 1);
        else setImmediate(push);
      };
      push();
    });
  });
  const { port, gateway } = await startGateway(
    cleanup,
    (settings, clock) => createHttp1Wire(settings, clock, { poison: true }),
    tableOf({ a: { urls: [origin.url] } }),
  );

  async function runClient(client: number): Promise<void> {
    const socket = net.connect({ host: '127.0.0.1', port });
    cleanup.tasks.unshift(() => socket.destroy());
    socket.on('error', () => undefined);
    for (let number = 0; number < REQUESTS; number += 1) {
      const isBig = client < BIG_CLIENTS && number === 0;
      const length = isBig ? BIG : sizes[Math.floor(random() * sizes.length)]!;
      const content = contentOf(client, number, length);
      const withBody = !isBig && random() < 0.4;
      const head = `${withBody ? 'POST' : 'GET'} /${client}/${number}/${length} HTTP/1.1\r\nHost: a\r\n`;
      socket.write(withBody ? `${head}Content-Length: ${length}\r\n\r\n${content}` : `${head}\r\n`, 'latin1');
      if (!isBig && random() < 0.05) {
        socket.resetAndDestroy();
        return;
      }
      const answer = await readAnswer(socket, isBig ? 300 : random() < 0.3 ? 5 : 0);
      if (answer === undefined) throw new Error(`client ${client} lost its connection`);
      if (!answer.head.includes(contentOf(client, number, 8)))
        wrong.push(`foreign head for ${client}/${number}`);
      if (answer.body !== content) wrong.push(`foreign body for ${client}/${number}/${length}`);
      checked += 1;
    }
    socket.destroy();
  }

  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => runClient(client)));
  expect(wrong).toEqual([]);
  expect(checked).toBeGreaterThan(CLIENTS);
  await until(() => gateway.metrics().active === 0);
});

/**
 * The same while everybody breaks off: origins in the middle of answers, clients in the middle of reading them, often
 * with the next request already sent. What did come must be the beginning of what was asked for.
 */
it('never shows a client bytes of another, whoever goes away in the middle', async () => {
  const random = seededRandom(23);
  const sizes = [3, 900, 9_000, 66_000, 300_000];
  const wrong: string[] = [];
  const ends = { whole: 0, cut: 0, left: 0 };
  const origin = await httpOrigin(cleanup, (request, response) => {
    const [, client = 0, number = 0, length = 0] = (request.url ?? '').split('/').map(Number);
    const content = contentOf(client, number, length);
    const breaksAt = random() < 0.15 ? Math.floor(random() * length) : Number.POSITIVE_INFINITY;
    response.setHeader('content-length', length);
    let at = 0;
    const push = (): void => {
      if (response.destroyed) return;
      // The answer before may not have ended yet here, although all of it was sent: then this one has no socket so far.
      if (at >= breaksAt) request.socket.resetAndDestroy();
      else if (at >= length) response.end();
      else {
        const to = Math.min(length, breaksAt, at + 1 + Math.floor(random() * 80_000));
        response.write(content.slice(at, to));
        at = to;
        if (random() < 0.3) setTimeout(push, 1);
        else setImmediate(push);
      }
    };
    push();
  });
  const { port, gateway } = await startGateway(
    cleanup,
    (settings, clock) => createHttp1Wire(settings, clock, { poison: true }),
    tableOf({ a: { urls: [origin.url] } }),
    // Origins break off so often that they would be left alone.
    (settings) => ({ ejection: { ...settings.ejection, consecutive: 1e6, failureRatio: 1 } }),
  );

  /** Two requests at once, all that came of their answers until the connection closed or somebody had enough. */
  function askTwice(client: number, number: number, length: number): Promise<string> {
    return new Promise((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port });
      cleanup.tasks.unshift(() => socket.destroy());
      const leavesAt = random() < 0.2 ? Math.floor(random() * 2 * length) : Number.POSITIVE_INFINITY;
      const request = (n: number): string => `GET /${client}/${n}/${length} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const asked =
        request(number) + request(number + 1).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
      const cut = Math.floor(random() * asked.length);
      let text = '';
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.length < leavesAt) return;
        ends.left += 1;
        socket.resetAndDestroy();
      });
      socket.write(asked.slice(0, cut));
      setImmediate(() => socket.write(asked.slice(cut)));
    });
  }

  async function runClient(client: number): Promise<void> {
    for (let number = 0; number < REQUESTS; number += 2) {
      const length = sizes[Math.floor(random() * sizes.length)]!;
      let rest = await askTwice(client, number, length);
      for (const expected of [number, number + 1]) {
        const headEnd = rest.indexOf('\r\n\r\n');
        if (headEnd < 0 || rest.startsWith('HTTP/1.1 50')) {
          ends.cut += 1;
          break;
        }
        const body = rest.slice(headEnd + 4, headEnd + 4 + length);
        rest = rest.slice(headEnd + 4 + length);
        if (!contentOf(client, expected, length).startsWith(body))
          wrong.push(`${client}/${expected}/${length}`);
        if (body.length < length) {
          ends.cut += 1;
          break;
        }
        ends.whole += 1;
      }
    }
  }

  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => runClient(client)));
  expect(wrong).toEqual([]);
  expect(Math.min(ends.whole, ends.cut, ends.left)).toBeGreaterThan(5);
  await until(() => gateway.metrics().active === 0);
});

/** Reads one answer; a slow reader waits in between, so that writes pile up. */
function readAnswer(socket: Socket, waitMs: number): Promise<{ head: string; body: string } | undefined> {
  return new Promise((resolve) => {
    let slow = waitMs > 0;
    let text = '';
    let checkAt = 0;
    function came(chunk: Buffer): void {
      text += chunk.toString('latin1');
      // Not for every piece of a big one.
      const answer = text.length < checkAt ? undefined : parse(text);
      if (answer === undefined) checkAt = remaining(text);
      if (answer !== undefined) finish(answer);
      else if (slow) {
        socket.pause();
        setTimeout(() => socket.resume(), waitMs);
        // Once is enough for everything to pile up.
        slow = false;
      }
    }
    function closed(): void {
      finish(undefined);
    }
    function finish(answer: { head: string; body: string } | undefined): void {
      socket.off('data', came);
      socket.off('close', closed);
      resolve(answer);
    }
    socket.on('data', came);
    socket.on('close', closed);
  });
}

/** How much must have come before it is worth looking again. */
function remaining(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  const length = headEnd < 0 ? undefined : /content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1];
  return length === undefined ? 0 : headEnd + 4 + Number(length);
}

function parse(text: string): { head: string; body: string } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  let at = headEnd + 4;
  if (length !== undefined) {
    return text.length >= at + Number(length)
      ? { head, body: text.slice(at, at + Number(length)) }
      : undefined;
  }
  if (!text.endsWith('\r\n0\r\n\r\n')) return undefined;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0 || Number.isNaN(size)) return { head, body };
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
