import { createConnection, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import type { IdleOrder, IdleWord } from './soak-messages.ts';

/** Clients that connect, ask once, and then keep the connection and say nothing: orders over the channel to the parent. */
const AT_ONCE = 100;
/** One pair of addresses has some 28,000 ports, and those of the last run may still wait for their end. */
const SOURCES = 8;
const REQUEST = 'GET / HTTP/1.1\r\nhost: idle.example\r\naccept: */*\r\n\r\n';

const sockets: Socket[] = [];

function ask(port: number, index: number): Promise<string | undefined> {
  return new Promise((done) => {
    const reader = new AnswerReader();
    const socket = createConnection({
      host: '127.0.0.1',
      port,
      localAddress: `127.0.0.${2 + (index % SOURCES)}`,
    });
    sockets.push(socket);
    socket.write(REQUEST);
    socket.on('data', (bytes) => {
      if (reader.push(bytes)) done(reader.status === 200 ? undefined : `status ${reader.status}`);
    });
    socket.on('error', (error) => done(error.message));
    socket.on('close', () => done('closed'));
  });
}

async function come(port: number, clients: number): Promise<void> {
  let next = 0;
  let answered = 0;
  let why: string | undefined;
  async function some(): Promise<void> {
    while (next < clients) {
      const failed = await ask(port, next++);
      if (failed === undefined) answered += 1;
      why ??= failed;
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  process.send?.({ kind: 'here', answered, why } satisfies IdleWord);
}

process.on('message', (order: IdleOrder) => void come(order.port, order.clients));
process.on('disconnect', () => process.exit());
