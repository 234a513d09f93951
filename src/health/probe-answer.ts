import type { ProbeAnswer } from './classify.ts';

/** What came so far is an answer, no HTTP at all, or not enough to tell. */
export type Reading =
  | { readonly kind: 'answer'; readonly answer: ProbeAnswer; readonly next: Next }
  | { readonly kind: 'more' }
  | { readonly kind: 'not-http' };

/** May the connection be asked again: now, when the rest of the answer is in, or not at all? */
export type Next = 'again' | 'more' | 'close';

/** What is looked for stands near the beginning; nobody's health page is longer. */
export const BODY_LIMIT = 65_536;
const HEAD_LIMIT = 16_384;
const HEAD_END = '\r\n\r\n';
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |\r\n|$)/;

const MORE: Reading = { kind: 'more' };
const NOT_HTTP: Reading = { kind: 'not-http' };
const NOTHING = Buffer.alloc(0);

/**
 * Reads all bytes of one connection that was asked once; called again with more of them. Not the gateway's parser:
 * nothing of this is passed on to anybody, so it takes what a health page may look like and asks no more. `ended`: no
 * byte will follow; what is incomplete then stays `more`.
 */
export function readAnswer(bytes: Buffer, wantsBody: boolean, ended: boolean): Reading {
  let rest = bytes;
  for (;;) {
    if (!mayBeHttp(rest)) return NOT_HTTP;
    const end = rest.indexOf(HEAD_END);
    if (end < 0) return rest.length > HEAD_LIMIT ? NOT_HTTP : MORE;
    const head = rest.toString('latin1', 0, end);
    const status = Number(STATUS_LINE.exec(head)?.[1] ?? 0);
    if (status === 0) return NOT_HTTP;
    rest = rest.subarray(end + HEAD_END.length);
    // 100 Continue, 103 Early Hints: the answer is yet to come.
    if (status < 200) continue;
    const headers = fieldsOf(head);
    const body = wantsBody && !hasNoBody(status) ? bodyOf(rest, headers, ended) : NOTHING;
    if (body === undefined) return MORE;
    const answer = { status, headers, body: body.toString('utf8', 0, BODY_LIMIT) };
    return { kind: 'answer', answer, next: keepsOpen(head, headers) ? afterBody(rest, answer) : 'close' };
  }
}

/** As soon as the first bytes say something else there is nothing to wait for. */
function mayBeHttp(bytes: Buffer): boolean {
  const begin = bytes.toString('latin1', 0, 5);
  return 'HTTP/'.startsWith(begin);
}

/** Names in lower case; of several fields of one name the first. */
function fieldsOf(head: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    if (!Object.hasOwn(fields, name)) fields[name] = line.slice(colon + 1).trim();
  }
  return fields;
}

function keepsOpen(head: string, { connection = '' }: Readonly<Record<string, string>>): boolean {
  return head.startsWith('HTTP/1.1') ? !/\bclose\b/i.test(connection) : /\bkeep-alive\b/i.test(connection);
}

/** RFC 9112, 6.3: whatever their fields say. */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

/** Where it is not plain where an answer ends, or something follows it, the next one could not be told from it. */
function afterBody(bytes: Buffer, { status, headers }: ProbeAnswer): Next {
  const end = endOfBody(bytes, status, headers);
  if (end === undefined || end < bytes.length) return 'close';
  return end === bytes.length ? 'again' : 'more';
}

/** Infinite while it is still to be seen, undefined where nothing says it. */
function endOfBody(bytes: Buffer, status: number, fields: ProbeAnswer['headers']): number | undefined {
  if (hasNoBody(status)) return 0;
  const { 'transfer-encoding': coding, 'content-length': length } = fields;
  if (typeof coding === 'string')
    return length === undefined && /^chunked$/i.test(coding) ? dechunked(bytes).end : undefined;
  return typeof length === 'string' && /^\d+$/.test(length) ? Number(length) : undefined;
}

/** As much of it as is wanted, or undefined while more must come. */
function bodyOf(bytes: Buffer, fields: Readonly<Record<string, string>>, ended: boolean): Buffer | undefined {
  if (/chunked/i.test(fields['transfer-encoding'] ?? '')) {
    const { body, done } = dechunked(bytes);
    return done || ended || body.length >= BODY_LIMIT ? body : undefined;
  }
  const length = Number(fields['content-length'] ?? Number.NaN);
  if (bytes.length >= Math.min(BODY_LIMIT, length)) return bytes.subarray(0, length);
  return ended || bytes.length >= BODY_LIMIT ? bytes : undefined;
}

interface Dechunked {
  readonly body: Buffer;
  readonly done: boolean;
  /** As of `endOfBody`. */
  readonly end: number | undefined;
}

function dechunked(bytes: Buffer): Dechunked {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return { body: Buffer.concat(parts), done: false, end: Number.POSITIVE_INFINITY };
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    // The last chunk, or no chunk at all: either way nothing more is to be had.
    if (!(size > 0))
      return {
        body: Buffer.concat(parts),
        done: true,
        end: size === 0 ? endOfTrailers(bytes, end) : undefined,
      };
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    if (bytes.length < end + 2 + size)
      return { body: Buffer.concat(parts), done: false, end: Number.POSITIVE_INFINITY };
    at = end + 2 + size + 2;
  }
}

function endOfTrailers(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(HEAD_END, from);
  return end < 0 ? Number.POSITIVE_INFINITY : end + HEAD_END.length;
}
