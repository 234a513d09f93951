import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Runnable } from '../../../../src/core/ports.ts';
import { createDualServer } from '../../../../src/lib/dual-server.ts';
import type { SelfSigned } from '../../../../src/lib/self-signed.ts';
import type { Cluster } from '../cluster.ts';
import { internalError, StatusError } from '../errors.ts';
import { dispatch } from './dispatch.ts';
import type { Answer } from './http.ts';

interface ApiServer extends Runnable {
  readonly port: number;
  setDown(down: boolean): Promise<void>;
}

const SLOW_MS = 2_000;
const KEEP_ALIVE_MS = 60_000;

/** The control plane's port. Faults act here, before anything is understood. */
export function createApiServer(cluster: Cluster, wantedPort: number, tls: SelfSigned): ApiServer {
  const server = createDualServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, tls);
  let port = wantedPort;
  let isDown = false;
  for (const one of server.servers) {
    one.on('request', (incoming, response) => void handle(incoming, response));
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (cluster.faults.has('api-slow')) await cluster.clock.sleep(SLOW_MS);
    if (cluster.faults.has('api-502')) {
      response.writeHead(502, { 'content-type': 'text/html', connection: 'close' });
      response.end('<html><body><h1>502 Bad Gateway</h1></body></html>\n');
      return;
    }
    const bare = cluster.faults.has('api-429-bare');
    if (bare || cluster.faults.has('api-429')) {
      if (!bare) response.setHeader('retry-after', '1');
      const busy = new StatusError(
        429,
        'TooManyRequests',
        'the server has received too many requests and has asked us to try again later',
        bare ? {} : { retryAfterSeconds: 1 },
      );
      write(cluster, response, { kind: 'json', code: 429, body: busy.status });
      return;
    }
    const url = new URL(incoming.url ?? '/', 'http://api');
    const anonymous = incoming.headers.authorization === undefined;
    try {
      if (!anonymous && cluster.takeFault('api-401-once')) {
        throw new StatusError(401, 'Unauthorized', 'Unauthorized');
      }
      if (cluster.takeFault('api-500-thrice')) throw internalError('etcdserver: leader changed');
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

  return {
    name: 'api',
    get port() {
      return port;
    },
    async start() {
      port = await server.listen(port);
    },
    async setDown(down) {
      if (down === isDown) return;
      isDown = down;
      if (down) await server.close();
      else await server.listen(port);
    },
    close: () => server.close(),
  };
}

function write(cluster: Cluster, response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  response.setHeader('audit-id', cluster.store.uid());
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-cache, private');
  if (answer.kind === 'stream') {
    response.statusCode = 200;
    response.setHeader('content-type', answer.contentType);
    answer.write(response);
    return;
  }
  if (answer.kind === 'redirect') {
    response.writeHead(302, { location: answer.location, 'content-length': 0 });
    response.end();
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
