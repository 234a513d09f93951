import { Agent, type Dispatcher, type FormData, request } from 'undici';
import { platformError, SluiceError } from '../core/errors.ts';
import type { ApiBudgets, Random } from '../core/ports.ts';
import { createApiBudgets } from './api-budget.ts';
import { systemClock } from './clock.ts';
import { apiResilience } from './resilience.ts';

/**
 * The HTTP client all providers share: JSON in and out, a budget of calls, retries of what may be
 * repeated, one token renewal on 401, and errors as `SluiceError`s. It knows no platform: `errorOf` does.
 */
export interface ApiClientOptions {
  readonly platform: string;
  readonly baseUrl: string;
  /** PEM. */
  readonly ca?: string | undefined;
  /** Path of a unix socket to connect to instead of the base URL's host. */
  readonly socketPath?: string;
  readonly random: Random;
  /** Headers for each call, e.g. Authorization; awaited, so it may fetch a token first. */
  readonly headers: () => Promise<Record<string, string>>;
  /** Called once when a call was answered 401; then the call is made once more. */
  readonly onUnauthorized?: () => Promise<void>;
  /** Turns an answer with status ≥ 400 into an error. `undefined`: take it as a normal answer (a 404 that means "none"). */
  readonly errorOf: (answer: ApiAnswer, call: ApiCall) => SluiceError | undefined;
  /** Calls per second at most; 20 by default. Shared by all whose account is the same at the same place. */
  readonly ratePerSecond?: number;
  /** Whose limits the calls count against; no secret. */
  readonly account?: string;
  /** Left out: a budget of its own. */
  readonly budgets?: ApiBudgets | undefined;
  readonly maxAttempts?: number;
  readonly timeoutMs?: number;
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  /** Path below the base URL, or an absolute URL on the same host. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, with `contentType`. */
  readonly body?: string | Buffer | FormData;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** GET, HEAD, PUT and DELETE are repeated on transient errors; POST and PATCH only where this says so. */
  readonly repeatable?: boolean;
  /** Milliseconds until the response head; 0 waits for ever. */
  readonly timeoutMs?: number;
  /** Its answer has no end that could be waited for. */
  readonly isStream?: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  /** Lower-case names; repeated fields joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed body, or undefined where it is no JSON. Servers lie about content types: this goes by the bytes. */
  readonly json: unknown;
}

/** An answer that is read while it comes. */
export interface ApiStream {
  readonly headers: Readonly<Record<string, string>>;
  /** Ends when the server ends it; breaks when the connection does, or the call's signal says so. */
  readonly body: AsyncIterable<Buffer>;
}

export interface ApiClient {
  call(call: ApiCall): Promise<ApiAnswer>;
  /** Without time limit after the head and without retries; undefined where `errorOf` sees no error in a refusal. */
  stream(call: ApiCall): Promise<ApiStream | undefined>;
  close(): Promise<void>;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { platform, random } = options;
  const place = { endpoint: new URL(options.baseUrl).origin, account: options.account ?? '' };
  const turns = (options.budgets ?? createApiBudgets(systemClock)).of(
    place,
    platform,
    options.ratePerSecond ?? 20,
  );
  const resilience = apiResilience({ maxAttempts: options.maxAttempts ?? 4, random });
  const agent = new Agent({
    // Platform routers close idle connections when they like; a short life makes stale ones rare.
    keepAliveTimeout: 4_000,
    connect: {
      timeout: 5_000,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    },
  });
  let closed = false;

