import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connectTo, Failures, loadOrders } from './load-orders.ts';
import { requestBytes } from './request.ts';
import { type ResponseReader, responseReader } from './response-reader.ts';

/**
 * Clients that connect, ask once and then say nothing: `idle-process.js ORDERS`. It prints `{ "ready": true }`; told
 * `open` it connects them all, told `ask` each sends one more request; it answers both with `{ answered, errors }`.
 */
const { url, traffic, bodyBytes } = loadOrders();
const target = new URL(url);
const request = requestBytes(target.host);
/** Several, because one pair of addresses has some 28,000 ports and the last ones wait for their end a minute. */
const SOURCES = 10;
/** Connects under way at a time: fewer than any listener's backlog. */
const AT_ONCE = 200;

interface Client {
  readonly socket: Socket;
  readonly reader: ResponseReader;
  answered: () => void;
}

const clients = new Set<Client>();
const failures = new Failures();

function open(index: number): Promise<void> {
  return new Promise((done) => {
    const socket = connectTo(target, () => socket.write(request), `127.0.0.${2 + (index % SOURCES)}`);
    const client: Client = { socket, reader: responseReader(bodyBytes), answered: done };
    clients.add(client);
    socket.on('data', (bytes) => {
      try {
        if (client.reader.push(bytes) > 0) client.answered();
      } catch (error) {
        gone((error as Error).message);
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) => gone(error.code ?? error.message));
    socket.on('close', () => gone('the connection was closed'));

    function gone(why: string): void {
      if (!clients.delete(client)) return;
      failures.add(why);
      socket.destroy();
      client.answered();
    }
  });
}

function ask(client: Client): Promise<void> {
  return new Promise((done) => {
    client.answered = done;
    client.socket.write(request);
  });
}

/** Runs one job for each item, so many at a time. */
async function each<T>(items: Iterable<T>, job: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  async function next(): Promise<void> {
    for (let item = queue.next(); item.done !== true; item = queue.next()) await job(item.value);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

createInterface({ input: process.stdin })
  .on('line', async (order) => {
    if (order === 'open') await each(Array.from({ length: traffic.connections }).keys(), open);
    else await each([...clients], ask);
    process.stdout.write(`${JSON.stringify({ answered: clients.size, errors: failures.lines() })}\n`);
  })
  // The bench holds the other end: nothing is left running whatever becomes of it.
  .on('close', () => process.exit(0));

process.stdout.write('{"ready":true}\n');
