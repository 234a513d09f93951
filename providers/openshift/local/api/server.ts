import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Runnable } from '../../../../src/core/ports.ts';
import type { Cluster } from '../cluster.ts';
import { internalError, StatusError } from '../errors.ts';
import { dispatch } from './dispatch.ts';
import type { Answer } from './http.ts';

export interface ApiServer extends Runnable {
  readonly port: number;
  setDown(down: boolean): Promise<void>;
}

const SLOW_MS = 2_000;
const HOST = '127.0.0.1';

/** The control plane's port. Faults act here, before anything is understood. */
export function createApiServer(
  cluster: Cluster,
  wantedPort: number,
  takeOnce: (fault: 'api-401-once') => boolean,
): ApiServer {
  let server: Server | undefined;
  let port = wantedPort;

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (cluster.faults.has('api-slow')) await cluster.clock.sleep(SLOW_MS);
    if (cluster.faults.has('api-502')) {
      response.writeHead(502, { 'content-type': 'text/html', connection: 'close' });
      response.end('<html><body><h1>502 Bad Gateway</h1></body></html>\n');
      return;
    }
    if (cluster.faults.has('api-429')) {
      response.setHeader('retry-after', '1');
      const busy = new StatusError(
        429,
        'TooManyRequests',
        'the server has received too many requests and has asked us to try again later',
        { retryAfterSeconds: 1 },
      );
      write(cluster, response, { kind: 'json', code: 429, body: busy.status });
      return;
    }
    const url = new URL(incoming.url ?? '/', 'http://api');
    const anonymous = incoming.headers.authorization === undefined;
    try {
      if (!anonymous && takeOnce('api-401-once')) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
      const request = {
        method: incoming.method ?? 'GET',
        query: url.searchParams,
        headers: incoming.headers,
        incoming,
        response,
      };
      write(cluster, response, await dispatch(cluster, request, url.pathname));
    } catch (error) {
      if (response.destroyed) return;
      const refused = error instanceof StatusError ? error : internalError(String(error));
      if (!(error instanceof StatusError)) {
        cluster.logger?.error(
          { error: error instanceof Error ? error.stack : String(error) },
          'an API handler broke',
        );
      }
      // An upload that nobody will read any more must not hold the connection.
      if (!incoming.complete) response.setHeader('connection', 'close');
      write(cluster, response, { kind: 'json', code: refused.code, body: refused.status });
    }
  }

  function open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const opened = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (incoming, response) => {
        void handle(incoming, response);
      });
      server = opened;
      opened.once('error', reject);
      opened.listen({ port, host: HOST }, () => {
        const address = opened.address();
        if (typeof address === 'object' && address) port = address.port;
        resolve();
      });
    });
  }

  async function shut(): Promise<void> {
    const closing = server;
    server = undefined;
    closing?.closeAllConnections();
    await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
  }

  return {
    name: 'api',
    get port() {
      return port;
    },
    start: open,
    async setDown(down) {
      if (down === (server === undefined)) return;
      await (down ? shut() : open());
    },
    close: shut,
  };
}

function write(cluster: Cluster, response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  response.setHeader('audit-id', cluster.store.uid());
  response.setHeader('cache-control', 'no-cache, private');
  if (answer.kind === 'stream') {
    response.statusCode = 200;
    response.setHeader('content-type', answer.contentType);
    answer.write(response);
    return;
  }
  if (answer.kind === 'text') {
    response.setHeader('x-content-type-options', 'nosniff');
    send(response, answer.code, answer.contentType, answer.text);
    return;
  }
  const warnings = answer.warnings ?? [];
  if (warnings.length > 0) {
    response.setHeader(
      'warning',
      warnings.map((text) => `299 - ${JSON.stringify(text)}`),
    );
  }
  send(response, answer.code, 'application/json', `${JSON.stringify(answer.body)}\n`);
}

function send(response: ServerResponse, code: number, contentType: string, text: string): void {
  response.setHeader('content-type', contentType);
  response.setHeader('content-length', Buffer.byteLength(text));
  response.statusCode = code;
  response.end(text);
}
