import type { ReleaseId } from '../core/ids.ts';
import type { HealthSettings } from '../core/settings.ts';

export interface ProbeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Empty unless the release is asked from it. */
  readonly body: string;
}

export interface Classified {
  readonly ok: boolean;
  readonly detail: string;
  readonly release?: ReleaseId;
}

/** What of the health rule an answer is held against. */
export type Expected = Pick<HealthSettings, 'status'> & Partial<Pick<HealthSettings, 'release' | 'body'>>;

/** Is the head not enough to classify by this rule? */
export function wantsBody({ release, body }: HealthSettings): boolean {
  return body !== undefined || (release !== undefined && 'json' in release);
}

/** Who answered: the platform's router or the application? And is it the answer the health rule wants? */
export function classifyAnswer(answer: ProbeAnswer, health: Expected): Classified {
  const router = routerError(answer);
  if (router !== undefined) return { ok: false, detail: `router ${router}` };
  const { status } = answer;
  if (status < health.status.from || status > health.status.to)
    return { ok: false, detail: `status ${status}` };
  if (health.body !== undefined && !isIn(answer.body, health.body)) return { ok: false, detail: WRONG_BODY };
  const release = releaseOf(answer, health);
  return { ok: true, detail: 'ok', ...(release === undefined ? {} : { release }) };
}

/**
 * The router was asked for a host that it cannot know: saying so is how it shows that it lives. A nameless 502, 503 or
 * 504 comes from what stands in front of it.
 */
export function classifyControl(answer: ProbeAnswer): Classified {
  if (routerError(answer) !== undefined || answer.status < 500) return { ok: true, detail: 'ok' };
  return { ok: false, detail: `status ${answer.status}` };
}

/** The word for an answer that lacks what `health.body` wants in it. */
export const WRONG_BODY = 'body does not match';

function isIn(body: string, wanted: NonNullable<HealthSettings['body']>): boolean {
  return 'contains' in wanted ? body.includes(wanted.contains) : new RegExp(wanted.matches).test(body);
}

/** Cloud Foundry's router names its own errors; OpenShift's is known by a 503 page that no application has. */
function routerError(answer: ProbeAnswer): string | undefined {
  const named = field(answer, 'x-cf-routererror');
  if (named !== undefined) return named === '' ? String(answer.status) : named;
  const isPage =
    answer.status === 503 &&
    field(answer, 'set-cookie') === undefined &&
    field(answer, 'pragma') === 'no-cache' &&
    field(answer, 'cache-control') === 'private, max-age=0, no-cache, no-store' &&
    field(answer, 'content-type')?.startsWith('text/html') === true;
  return isPage ? '503' : undefined;
}

function releaseOf(answer: ProbeAnswer, health: Expected): ReleaseId | undefined {
  if (health.release === undefined) return undefined;
  if ('header' in health.release) return clean(field(answer, health.release.header.toLowerCase()));
  return clean(jsonField(answer.body, health.release.json));
}

/** `version` or `build.release`. */
function jsonField(body: string, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

/** It comes from outside and goes into events: short, and one line. */
function clean(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return /^[\x21-\x7e]{1,100}$/.test(text) ? text : undefined;
}

function field(answer: ProbeAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

const DETAIL_OF_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name not found',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/** A short word for what went wrong before any answer; never the error's own text, which may hold an address. */
export function classifyError(error: unknown): string {
  if (error instanceof Error && error.name === 'HTTPParserError') return 'not HTTP';
  const code = codeOf(error);
  if (code === undefined) return 'failed';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/.test(code))
    return 'tls';
  return DETAIL_OF_CODE[code] ?? code.toLowerCase();
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses were tried: each has its own error.
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return undefined;
}
