import { createServer as createHttp, type Server as HttpServer, type ServerOptions } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { createServer as createTcp, type Server, type Socket } from 'node:net';
import type { SelfSigned } from './self-signed.ts';

/** HTTP and HTTPS on one port: the first byte of a connection says which (22 begins a TLS handshake). */
export interface DualServer {
  /** Both speak through these; subscribe to each. */
  readonly servers: readonly (HttpServer | HttpsServer)[];
  listen(port: number): Promise<number>;
  closeIdleConnections(): void;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

const TLS_HANDSHAKE = 22;

export function createDualServer(options: ServerOptions, tls: SelfSigned): DualServer {
  const plain = createHttp(options);
  const secure = createHttps({ ...options, cert: tls.certificate, key: tls.key });
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  function accept(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      // Whoever takes the socket over must read from its very first byte.
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) {
        // TLS takes what was read from the buffer and goes on below it; flowing would lose the buffer.
        secure.emit('connection', socket);
        return;
      }
      plain.emit('connection', socket);
      socket.resume();
    });
  }

  return {
    servers: [plain, secure],
    listen(port) {
      return new Promise((resolve, reject) => {
        const opened = createTcp({ noDelay: true }, accept);
        server = opened;
        opened.once('error', reject);
        // They listen on nothing themselves, but only begin to track connections (idle ones, late heads) at this event.
        for (const one of [plain, secure]) one.emit('listening');
        opened.listen({ port, host: '127.0.0.1' }, () => {
          const address = opened.address();
          resolve(typeof address === 'object' && address ? address.port : port);
        });
      });
    },
    closeIdleConnections() {
      plain.closeIdleConnections();
      secure.closeIdleConnections();
    },
    close() {
      const closing = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      // Stops their tracking; that they were not listening is no news.
      for (const one of [plain, secure]) one.close(() => undefined);
      return new Promise((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
    },
  };
}
