import type { FieldSection } from './field-section.ts';
import { equalsLower, HTAB, isDigit, LF } from './octets.ts';

/** Fifteen digits stay exact in a double and are more than anybody sends. */
const MAX_LENGTH_DIGITS = 15;

/** The value of Content-Length, or -1: a sign, a list, a fraction, hex or too many digits are not a length. */
export function contentLength(fields: FieldSection, index: number): number {
  const from = fields.spans[4 * index + 2]!;
  const to = fields.spans[4 * index + 3]!;
  if (from === to || to - from > MAX_LENGTH_DIGITS || endsInTab(fields, to)) return -1;
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const octet = fields.bytes[at]!;
    if (!isDigit(octet)) return -1;
    length = 10 * length + (octet - 0x30);
  }
  return length;
}

/** Whether Transfer-Encoding is `chunked` and nothing else: with any other coding two readers may see two messages. */
export function isChunked(fields: FieldSection, index: number): boolean {
  const to = fields.spans[4 * index + 3]!;
  return equalsLower(fields.bytes, fields.spans[4 * index + 2]!, to, 'chunked') && !endsInTab(fields, to);
}

/** Some parsers, Node's among them, do not take a HTAB behind one of these two for optional white space. */
function endsInTab({ bytes }: FieldSection, valueTo: number): boolean {
  for (let at = valueTo; at < bytes.length && bytes[at] !== LF; at += 1) {
    if (bytes[at] === HTAB) return true;
  }
  return false;
}
