import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createDualServer, type DualServer } from '../../../src/lib/dual-server.ts';
import type { SelfSigned } from '../../../src/lib/self-signed.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface ListenerOptions {
  readonly onUpgrade?: UpgradeHandler;
  /** Ends the connection of a client whose head is larger than `maxHeaderSize`, bytes. */
  readonly onOversized?: (socket: Duplex) => void;
  readonly maxHeaderSize?: number;
  /** Speaks TLS too, and says so in its address. */
  readonly tls?: SelfSigned | undefined;
}

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
  { onUpgrade, onOversized, maxHeaderSize, tls }: ListenerOptions = {},
): Listener {
  let server: DualServer | undefined;
  let port = wantedPort;

  return {
    get port() {
      return port;
    },
    get url() {
      return `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
    },
    async open() {
      if (server) return;
      // Uploads and streams may take as long as they like; the router in front of a real one waits 900 s.
      const options = {
        requestTimeout: 0,
        keepAliveTimeout: 60_000,
        ...(maxHeaderSize === undefined ? {} : { maxHeaderSize }),
      };
      const opening = tls ? createDualServer(options, tls) : createPlainServer(options);
      for (const one of opening.servers) {
        one.on('request', onRequest);
        one.on('clientError', (error: NodeJS.ErrnoException, socket) => {
          if (error.code === 'HPE_HEADER_OVERFLOW' && onOversized) onOversized(socket);
          else socket.destroy();
        });
        if (onUpgrade) one.on('upgrade', onUpgrade);
      }
      server = opening;
      port = await opening.listen(port);
    },
    async shut() {
      const closing = server;
      server = undefined;
      await closing?.close();
    },
  };
}

function createPlainServer(options: ServerOptions): DualServer {
  const server = createServer(options);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  return {
    servers: [server],
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          const address = server.address();
          resolve(typeof address === 'object' && address ? address.port : port);
        });
      }),
    closeIdleConnections: () => server.closeIdleConnections(),
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}
