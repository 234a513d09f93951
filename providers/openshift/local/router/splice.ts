import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A port in front of another one, byte for byte. It is what dies and freezes when the router is told to: a frozen one
 * accepts connections and moves nothing in either direction, also on those already open, until it is thawed.
 */
interface Splice {
  listen(port: number): Promise<number>;
  /** Refuses from now on and resets what is open. */
  shut(): Promise<void>;
  freeze(on: boolean): void;
}

export function createSplice(behind: () => number): Splice {
  const pairs = new Set<Pair>();
  let server: Server | undefined;
  let frozen = false;

  function accept(client: Socket): void {
    const inner = connect({ host: '127.0.0.1', port: behind(), noDelay: true });
    client.setNoDelay(true);
    const pair: Pair = { client, inner };
    pairs.add(pair);
    pump(client, inner, () => frozen);
    pump(inner, client, () => frozen);
    for (const socket of [client, inner]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        inner.destroy();
      });
    }
    if (frozen) hold(pair);
  }

  function hold(pair: Pair): void {
    pair.client.pause();
    pair.inner.pause();
  }

  return {
    listen(port) {
      return new Promise((resolve, reject) => {
        const listening = createServer({ allowHalfOpen: true }, accept);
        server = listening;
        listening.once('error', reject);
        listening.listen({ port, host: '127.0.0.1' }, () => {
          const address = listening.address();
          resolve(typeof address === 'object' && address ? address.port : port);
        });
      });
    },
    shut() {
      const closing = server;
      server = undefined;
      for (const { client, inner } of pairs) {
        client.resetAndDestroy();
        inner.destroy();
      }
      return new Promise((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
    },
    freeze(on) {
      frozen = on;
      for (const pair of pairs) {
        if (on) hold(pair);
        else {
          pair.client.resume();
          pair.inner.resume();
        }
      }
    },
  };
}

interface Pair {
  readonly client: Socket;
  readonly inner: Socket;
}

function pump(from: Socket, to: Socket, frozen: () => boolean): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => {
    if (!frozen()) from.resume();
  });
  from.on('end', () => to.end());
}
