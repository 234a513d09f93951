import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Clock, Logger } from '../../../src/core/ports.ts';
import { errorBody } from './api-body.ts';
import { createApiRouter, type Match } from './api-router.ts';
import type { Actor, ApiAnswer, ApiRoute } from './api-types.ts';
import {
  badQuery,
  CloudError,
  invalidToken,
  notAuthenticated,
  unknownRequest,
  unparsable,
} from './errors.ts';
import type { FaultSwitches } from './faults.ts';
import type { RequestHandler } from './listener.ts';
import { createRateLimiter, type RateLimiter, UNAUTHENTICATED_LIMIT } from './rate-limit.ts';
import type { Uaa } from './uaa.ts';

const SLOW_MS = 2_000;
const NOBODY: Actor = { guid: '', name: '', email: '' };

interface ApiServerDeps {
  readonly routes: readonly ApiRoute[];
  readonly uaa: Pick<Uaa, 'actorOf' | 'revoke'>;
  readonly faults: FaultSwitches;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly rateLimit?: number;
  readonly unauthenticatedLimit?: number;
}

/** The Cloud Controller's front: faults, token, rate limit, parameters, body, handler, error format; in this order. */
export function createApiServer(deps: ApiServerDeps): RequestHandler {
  const match = createApiRouter(deps.routes);
  const limiter = createRateLimiter(deps.clock, deps.rateLimit);
  const byAddress = createRateLimiter(deps.clock, deps.unauthenticatedLimit ?? UNAUTHENTICATED_LIMIT);

  /** A token that is missing or bad counts against the address, which many may share. */
  function actorOf(request: IncomingMessage, headers: Record<string, string>): Actor {
    try {
      return authenticate(request, deps);
    } catch (refused) {
      const counted = byAddress.count(request.socket.remoteAddress ?? '');
      Object.assign(headers, counted.headers);
      if (!counted.over) throw refused;
      headers['retry-after'] = '1';
      const detail =
        'Rate Limit Exceeded: Unauthenticated requests from this IP address have exceeded the limit. Please log in.';
      throw new CloudError(429, 10014, 'CF-IPBasedRateLimitExceeded', detail);
    }
  }

  async function answer(request: IncomingMessage, headers: Record<string, string>): Promise<ApiAnswer> {
    const url = new URL(request.url ?? '/', 'http://api');
    const found = match(request.method ?? 'GET', url.pathname);
    const actor = found?.route.open ? NOBODY : actorOf(request, headers);
    if (!found?.route.open) countRequest(limiter, actor, headers, deps.faults);
    if (!found) throw unknownRequest();
    checkQuery(url.searchParams, found);
    const body = found.route.rawBody ? undefined : await readJson(request);
    return found.route.handler({
      method: request.method ?? 'GET',
      path: url.pathname,
      params: found.params,
      query: url.searchParams,
      body,
      raw: request,
      actor,
    });
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (deps.faults.isOn('api-slow')) await deps.clock.sleep(SLOW_MS);
    if (deps.faults.isOn('api-502')) return sendRouterError(response);
    if (isUpload(request) && deps.faults.take('upload-cut-once')) return cutOff(request);
    const headers: Record<string, string> = { 'x-vcap-request-id': `${deps.newId()}::${deps.newId()}` };
    try {
      send(response, await answer(request, headers), headers);
    } catch (caught) {
      if (!(caught instanceof CloudError)) {
        deps.logger.error(
          { error: String(caught), url: request.url },
          'local cloud foundry: a handler failed',
        );
      }
      sendError(response, caught, headers);
    }
  }

  return (request, response) => {
    serve(request, response).catch(() => response.destroy());
  };
}

function authenticate(request: IncomingMessage, deps: ApiServerDeps): Actor {
  const header = request.headers.authorization;
  if (header === undefined) throw notAuthenticated();
  const token = /^bearer (.+)$/i.exec(header)?.[1] ?? '';
  if (deps.faults.take('api-401-once')) deps.uaa.revoke(token);
  const actor = deps.uaa.actorOf(token);
  if (!actor) throw invalidToken();
  if (deps.faults.take('api-500-thrice')) throw unknownError();
  return actor;
}

function countRequest(
  limiter: RateLimiter,
  actor: Actor,
  headers: Record<string, string>,
  faults: FaultSwitches,
): void {
  // A limiter that is not Cloud Controller's own says nothing of its limits.
  if (faults.isOn('api-429-bare')) throw rateLimited();
  const counted = limiter.count(actor.guid);
  Object.assign(headers, counted.headers);
  const fault = faults.isOn('api-429');
  if (!counted.over && !fault) return;
  if (fault) headers['x-ratelimit-remaining'] = '0';
  headers['retry-after'] = '1';
  throw rateLimited();
}

function rateLimited(): CloudError {
  return new CloudError(429, 10013, 'CF-RateLimitExceeded', 'Rate Limit Exceeded');
}

function unknownError(): CloudError {
  return new CloudError(500, 10001, 'UnknownError', 'An unknown error occurred.');
}

function isUpload(request: IncomingMessage): boolean {
  return /^multipart\//i.test(request.headers['content-type'] ?? '');
}

/** As a load balancer does that gives up in the middle of a body. */
function cutOff(request: IncomingMessage): void {
  request.once('data', () => request.socket.resetAndDestroy());
}

function checkQuery(query: URLSearchParams, { route }: Match): void {
  if (route.anyQuery) return;
  const known = route.query ?? [];
  const unknown: string[] = [];
  for (const name of new Set(query.keys())) {
    if (!known.includes(name.replace(/\[[\w.]*\]$/, ''))) unknown.push(name);
  }
  if (unknown.length === 0) return;
  const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
  throw badQuery(`Unknown query parameter(s): ${quoted(unknown)}. Valid parameters are: ${quoted(known)}`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const sent = await text(request);
  if (sent.trim() === '') return undefined;
  try {
    return JSON.parse(sent);
  } catch {
    throw unparsable();
  }
}

function send(response: ServerResponse, answer: ApiAnswer, headers: Record<string, string>): void {
  const bytes =
    answer.bytes ?? (answer.body === undefined ? undefined : Buffer.from(JSON.stringify(answer.body)));
  response.writeHead(answer.status, {
    ...headers,
    ...(bytes
      ? { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length }
      : { 'content-length': 0 }),
    ...answer.headers,
  });
  response.end(bytes);
}

function sendError(response: ServerResponse, caught: unknown, headers: Record<string, string>): void {
  const error = caught instanceof CloudError ? caught : unknownError();
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(errorBody(error));
  // The rate limiter sits in front of the framework and says text/plain about its JSON.
  const type = error.status === 429 ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(error.status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** What a client sees when the router in front of the API cannot reach it: not JSON, and not about any app. */
function sendRouterError(response: ServerResponse): void {
  const text = '502 Bad Gateway: Registered endpoint failed to handle the request.\n';
  response.writeHead(502, {
    'content-type': 'text/plain; charset=utf-8',
    'x-cf-routererror': 'endpoint_failure (dial tcp 10.0.16.9:9024: connect: connection refused)',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
