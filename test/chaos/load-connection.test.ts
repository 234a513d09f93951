import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LoadConnection, type Pending } from './load-connection.ts';

const WHOLE = 'HTTP/1.1 200 OK\r\nx-origin: secondary\r\ncontent-length: 4\r\n\r\nxxxz';

let server: Server | undefined;
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((closed) => server?.close(closed) ?? closed(undefined));
});

/** One request to somebody who does this with it. */
async function ask(serve: (socket: Socket) => void): Promise<Pending & { reusable: boolean }> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => serve(socket));
  });
  await new Promise<void>((listening) => server!.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const connection = new LoadConnection(port, 4, (done, pending) => {
      const { isReusable } = done;
      done.close();
      resolve({ ...pending, reusable: isReusable });
    });
    connection.send('GET / HTTP/1.1\r\nhost: x\r\n\r\n', 5, -1);
  });
}

describe('a client of the drill', () => {
  it('takes a whole answer, says whose it was, and keeps the connection', async () => {
    expect(await ask((socket) => socket.write(WHOLE))).toEqual({
      dueAt: 5,
      unsafe: -1,
      outcome: 'ok',
      side: 'secondary',
      reusable: true,
    });
  });

  it.each([
    ['ended', (socket: Socket) => socket.end(WHOLE.slice(0, -2)), 'cut'],
    ['reset before an answer', (socket: Socket) => socket.resetAndDestroy(), 'failed'],
    ['ended before an answer', (socket: Socket) => socket.end(), 'failed'],
    ['refused by a status', (socket: Socket) => socket.write(WHOLE.replace('200 OK', '502 No')), 'status'],
    [
      'cut and framed as whole',
      (socket: Socket) => socket.write(WHOLE.replace('4', '3').slice(0, -1)),
      'forged',
    ],
    ['whole and of another content', (socket: Socket) => socket.write(WHOLE.replace('xz', 'xx')), 'forged'],
    ['followed by more', (socket: Socket) => socket.write(`${WHOLE}HTTP/1.1 200 OK\r\n`), 'forged'],
  ])('tells an answer that was %s', async (_what, serve, outcome) => {
    expect((await ask(serve)).outcome).toBe(outcome);
  });

  it('tells nobody at home', async () => {
    const closed = await new Promise<number>((resolve) => {
      const once = createServer().listen(0, '127.0.0.1', () => {
        const { port } = once.address() as AddressInfo;
        once.close(() => resolve(port));
      });
    });
    const pending = await new Promise<Pending>((resolve) => {
      new LoadConnection(closed, 4, (_, done) => resolve(done)).send('GET / HTTP/1.1\r\n\r\n', 0, -1);
    });
    expect(pending.outcome).toBe('failed');
    server = undefined;
  });
});
