import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { Clock, Logger } from '../../../src/core/ports.ts';
import type { PlatformProvider, ProviderContext } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';

export interface StubRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Ends the connection without an answer, after the request was taken. */
  readonly cut?: boolean;
}

export type StubHandler = (request: StubRequest) => StubAnswer | undefined;

export interface StubApi {
  readonly url: string;
  /** All requests so far, as `POST /v3/builds`. */
  readonly seen: string[];
  readonly requests: StubRequest[];
  /** Asked first; undefined leaves the request to the defaults: login, one org, one space, one domain. */
  handle: StubHandler;
  provider(options?: { clock?: Clock }): PlatformProvider;
  close(): Promise<void>;
}

export const context: ProviderContext = {
  signal: new AbortController().signal,
  now: () => systemClock.now(),
  log: () => undefined,
};

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A scripted API for what the local platform cannot be told to do: lost answers, refusals at one step. */
export async function stubApi(): Promise<StubApi> {
  const seen: string[] = [];
  const requests: StubRequest[] = [];
  const providers: PlatformProvider[] = [];
  const server = createServer(async (incoming, response) => {
    const request = await read(incoming);
    seen.push(`${request.method} ${request.path}`);
    requests.push(request);
    const answer = api.handle(request) ?? defaults(request, api.url);
    if (answer.cut) return void incoming.socket.destroy();
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api: StubApi = {
    url,
    seen,
    requests,
    handle: () => undefined,
    provider(options = {}) {
      const provider = createProvider({
        platform: 'cf-eu',
        options: {
          api: url,
          org: 'o',
          space: 's',
          domain: 'apps.test',
          router: url,
          credentials: { username: 'admin', password: 'planted-canary-password' },
        },
        clock: options.clock ?? systemClock,
        random: seededRandom(1),
        logger: silentLogger,
      });
      providers.push(provider);
      return provider;
    },
    async close() {
      for (const provider of providers) await provider.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return api;
}

export function listOf(...resources: unknown[]): StubAnswer {
  return { body: { pagination: { next: null }, resources } };
}

export function refusal(status: number, title: string, detail: string): StubAnswer {
  return { status, body: { errors: [{ code: 1, title, detail }] } };
}

export function granted(accessToken: string, more: Record<string, unknown> = {}): StubAnswer {
  return { body: { access_token: accessToken, token_type: 'bearer', expires_in: 600, ...more } };
}

function defaults({ method, path }: StubRequest, url: string): StubAnswer {
  switch (`${method} ${path}`) {
    case 'GET /':
      return {
        body: {
          links: {
            cloud_controller_v3: { href: `${url}/v3`, meta: { version: '3.228.0' } },
            login: { href: `${url}/login` },
            log_cache: null,
          },
        },
      };
    case 'POST /login/oauth/token':
      return granted('first', { refresh_token: 'again' });
    case 'GET /v3/organizations':
      return listOf({ guid: 'org', name: 'o' });
    case 'GET /v3/spaces':
      return listOf({ guid: 'space', name: 's' });
    case 'GET /v3/domains':
      return listOf({ guid: 'domain', name: 'apps.test' });
    default:
      return method === 'GET' && !/[0-9a-f]$/.test(path)
        ? listOf()
        : refusal(404, 'CF-ResourceNotFound', 'none');
  }
}

async function read(incoming: IncomingMessage): Promise<StubRequest> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const url = new URL(incoming.url ?? '/', 'http://stub');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    authorization: incoming.headers.authorization,
    body: Buffer.concat(parts).toString(),
  };
}
