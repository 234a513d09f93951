import type { Random } from '../../src/core/ports.ts';
import { BROKEN_BODIES } from '../gateway/http1/body-vectors.ts';
import { readRequest } from '../gateway/http1/reading.ts';
import { CONNECTIONS, FIELDS, FRAMINGS, HOSTS, REQUEST_LINES } from '../gateway/http1/request-vectors.ts';
import { RESPONSE_FIELDS, RESPONSE_FRAMINGS, STATUS_LINES } from '../gateway/http1/response-vectors.ts';
import { mutate, pick } from './mutate.ts';

export type Kind = 'request' | 'response';

export interface Message {
  readonly kind: Kind;
  /** Latin-1: one byte a character. */
  readonly text: string;
}

const BODIES = ['', 'hello', '5\r\nhello\r\n0\r\n\r\n', '3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n', '0\r\n\r\n'];
const REQUESTS = [...REQUEST_LINES, ...HOSTS, ...FIELDS, ...FRAMINGS, ...CONNECTIONS]
  .map(([, head]) => head)
  .filter(isSmall);
const RESPONSES = [...STATUS_LINES, ...RESPONSE_FRAMINGS, ...RESPONSE_FIELDS]
  .map(([, head]) => head)
  .filter(isSmall);
/** Those that are read as they stand, so that what comes behind them is looked at too. */
const GOOD_REQUESTS = REQUESTS.filter((head) => {
  const { outcome, upgrade } = readRequest(Buffer.from(head, 'latin1'));
  return head.length < 300 && outcome === 'complete' && upgrade === undefined;
});
const LENGTHS = ['0', '1', '5', 'a', 'A', '00', '1f', '0005'];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b c"', ';a="\\""', ';a=b;c'];
const TRAILERS = [
  '',
  '',
  '',
  'X-Sum: 1\r\n',
  'X-Sum: 1\r\nY:\r\n',
  'Content-Length: 5\r\n',
  'Expires: 0\r\n',
];

/** A head from the vectors with some body behind it, changed in a few places. */
export function anyMessage(kind: Kind, random: Random): Message {
  const head = pick(kind === 'request' ? REQUESTS : RESPONSES, random);
  return { kind, text: mutate(head + pick(BODIES, random), random) };
}

/** A good head, and a body in chunks that is changed behind it. */
export function chunkedMessage(kind: Kind, random: Random): Message {
  const head =
    kind === 'request'
      ? 'POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'
      : 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const body = random() < 0.1 ? pick(BROKEN_BODIES, random)[1] : chunks(random);
  return { kind, text: head + (random() < 0.8 ? mutate(body, random) : body) };
}

/** Two to four requests on one connection, each with the body it announces; half of the time changed somewhere. */
export function pipelined(random: Random): Message {
  let text = '';
  for (let left = 2 + Math.floor(random() * 3); left > 0; left -= 1) text += wholeRequest(random);
  return { kind: 'request', text: random() < 0.5 ? mutate(text, random) : text };
}

function wholeRequest(random: Random): string {
  const head = pick(GOOD_REQUESTS, random);
  const { bodyLength = 0 } = readRequest(Buffer.from(head, 'latin1'));
  if (bodyLength < 0) return head + chunks(random);
  // Content that would be a request if it were read as one.
  return (
    head + 'GET /hidden HTTP/1.1\r\nHost: b.test\r\n\r\n'.repeat(1 + bodyLength / 38).slice(0, bodyLength)
  );
}

function chunks(random: Random): string {
  let text = '';
  for (let left = Math.floor(random() * 4); left > 0; left -= 1) {
    const length =
      random() < 0.7 ? Math.floor(random() * 40) + 1 : Number.parseInt(pick(LENGTHS, random), 16);
    if (length === 0) continue;
    const size = random() < 0.5 ? length.toString(16) : length.toString(16).toUpperCase();
    const content =
      random() < 0.5 ? 'x'.repeat(length) : '0\r\n\r\nGET / HTTP/1.1\r\n'.repeat(12).slice(0, length);
    text += `${size}${pick(EXTENSIONS, random)}\r\n${content}\r\n`;
  }
  return `${text}${random() < 0.8 ? '0' : '000'}${pick(EXTENSIONS, random)}\r\n${pick(TRAILERS, random)}\r\n`;
}

function isSmall(head: string): boolean {
  return head.length < 1_000;
}
