import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../src/core/ports.ts';
import { createForwarder } from '../../../src/lib/http-proxy.ts';
import type { Endpoint } from './engine/instances.ts';
import type { Ice } from './ice.ts';
import { dialFailure, endpointFailure, endRaw } from './router-errors.ts';

const DIAL_MS = 5_000;

/** A client that asked for another protocol, as node hands it over. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly client: Duplex;
  readonly head: Buffer;
}

export interface Upgrades {
  /** On the first of these that can be dialled. Never rejects. */
  serve(
    asked: UpgradeRequest,
    endpoints: readonly Endpoint[],
    headersFor: (endpoint: Endpoint) => OutgoingHttpHeaders,
  ): Promise<void>;
  close(): void;
}

/** WebSockets and whatever else an app switches to. */
export function createUpgrades(clock: Clock, ice: Ice): Upgrades {
  const forwarder = createForwarder();

  return {
    async serve({ request, client, head }, endpoints, headersFor) {
      let failure = endpointFailure('no more endpoints');
      for (const endpoint of endpoints) {
        const dialled = await dial(endpoint.port, clock);
        await ice.passable();
        if (client.destroyed) {
          if ('connection' in dialled) dialled.connection.destroy();
          return;
        }
        if ('error' in dialled) {
          failure = dialFailure(dialled.error);
          continue;
        }
        const { connection } = dialled;
        forwarder.upgrade(request, client, head, `http://127.0.0.1:${endpoint.port}`, {
          headers: headersFor(endpoint),
          connection,
          onError: (error) => endRaw(client, dialFailure(error)),
          onTunnel(app) {
            app.unpipe(client);
            client.unpipe(app);
            ice.pipe(app, client);
            ice.pipe(client, app);
          },
        });
        return;
      }
      endRaw(client, failure);
    },
    close: forwarder.close,
  };
}

type Dialled = { readonly connection: Socket } | { readonly error: Error };

function dial(port: number, clock: Clock): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const expire = clock.after(DIAL_MS, () => socket.destroy(new Error('i/o timeout')));
    // Stays: the connection may also break while nobody else listens, in a frozen router.
    socket.on('error', (error) => {
      expire();
      resolve({ error });
    });
    socket.once('connect', () => {
      expire();
      resolve({ connection: socket });
    });
  });
}
