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
