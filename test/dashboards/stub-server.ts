import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoggedEvent } from '../../src/core/events.ts';
import { EXPLANATION, shopStatus } from './shop-status.ts';

/** Answers like the admin API, always the same; events are sent by hand, to streams that come later too. */
export interface StubServer {
  readonly url: string;
  emit(event: LoggedEvent): void;
  close(): Promise<void>;
}

export async function startStubServer(): Promise<StubServer> {
  const streams = new Set<ServerResponse>();
  const emitted: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/v1/status') answer(response, shopStatus());
    else if (path === '/v1/explain/shop') answer(response, EXPLANATION);
    else if (path.startsWith('/v1/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.add(response);
      for (const text of emitted) response.write(text);
      response.on('close', () => streams.delete(response));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    emit(event) {
      const text = `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
      emitted.push(text);
      for (const stream of streams) stream.write(text);
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
