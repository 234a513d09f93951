import type { Server } from 'node:net';
import { SluiceError } from '../core/errors.ts';
import type { ListenAddress } from './wire.ts';

/**
 * Connections that may wait to be taken; the kernel's own limit (net.core.somaxconn) is usually the same. With Node's
 * 511 a burst of clients that comes while an origin stalls loses its SYNs, and each of those waits a second.
 */
const BACKLOG = 4096;

/** Resolves with the port that was taken; PORT_IN_USE names the address and what to do. `node:http` servers are `net` ones. */
export function listenOn(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    function failed(error: NodeJS.ErrnoException): void {
      const taken = error.code === 'EADDRINUSE';
      reject(
        new SluiceError(
          taken ? 'PORT_IN_USE' : 'BUG',
          taken ? 'another program listens on this port' : 'cannot listen',
          {
            where: `${host}:${port}`,
            why: error.message,
            remedy: taken ? 'stop it, or choose another port under gateway.listen' : 'check gateway.listen',
            cause: error,
          },
        ),
      );
    }
    server.once('error', failed);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', failed);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
