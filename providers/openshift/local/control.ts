import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Runnable } from '../../../src/core/ports.ts';
import { FAULTS, type Fault, parseFaultWish } from '../../../src/lib/faults.ts';
import type { JsonObject } from './json.ts';

interface ControlServer extends Runnable {
  readonly port: number;
}

/** What the real platform does not have: a port to be told what to break. `GET /` says where everything is. */
export function createControlServer(
  wantedPort: number,
  describe: () => JsonObject,
  faults: {
    readonly list: () => readonly Fault[];
    readonly set: (fault: Fault, on: boolean) => Promise<void>;
  },
): ControlServer {
  let server: Server | undefined;
  let port = wantedPort;

  async function answer(incoming: IncomingMessage): Promise<{ code: number; body: JsonObject }> {
    const path = (incoming.url ?? '/').split('?')[0];
    if (incoming.method === 'GET' && path === '/') return { code: 200, body: describe() };
    if (path !== '/faults') return { code: 404, body: { error: 'there are / and /faults' } };
    if (incoming.method === 'GET')
      return { code: 200, body: { on: [...faults.list()], known: { ...FAULTS } } };
    if (incoming.method !== 'POST') return { code: 405, body: { error: 'GET or POST' } };
    const wish = parseFaultWish(await text(incoming));
    if (!wish) {
      const error = `send {"fault": one of ${Object.keys(FAULTS).join(', ')}, "on": true or false}`;
      return { code: 400, body: { error } };
    }
    await faults.set(wish.fault, wish.on);
    return { code: 200, body: { on: [...faults.list()] } };
  }

  return {
    name: 'control',
    get port() {
      return port;
    },
    start() {
      return new Promise((resolve, reject) => {
        const opened = createServer((incoming, response) => {
          answer(incoming)
            .catch((error: unknown) => ({ code: 500, body: { error: String(error) } }))
            .then(({ code, body }) => {
              response.writeHead(code, { 'content-type': 'application/json' });
              response.end(`${JSON.stringify(body)}\n`);
            });
        });
        server = opened;
        opened.once('error', reject);
        opened.listen({ port, host: '127.0.0.1' }, () => {
          const address = opened.address();
          if (typeof address === 'object' && address) port = address.port;
          resolve();
        });
      });
    },
    async close() {
      const closing = server;
      server = undefined;
      closing?.closeAllConnections();
      await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
    },
  };
}
