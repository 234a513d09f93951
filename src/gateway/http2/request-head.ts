import { Http1RequestHead } from '../http1/message-head.ts';
import type { RequestHeadReader } from '../http1/request-head.ts';
import type { OutageStatus } from '../outage-answers.ts';
import type { FlatHeaders } from '../wire.ts';

/** Lower-case tokens (RFC 9113 §8.2.1): nothing that could end a name, or a line, once it is written as HTTP/1.1. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Clients repeat their names; more of them than this is somebody making them up. */
const MOST_NAMES = 1_024;
const ORIGIN_FORM = /^\/[\x21\x22\x24-\x7e]*$/;
const METHOD = /^[A-Z]{1,32}$/;
/** What would end a line or a message, and what the reader does not accept anyway. */
const LINE_BREAK = /[\r\n\0]/;

/** Fields about one connection have no place in HTTP/2 (RFC 9113 §8.2.2); `te` may only say `trailers`. */
const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const COLON = 0x3a;

const knownNames = new Set<string>();

/** A request of HTTP/2: from here on everybody may take it for one that came by HTTP/1.1. */
export class Http2RequestHead extends Http1RequestHead {
  readonly protocol = 'HTTP/2.0';
}

export interface HeadersFrame {
  /** Names and values in turn, pseudo-header fields first. */
  readonly raw: readonly string[];
  /** No DATA follows. */
  readonly endStream: boolean;
}

/**
 * Says a request of HTTP/2 in the bytes of HTTP/1.1 and has the same strict reader read them that reads every other
 * one: one meaning of Host, length, target and limits, and one way to write it to an origin. What could not be said
 * without becoming something else is refused before. Undefined, or the status to answer with.
 */
export function readRequest(reader: RequestHeadReader, frame: HeadersFrame): OutageStatus | undefined {
  const text = toHttp1(frame);
  if (typeof text === 'number') return text;
  const bytes = Buffer.from(text, 'latin1');
  reader.begin(0);
  const state = reader.read(bytes, bytes.length);
  if (state === 'refused') return reader.refusal;
  // Behind the end of its head would be the beginning of another request.
  if (state !== 'complete' || reader.end !== bytes.length) return 400;
  if (frame.endStream && reader.bodyLength !== 0) return 400;
  return undefined;
}

/** Fields behind a body, names and values in turn; undefined when they are none. */
export function readTrailers(raw: readonly string[]): FlatHeaders | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    if (!isName(name) || CONNECTION_SPECIFIC.has(name) || LINE_BREAK.test(raw[i + 1]!)) return undefined;
  }
  return raw;
}

/** The head as HTTP/1.1 says it, or the status to answer with. */
function toHttp1({ raw, endStream }: HeadersFrame): string | OutageStatus {
  let method: string | undefined;
  let path: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let host: string | undefined;
  let hasLength = false;
  let cookies = '';
  let lines = '';
  let isRegular = false;

  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (LINE_BREAK.test(value)) return 400;
    if (name.charCodeAt(0) === COLON) {
      // Each of them once, and before all others (RFC 9113 §8.3).
      if (isRegular) return 400;
      if (name === ':method' && method === undefined) method = value;
      else if (name === ':path' && path === undefined) path = value;
      else if (name === ':scheme' && scheme === undefined) scheme = value;
      else if (name === ':authority' && authority === undefined) authority = value;
      else return 400;
      continue;
    }
    isRegular = true;
    if (!isName(name)) return 400;
    switch (name) {
      case 'host':
        if (host !== undefined) return 400;
        host = value;
        break;
      case 'cookie':
        // Browsers send crumbs, so that each compresses on its own; servers expect one field (RFC 9113 §8.2.3).
        cookies = cookies === '' ? value : `${cookies}; ${value}`;
        break;
      case 'te':
        if (value.toLowerCase() !== 'trailers') return 400;
        lines += 'te: trailers\r\n';
        break;
      case 'content-length':
        hasLength = true;
        lines += `content-length: ${value}\r\n`;
        break;
      default:
        if (CONNECTION_SPECIFIC.has(name)) return 400;
        lines += `${name}: ${value}\r\n`;
    }
  }

  if (method === undefined || !METHOD.test(method)) return 400;
  if (method === 'CONNECT') return 405;
  if (scheme !== 'https' && scheme !== 'http') return 400;
  // The reader would reduce an absolute form, and take its authority for the one that counts.
  if (path === undefined || !(ORIGIN_FORM.test(path) || (path === '*' && method === 'OPTIONS'))) return 400;
  const named = authority ?? host;
  if (named === undefined || named === '') return 400;
  if (host !== undefined && host.toLowerCase() !== named.toLowerCase()) return 400;
  if (cookies !== '') lines += `cookie: ${cookies}\r\n`;
  if (!endStream && !hasLength) lines += 'transfer-encoding: chunked\r\n';
  return `${method} ${path} HTTP/1.1\r\nhost: ${named}\r\n${lines}\r\n`;
}

function isName(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!NAME.test(name)) return false;
  if (knownNames.size >= MOST_NAMES) knownNames.clear();
  knownNames.add(name);
  return true;
}
