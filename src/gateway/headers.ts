import type { PlatformName } from '../core/ids.ts';
import type { ClientIdentity } from './identity.ts';
import { hasPlatformCookies, scopeSetCookie, unscopeCookies } from './platform-cookies.ts';
import { rewriteCookieDomain, rewriteLocation, rewriteRefresh } from './public-host.ts';
import type { RequestMarks } from './request-marks.ts';
import type { FlatHeaders, RequestHead, ResponseHead } from './wire.ts';
import type { RoleFields } from './writes.ts';

/**
 * What the pipeline wants changed in a request head. Small and made of values that live longer than a request, so
 * that a wire that works on bytes can apply it while it copies; `editRequest` is the same in strings.
 */
export interface HeadEdit {
  /** The Host to send; undefined keeps the client's. */
  readonly host: string | undefined;
  /** Whose cookies may pass, of those that a platform's router sets. */
  readonly platform: PlatformName;
  /** What the origin is told of who may write; undefined: everybody may. */
  readonly role: RoleFields | undefined;
}

/** What is said of a request besides its own fields: one a request, the same for all its attempts. */
export interface RequestStamp {
  readonly client: ClientIdentity;
  readonly marks: RequestMarks;
}

/** What the pipeline wants changed in a response head. */
export interface ResponseEdit {
  /** Set for `publicHost: rewrite`: this host in Location and Set-Cookie domains becomes the client's. */
  readonly from: string | undefined;
  readonly to: string;
  readonly scheme: string;
  /** Whose router's cookies these are; undefined: it is no platform's answer. */
  readonly platform: PlatformName | undefined;
  /** Via, and the request's id in place of what the origin says of it; undefined: there is no request to speak of. */
  readonly marks: RequestMarks | undefined;
  /** One more Set-Cookie; undefined: none. */
  readonly setCookie: string | undefined;
}

export const PSEUDONYM = 'sluice';

export const NO_RESPONSE_EDIT: ResponseEdit = {
  from: undefined,
  to: '',
  scheme: 'http',
  platform: undefined,
  marks: undefined,
  setCookie: undefined,
};

/** Gateways of ours may stand behind each other, but not so many. */
const MAX_PASSES = 10;

/** Fields about one connection (RFC 9110 §7.6.1) and what only a proxy in between may say. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  // What it announces may be dropped on the way, and nobody needs the announcement to read trailers.
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Who the client is: written anew by us, from what it says only when it is a trusted proxy (`identity.ts`). */
export const FORWARDED: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
]);

/**
 * What a platform's router believes about its clients, and what gateways of ours say to each other; from outside it
 * would choose instances or forge identities. So would all that `isPlatformPrivate` finds besides.
 */
export const PLATFORM_PRIVATE: ReadonlySet<string> = new Set([
  'x-cf-app-instance',
  'x-cf-process-instance',
  'x-forwarded-client-cert',
]);

/** Names of these forms are private too: whole families of them. */
export const PRIVATE_PREFIX = 'x-sluice-';
export const INSTANCE_PREFIX = 'x-cf-';
export const INSTANCE_SUFFIX = '-instance';

/** Naming one of these in Connection would make the next hop drop what it decides by. */
const NEVER_CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'authorization',
  'cookie',
  'via',
  ...FORWARDED,
]);

/** Of a lower-case name with dashes. */
export function isPlatformPrivate(name: string): boolean {
  if (PLATFORM_PRIVATE.has(name) || name.startsWith(PRIVATE_PREFIX)) return true;
  return (
    name.startsWith(INSTANCE_PREFIX) &&
    name.endsWith(INSTANCE_SUFFIX) &&
    name.length > INSTANCE_PREFIX.length + INSTANCE_SUFFIX.length
  );
}

/** The fields a Connection header names, or undefined when it names one it must not: then the request is refused. */
export function connectionOptions(value: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase();
    if (name === '') continue;
    if (NEVER_CONNECTION_SPECIFIC.has(name)) return undefined;
    names.push(name);
  }
  return names;
}

/**
 * True when a request has been here already (`via` is our own element), or has passed so many gateways of this kind
 * that it must be going round. Others of them may well stand in front of us.
 */
export function loops(head: RequestHead, via: string): boolean {
  if (head.field('via') === undefined) return false;
  const { headers } = head;
  let passes = 0;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'via') continue;
    for (const element of headers[i + 1]!.split(',')) {
      // `1.1 name (comment)`; whoever passes it on may change the version and the comment, not the name.
      const name = element.trim().split(/[ \t]+/)[1];
      if (name === via.slice(via.indexOf(' ') + 1)) return true;
      if (name !== undefined && isOurs(name)) passes += 1;
    }
  }
  return passes >= MAX_PASSES;
}

function isOurs(name: string): boolean {
  return name === PSEUDONYM || name.startsWith(`${PSEUDONYM}-`);
}

/**
 * The head to send upstream. Host and framing are not in it: the wire writes them from `edit.host` or `head.host`
 * and `head.bodyLength`, never from what was parsed as text. `Connection` and `Upgrade` too.
 */