  async function send<T>(call: ApiCall, read: (answer: Dispatcher.ResponseData) => Promise<T>): Promise<T> {
    const url = urlOf(options.baseUrl, call);
    const auth = await options.headers();
    const timeoutMs = call.timeoutMs ?? options.timeoutMs ?? 30_000;
    try {
      const answer = await request(url, {
        method: call.method as Dispatcher.HttpMethod,
        dispatcher: agent,
        headers: { accept: 'application/json', ...contentHeaders(call), ...auth, ...call.headers },
        body: bodyOf(call),
        headersTimeout: timeoutMs,
        bodyTimeout: call.isStream === true ? 0 : timeoutMs,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      return await read(answer);
    } catch (error) {
      if (call.signal?.aborted) throw error;
      throw connectionError(platform, url, error);
    }
  }

  async function whole(answer: Dispatcher.ResponseData): Promise<ApiAnswer> {
    const text = await answer.body.text();
    const headers = flatten(answer.headers);
    turns.heard(answer.statusCode, headers);
    return { status: answer.statusCode, headers, text, json: parse(text) };
  }

  /** A refusal is read whole, as any other is. */
  async function head(answer: Dispatcher.ResponseData): Promise<ApiAnswer | ApiStream> {
    if (answer.statusCode >= 400) return whole(answer);
    const headers = flatten(answer.headers);
    turns.heard(answer.statusCode, headers);
    return { headers, body: answer.body };
  }

  async function twice<T extends object>(
    call: ApiCall,
    read: (answer: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    const answer = await turns.take(() => send(call, read), call.signal);
    if (!('status' in answer) || answer.status !== 401 || !options.onUnauthorized) return answer;
    await options.onUnauthorized();
    return turns.take(() => send(call, read), call.signal);
  }

  async function attempt(call: ApiCall): Promise<ApiAnswer> {
    const answer = await twice(call, whole);
    if (answer.status < 400) return answer;
    const error = options.errorOf(answer, call);
    if (error) throw error;
    return answer;
  }

  return {
    call(call) {
      const repeatable = call.repeatable ?? (call.method !== 'POST' && call.method !== 'PATCH');
      const policy = repeatable ? resilience.repeatable : resilience.once;
      return policy.execute(() => attempt(call), call.signal);
    },
    async stream(call) {
      const answer = await twice({ ...call, isStream: true }, head);
      if ('body' in answer) return answer;
      const error = options.errorOf(answer, call);
      if (error) throw error;
      return undefined;
    },
    async close() {
      if (closed) return;
      closed = true;
      await turns.close();
      await agent.destroy();
    },
  };
}

/** Tokens go to the configured host only: an absolute URL elsewhere (a forged `next` link) is refused. */
function urlOf(baseUrl: string, call: ApiCall): URL {
  const base = new URL(baseUrl);
  const url = call.path.startsWith('http')
    ? new URL(call.path)
    : new URL(base.pathname.replace(/\/$/, '') + call.path, base);
  if (url.origin !== base.origin) {
    throw new SluiceError('BUG', `refusing to send credentials for ${base.origin} to ${url.origin}`);
  }
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function contentHeaders(call: ApiCall): Record<string, string> {
  if (call.contentType !== undefined) return { 'content-type': call.contentType };
  return call.json === undefined ? {} : { 'content-type': 'application/json' };
}

function bodyOf(call: ApiCall): string | Buffer | FormData | null {
  if (call.json !== undefined) return JSON.stringify(call.json);
  return call.body ?? null;
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function parse(text: string): unknown {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function connectionError(platform: string, url: URL, error: unknown): SluiceError {
  const why = reasonOf(error);
  const timedOut = /timeout|timed out/i.test(why);
  return platformError(
    timedOut ? 'timeout' : 'unavailable',
    platform,
    `the API at ${url.origin} does not answer`,
    {
      why,
      remedy: `check that ${url.origin} is reachable from here and that the address is right`,
      cause: error,
    },
  );
}

/** undici hides the reason one or two causes deep, and sometimes behind an empty message. */
function reasonOf(error: unknown): string {
  const seen: string[] = [];
  for (let e: unknown = error; e instanceof Error && seen.length < 4; e = e.cause) {
    const code = 'code' in e && typeof e.code === 'string' ? e.code : '';
    seen.push([code, e.message].filter(Boolean).join(' '));
  }
  return seen.filter(Boolean).join(': ') || String(error);
}
