import type { OutgoingHttpHeaders } from 'node:http2';
import { editResponse, HOP_BY_HOP, type ResponseEdit } from '../headers.ts';
import { Http1ResponseHead } from '../http1/message-head.ts';
import type { FlatHeaders, ResponseHead } from '../wire.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The head of an answer as node:http2 takes it; undefined when a field cannot be said without saying something else. */
export function responseFields(head: ResponseHead, edit: ResponseEdit): OutgoingHttpHeaders | undefined {
  const fields = toFields(editResponse(head, edit), head instanceof Http1ResponseHead);
  if (fields === undefined) return undefined;
  fields[':status'] = head.status;
  // A 204 has no content, so it has no length either (RFC 9110 §8.6).
  if (head.status === 204) delete fields['content-length'];
  return fields;
}

/** A 1xx: what concerns the origin's connection stays behind. */
export function informFields(head: ResponseHead): OutgoingHttpHeaders | undefined {
  const passing: string[] = [];
  const { headers } = head;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!HOP_BY_HOP.has(headers[i]!.toLowerCase())) passing.push(headers[i]!, headers[i + 1]!);
  }
  const fields = toFields(passing, head instanceof Http1ResponseHead);
  if (fields !== undefined) fields[':status'] = head.status;
  return fields;
}

/** Those of them that can be said. */
export function trailerFields(trailers: FlatHeaders): OutgoingHttpHeaders {
  return toFields(trailers, false) ?? {};
}

/** `isValid`: a strict reader has looked at every byte. */
function toFields(flat: FlatHeaders, isValid: boolean): OutgoingHttpHeaders | undefined {
  const fields: OutgoingHttpHeaders = Object.create(null);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i]!;
    const value = flat[i + 1]!;
    if (!isValid && !(NAME.test(name) && VALUE.test(value))) return undefined;
    const lower = name.toLowerCase();
    const before = fields[lower];
    if (before === undefined) fields[lower] = value;
    else if (lower !== 'set-cookie') fields[lower] = `${before}, ${value}`;
    else if (Array.isArray(before)) before.push(value);
    else fields[lower] = [String(before), value];
  }
  return fields;
}