export function editRequest(head: RequestHead, edit: HeadEdit, stamp: RequestStamp): string[] {
  const { headers } = head;
  const out: string[] = [];
  const listed = listedInConnection(headers);
  let trailers = false;

  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    const lower = canonical(name);
    if (lower === 'host' || lower === 'content-length' || lower === 'expect') continue;
    if (lower === 'te') {
      trailers = trailers || /(^|,)\s*trailers\s*(,|;|$)/i.test(value);
      continue;
    }
    if (HOP_BY_HOP.has(lower) || isPlatformPrivate(lower) || FORWARDED.has(lower)) continue;
    if (lower === 'x-request-id' || lower === 'traceparent' || listed?.includes(lower)) continue;
    if (lower === 'tracestate' && !stamp.marks.continues) continue;
    if (lower === 'max-forwards' && head.method === 'OPTIONS') {
      out.push(name, String(Math.max(0, Number(value) - 1)));
      continue;
    }
    if (lower === 'cookie') {
      const kept = cookiesFor(value, edit);
      if (kept !== '' || value === '') out.push(name, kept);
      continue;
    }
    out.push(name, value);
  }

  if (trailers) out.push('te', 'trailers');
  const { client, marks } = stamp;
  const host = client.host ?? head.host;
  if (host !== '') out.push('x-forwarded-host', host);
  out.push(...client.fields, 'x-request-id', marks.requestId, 'traceparent', marks.traceparent);
  out.push('via', marks.via);
  if (edit.role !== undefined) out.push(...edit.role.fields);
  return out;
}

/** What of a Cookie value may pass. */
export function cookiesFor(value: string, { platform }: HeadEdit): string {
  return hasPlatformCookies(value) ? unscopeCookies(value, platform) : value;
}

/** The head to send to the client, without Connection, Upgrade and Transfer-Encoding: those are the wire's. */
export function editResponse(head: ResponseHead, edit: ResponseEdit): string[] {
  const { headers } = head;
  const out: string[] = [];
  const listed = listedInConnection(headers);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    const lower = name.toLowerCase();
    // `proxy-authenticate` speaks of a proxy of the origin's side; to a client it would be ours.
    if (HOP_BY_HOP.has(lower) || listed?.includes(lower)) continue;
    if (lower === 'x-request-id' && edit.marks !== undefined) continue;
    if (lower === 'set-cookie') out.push(name, editSetCookie(value, edit));
    else if (edit.from === undefined) out.push(name, value);
    else if (lower === 'location' || lower === 'content-location') {
      out.push(name, rewriteLocation(value, edit.from, edit.to, edit.scheme));
    } else if (lower === 'refresh') out.push(name, rewriteRefresh(value, edit.from, edit.to, edit.scheme));
    else out.push(name, value);
  }
  out.push('via', edit.marks?.via ?? `1.1 ${PSEUDONYM}`);
  if (edit.marks !== undefined) out.push('x-request-id', edit.marks.requestId);
  if (edit.setCookie !== undefined) out.push('set-cookie', edit.setCookie);
  return out;
}

function editSetCookie(value: string, { platform, from, to }: ResponseEdit): string {
  const scoped = platform === undefined ? value : scopeSetCookie(value, platform);
  return from === undefined ? scoped : rewriteCookieDomain(scoped, from, to);
}

/** Said after a body these would change what was decided before it (RFC 9110 §6.5.1). */
const NEVER_A_TRAILER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...NEVER_CONNECTION_SPECIFIC,
  'x-request-id',
  'traceparent',
  'tracestate',
  'expect',
  'max-forwards',
  'range',
  'set-cookie',
  'location',
  'cache-control',
  'content-encoding',
  'content-range',
  'www-authenticate',
]);

/**
 * What may pass of the trailers of a request or of its answer: nothing without `TE: trailers`, the word by which
 * everybody on the way says that trailers are understood there, and then no field that decides anything.
 */
export function passingTrailers(
  head: RequestHead,
  trailers: FlatHeaders | undefined,
): FlatHeaders | undefined {
  if (trailers === undefined) return undefined;
  if (!/(^|,)\s*trailers\s*(,|;|$)/i.test(head.field('te') ?? '')) return undefined;
  const passing: string[] = [];
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = canonical(trailers[i]!);
    if (NEVER_A_TRAILER.has(name) || isPlatformPrivate(name)) continue;
    passing.push(trailers[i]!, trailers[i + 1]!);
  }
  return passing.length === 0 ? undefined : passing;
}

function listedInConnection(headers: FlatHeaders): readonly string[] | undefined {
  let listed: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    listed ??= [];
    for (const part of headers[i + 1]!.split(',')) {
      const option = part.trim().toLowerCase();
      // A response may not use this to hide its own framing from us either.
      if (option !== '' && !NEVER_CONNECTION_SPECIFIC.has(option)) listed.push(option);
    }
  }
  return listed;
}

/** Many servers turn `_` and `-` into the same variable, so `X_Forwarded_For` is an alias of ours. */
function canonical(name: string): string {
  const lower = name.toLowerCase();
  if (!lower.includes('_')) return lower;
  const dashed = lower.replaceAll('_', '-');
  return FORWARDED.has(dashed) ||
    isPlatformPrivate(dashed) ||
    dashed === 'x-request-id' ||
    dashed === 'content-length' ||
    dashed === 'transfer-encoding'
    ? dashed
    : lower;
}
