import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** An HTTP server on loopback that can go away and come back on the same port, as a crashed process would. */
export interface Listener {
  /** Valid after `open`; kept while down. */
  readonly port: number;
  readonly url: string;
  open(): Promise<void>;
  /** Closes the port and destroys every connection: clients see resets, then refusals. */
  shut(): Promise<void>;
}

export function createListener(
  wantedPort: number,
  onRequest: RequestHandler,
  onUpgrade?: UpgradeHandler,
): Listener {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = wantedPort;

  function listen(): Promise<void> {
    // Uploads and streams may take as long as they like; the router in front of a real one waits 900 s.
    const next = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, onRequest);
    next.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    next.on('clientError', (_error, socket) => socket.destroy());
    if (onUpgrade) next.on('upgrade', onUpgrade);
    server = next;
    return new Promise((resolve, reject) => {
      next.once('error', reject);
      next.listen(port, '127.0.0.1', () => {
        next.off('error', reject);
        const address = next.address();
        if (typeof address === 'object' && address) port = address.port;
        resolve();
      });
    });
  }

  return {
    get port() {
      return port;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    async open() {
      if (!server) await listen();
    },
    async shut() {
      const closing = server;
      if (!closing) return;
      server = undefined;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
