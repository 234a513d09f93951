import type { FlatHeaders, RequestHead, ResponseHead } from './wire.ts';

/**
 * What the pipeline wants changed in a request head. Small and made of values that live longer than a request, so
 * that a wire that works on bytes can apply it while it copies; `editRequest` is the same in strings.
 */
export interface HeadEdit {
  /** The Host to send; undefined keeps the client's. */
  readonly host: string | undefined;
}

/** What the pipeline wants changed in a response head. */
export interface ResponseEdit {
  /** Set for `publicHost: rewrite`: this host in Location and Set-Cookie domains becomes the client's. */
  readonly from: string | undefined;
  readonly to: string;
  readonly scheme: 'http' | 'https';
}

export const NO_RESPONSE_EDIT: ResponseEdit = { from: undefined, to: '', scheme: 'http' };

export const PSEUDONYM = 'sluice';

/** Gateways of ours may stand behind each other, but not so many. */
const MAX_PASSES = 5;

/** Fields about one connection (RFC 9110 §7.6.1) and what only a proxy in between may say. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
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

/** Written anew by us; what the client said counts only when it is a trusted proxy. */
const FORWARDED: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
]);

/** What a platform's router believes about its clients; from outside it would choose instances or forge identities. */
const PLATFORM_PRIVATE: ReadonlySet<string> = new Set([
  'x-cf-app-instance',
  'x-cf-process-instance',
  'x-forwarded-client-cert',
]);

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

/** True when a request has passed gateways of ours so often that its origin must be one of them. */
export function loops(head: RequestHead): boolean {
  const via = head.field('via');
  return via !== undefined && via.split(`1.1 ${PSEUDONYM}`).length > MAX_PASSES;
}

/**
 * The head to send upstream. Host and framing are not in it: the wire writes them from `edit.host` or `head.host`
 * and `head.bodyLength`, never from what was parsed as text. `Connection` and `Upgrade` too.
 */
export function editRequest(head: RequestHead): string[] {
  const { headers, peer } = head;
  const out: string[] = [];
  const listed = listedInConnection(headers);
  let via = '';
  let forwardedFor = '';
  let proto = '';
  let host = '';
  let port = '';
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
    if (HOP_BY_HOP.has(lower) || PLATFORM_PRIVATE.has(lower) || listed?.includes(lower)) continue;
    if (lower === 'max-forwards' && head.method === 'OPTIONS') {
      out.push(name, String(Math.max(0, Number(value) - 1)));
      continue;
    }
    if (lower === 'via') {
      via = via === '' ? value : `${via}, ${value}`;
      continue;
    }
    if (FORWARDED.has(lower)) {
      if (!peer.trusted || name.includes('_')) continue;
      if (lower === 'x-forwarded-for')
        forwardedFor = forwardedFor === '' ? value : `${forwardedFor}, ${value}`;
      else if (lower === 'x-forwarded-proto') proto = value;
      else if (lower === 'x-forwarded-host') host = value;
      else if (lower === 'x-forwarded-port') port = value;
      else out.push(name, value);
      continue;
    }
    out.push(name, value);
  }

  if (trailers) out.push('te', 'trailers');
  out.push(
    'x-forwarded-for',
    forwardedFor === '' ? peer.address : `${forwardedFor}, ${peer.address}`,
    'x-forwarded-proto',
    proto === '' ? (peer.encrypted ? 'https' : 'http') : proto,
  );
  if (host !== '' || head.host !== '') out.push('x-forwarded-host', host === '' ? head.host : host);
  out.push('x-forwarded-port', port === '' ? String(peer.localPort) : port);
  out.push('via', via === '' ? `1.1 ${PSEUDONYM}` : `${via}, 1.1 ${PSEUDONYM}`);
  return out;
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
    if (edit.from !== undefined && (lower === 'location' || lower === 'content-location')) {
      out.push(name, rewriteLocation(value, edit.from, edit.to, edit.scheme));
    } else if (edit.from !== undefined && lower === 'set-cookie') {
      out.push(name, rewriteCookieDomain(value, edit.from, edit.to));
    } else out.push(name, value);
  }
  out.push('via', `1.1 ${PSEUDONYM}`);
  return out;
}

/** Said after a body these would change what was decided before it (RFC 9110 §6.5.1). */
const NEVER_A_TRAILER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...NEVER_CONNECTION_SPECIFIC,
  ...PLATFORM_PRIVATE,
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
    if (!NEVER_A_TRAILER.has(canonical(trailers[i]!))) passing.push(trailers[i]!, trailers[i + 1]!);
  }
  return passing.length === 0 ? undefined : passing;
}

/** An absolute URL on the platform's host becomes one on the public host; anything else stays. */
export function rewriteLocation(value: string, from: string, to: string, scheme: string): string {
  const match = /^(https?:)?\/\/([^/?#]+)(.*)$/is.exec(value);
  if (match === null || match[2]!.toLowerCase() !== from.toLowerCase()) return value;
  return `${scheme}://${to}${match[3]}`;
}

/** `Domain` naming the platform's host, or a parent of it, becomes the public host without its port. */
export function rewriteCookieDomain(value: string, from: string, to: string): string {
  return value.replace(/;(\s*)domain\s*=\s*([^;]*)/i, (whole, space: string, domain: string) => {
    const wanted = domain.trim().replace(/^\./, '').toLowerCase();
    const host = hostname(from).toLowerCase();
    if (wanted !== host && !host.endsWith(`.${wanted}`)) return whole;
    return `;${space}Domain=${hostname(to)}`;
  });
}

export function hostname(authority: string): string {
  if (authority.startsWith('[')) {
    const end = authority.indexOf(']');
    return end < 0 ? authority : authority.slice(0, end + 1);
  }
  const colon = authority.indexOf(':');
  return colon < 0 ? authority : authority.slice(0, colon);
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
    PLATFORM_PRIVATE.has(dashed) ||
    dashed === 'content-length' ||
    dashed === 'transfer-encoding'
    ? dashed
    : lower;
}
