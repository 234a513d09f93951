import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { FAULTS, parseFaultWish } from '../../../src/lib/faults.ts';
import type { FaultSwitches } from './faults.ts';
import type { RequestHandler } from './listener.ts';

/** Not part of any Cloud Foundry: what tests and drills switch, and where they learn the addresses. */
export function createControl(faults: FaultSwitches, describe: () => object): RequestHandler {
  async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const path = (request.url ?? '/').split('?', 1)[0];
    if (request.method === 'GET' && path === '/') return { status: 200, body: describe() };
    if (path !== '/faults')
      return { status: 404, body: { error: 'ask for GET /, GET /faults or POST /faults' } };
    if (request.method === 'GET') return { status: 200, body: { on: faults.active(), faults: FAULTS } };
    if (request.method !== 'POST') return { status: 405, body: { error: 'GET or POST' } };
    const wish = parseFaultWish(await text(request));
    if (!wish) {
      const known = Object.keys(FAULTS).join(', ');
      return { status: 400, body: { error: `send {"fault":"…","on":true}; faults: ${known}` } };
    }
    faults.set(wish.fault, wish.on);
    return { status: 200, body: { on: faults.active() } };
  }

  return (request: IncomingMessage, response: ServerResponse) => {
    answer(request).then(
      ({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
      },
      () => response.destroy(),
    );
  };
}
