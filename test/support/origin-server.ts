import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OriginServer {
  readonly url: string;
  /** Replaces what it answers from now on. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** An origin in this process that answers what the test wants. */
export async function originServer(answer: OriginServer['answer']): Promise<OriginServer> {
  const server = createServer((request, response) => origin.answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const origin: OriginServer = {
    url: `http://127.0.0.1:${port}`,
    answer,
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return origin;
}
