import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** An answer the router makes itself: never from an app. */
export interface RouterError {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly cacheControl?: string;
}

const NEVER_CACHE = 'no-cache, no-store';
const CACHE_SHORTLY = 'public,max-age=2';

export function unknownRoute(host: string): RouterError {
  return {
    status: 404,
    reason: 'unknown_route',
    message: `Requested route ('${host}') does not exist.`,
    cacheControl: NEVER_CACHE,
  };
}

export function noEndpoints(host: string): RouterError {
  return {
    status: 503,
    reason: 'no_endpoints',
    message: `Requested route ('${host}') has no available endpoints.`,
    cacheControl: CACHE_SHORTLY,
  };
}

export function endpointFailure(why: string): RouterError {
  return {
    status: 502,
    reason: `endpoint_failure (${why})`,
    message: 'Registered endpoint failed to handle the request.',
  };
}

/** In the words of Go, which end in `X-Cf-RouterError`. */
export function dialFailure(error: NodeJS.ErrnoException): RouterError {
  if (error.code === 'ECONNREFUSED') return endpointFailure('dial tcp: connect: connection refused');
  return endpointFailure(error.code === 'ECONNRESET' ? 'EOF' : error.message);
}

export function emptyHost(): RouterError {
  return {
    status: 400,
    reason: 'empty_host',
    message: 'Request had empty Host header',
    cacheControl: CACHE_SHORTLY,
  };
}

/** Only the head of the request counts, and a megabyte is the most. */
export function requestTooLarge(): RouterError {
  return {
    status: 431,
    reason: 'max-request-size-exceeded',
    message: 'Maximum request size exceeded',
  };
}

export function invalidInstanceHeader(kind: 'App' | 'Process'): RouterError {
  return {
    status: 400,
    reason: `invalid_cf_${kind.toLowerCase()}_instance_header`,
    message: `Invalid X-CF-${kind}-Instance Header`,
    cacheControl: NEVER_CACHE,
  };
}

export function unknownInstance(host: string, wanted: InstanceWish): RouterError {
  const which = wanted.index === undefined ? '' : ` ('${wanted.index}')`;
  const guid = wanted.by === 'app' ? `guid ('${wanted.guid}')` : `process guid ('${wanted.guid}')`;
  return {
    status: 400,
    reason: 'unknown_route',
    message: `Requested instance${which} with ${guid} does not exist for route ('${host}')`,
    cacheControl: NEVER_CACHE,
  };
}

/** `X-CF-APP-INSTANCE: guid:index` or `X-CF-PROCESS-INSTANCE: guid[:index]`. */
export interface InstanceWish {
  readonly by: 'app' | 'process';
  readonly guid: string;
  readonly index: number | undefined;
}

const GUID = '[\\da-f]{8}-(?:[\\da-f]{4}-){3}[\\da-f]{12}';
const APP_INSTANCE = new RegExp(`^(${GUID}):(\\d+)$`);
const PROCESS_INSTANCE = new RegExp(`^(${GUID})(?::(\\d+))?$`);

export function parseInstanceWish(by: 'app' | 'process', header: string): InstanceWish | undefined {
  const match = (by === 'app' ? APP_INSTANCE : PROCESS_INSTANCE).exec(header);
  if (!match) return undefined;
  return { by, guid: match[1] ?? '', index: match[2] === undefined ? undefined : Number(match[2]) };
}

/** Body and headers as gorouter writes them. */
export function renderRouterError(error: RouterError): {
  readonly body: string;
  readonly headers: Record<string, string>;
} {
  const body = `${error.status} ${STATUS_CODES[error.status] ?? ''}: ${error.message}\n`;
  return {
    body,
    headers: {
      'X-Cf-Routererror': error.reason,
      ...(error.cacheControl === undefined ? {} : { 'Cache-Control': error.cacheControl }),
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Content-Length': String(Buffer.byteLength(body)),
    },
  };
}

/** To a client whose connection node has handed over for an upgrade. */
export function endRaw(client: Duplex, error: RouterError): void {
  const { body, headers } = renderRouterError(error);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const reason = STATUS_CODES[error.status] ?? '';
  client.end(`HTTP/1.1 ${error.status} ${reason}\r\n${lines.join('')}Connection: close\r\n\r\n${body}`);
}
