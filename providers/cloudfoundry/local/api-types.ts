import type { IncomingMessage } from 'node:http';

/** Who asks, as the token says. */
export interface Actor {
  readonly guid: string;
  readonly name: string;
  readonly email: string;
}

export interface ApiRequest {
  readonly method: string;
  /** `/v3/apps/…`, without the query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Decoded JSON; `undefined` when there was none or the route reads it itself. */
  readonly body: unknown;
  readonly raw: IncomingMessage;
  readonly actor: Actor;
}

export interface ApiAnswer {
  readonly status: number;
  /** `undefined` sends an empty body, as many actions do. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is instead of `body`. */
  readonly bytes?: Buffer;
}

type ApiHandler = (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>;

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** `/v3/apps/:guid`. */
  readonly pattern: string;
  readonly handler: ApiHandler;
  /** Query parameters it takes; any other is a 400. */
  readonly query?: readonly string[];
  /** It is refused anyway. */
  readonly anyQuery?: boolean;
  /** No token needed. */
  readonly open?: boolean;
  /** The handler reads the body from the wire: uploads, manifests. */
  readonly rawBody?: boolean;
}

export function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

export function created(body: unknown): ApiAnswer {
  return { status: 201, body };
}

/** 202 with the job's URL and no body. */
export function accepted(location: string): ApiAnswer {
  return { status: 202, headers: { location } };
}

export function noContent(): ApiAnswer {
  return { status: 204 };
}
