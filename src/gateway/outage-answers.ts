import type { Page } from './outage-pages.ts';
import { EVENT_STREAM, type FlatHeaders, type RequestHead, type ResponseHead } from './wire.ts';

/** What we say ourselves when no origin's answer can be given. Nothing of it names an address of the inside. */
const TEXTS = {
  200: ['OK', 'This gateway stands here; nothing was asked of the application behind it.'],
  400: ['Bad Request', 'The request is not valid HTTP.'],
  404: ['Not Found', 'No application is served under this address.'],
  405: ['Method Not Allowed', 'This method is not served here.'],
  408: ['Request Timeout', 'The request did not arrive in time.'],
  413: ['Content Too Large', 'The request body is larger than this gateway accepts.'],
  414: ['URI Too Long', 'The address is longer than this gateway accepts.'],
  417: ['Expectation Failed', 'Only 100-continue can be expected here.'],
  429: ['Too Many Requests', 'This client sends more requests than it may. Please try again later.'],
  431: ['Request Header Fields Too Large', 'The request head is larger than this gateway accepts.'],
  501: ['Not Implemented', 'The request uses something this gateway does not know.'],
  502: ['Bad Gateway', 'The application did not give a valid answer.'],
  503: ['Service Unavailable', 'The application cannot be reached at the moment. Please try again.'],
  504: ['Gateway Timeout', 'The application did not answer in time.'],
  505: ['HTTP Version Not Supported', 'This gateway speaks HTTP/1.0 and HTTP/1.1 here.'],
  508: ['Loop Detected', 'The request went round in a circle.'],
} as const;

const JSON_TYPE = 'application/json';
const SERVED = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export type OutageStatus = keyof typeof TEXTS;

export interface OutageAnswer {
  readonly head: ResponseHead;
  readonly body: Uint8Array;
}

/** A page of the user's own; else text, or JSON for who prefers it. `retryAfterS` goes into Retry-After. */
export function outageAnswer(
  status: OutageStatus,
  request: RequestHead | undefined,
  retryAfterS?: number,
  /** With 405: what goes instead. */
  allow: string = SERVED,
  /** The user's own: for all but those who want JSON and would get something else. */
  page?: Page,
): OutageAnswer {
  const [reason, text] = TEXTS[status];
  const accept = request?.field('accept') ?? '';
  const { type, body } =
    page !== undefined && (page.type === JSON_TYPE || !wantsJson(accept) || accept.includes('text/html'))
      ? page
      : plainBody(status, wantsJson(accept), reason, text);
  const headers = ['content-type', type, 'content-length', String(body.length), 'cache-control', 'no-store'];
  // Who is told that a method does not go must be told which do (RFC 9110 §15.5.6).
  if (status === 405 || status === 200) headers.push('allow', allow);
  if (retryAfterS !== undefined) headers.push('retry-after', String(retryAfterS));
  return { head: plainHead(status, reason, headers), body };
}

function wantsJson(accept: string): boolean {
  return accept.includes(JSON_TYPE);
}

function plainBody(status: OutageStatus, json: boolean, reason: string, text: string): Page {
  return json
    ? {
        type: JSON_TYPE,
        body: Buffer.from(`${JSON.stringify({ status, error: reason, message: text })}\n`),
      }
    : { type: 'text/plain; charset=utf-8', body: Buffer.from(`${text}\n`) };
}

export function plainHead(status: number, reason: string, headers: FlatHeaders): ResponseHead {
  const field = (name: string): string | undefined => firstField(headers, name);
  const isEventStream = field('content-type')?.toLowerCase().startsWith(EVENT_STREAM) === true;
  return { status, reason, headers, isEventStream, field };
}

/** The first value of the field with this lower-case name. */
export function firstField(headers: FlatHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i]!;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1];
  }
  return undefined;
}
