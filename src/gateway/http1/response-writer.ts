import { editResponse, PSEUDONYM, type ResponseEdit } from '../headers.ts';
import type { FlatHeaders, ResponseHead } from '../wire.ts';
import { copyFields, dropping, fieldLines } from './field-copy.ts';
import * as kinds from './field-names.ts';
import type { Outlet } from './outlet.ts';
import { Http1ResponseHead } from './response-head.ts';

const DROPS = dropping(kinds.TRANSFER_ENCODING, kinds.CONNECTION, kinds.UPGRADE, kinds.TE, kinds.HOP_BY_HOP);
/** A 204 has no content, so it has no length either (RFC 9110 §8.6). */
const DROPS_AND_LENGTH = dropping(
  kinds.TRANSFER_ENCODING,
  kinds.CONNECTION,
  kinds.UPGRADE,
  kinds.TE,
  kinds.HOP_BY_HOP,
  kinds.CONTENT_LENGTH,
);
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const VIA = `via: 1.1 ${PSEUDONYM}\r\n`;
const EMPTY_LINE = Buffer.from('\r\n');

export interface ResponseLines {
  /** Framing and Connection, which are the connection's to say; whole lines. */
  readonly lines: string;
  /** The time, for an answer that has none; undefined where none belongs. */
  readonly date: string | undefined;
}

/** Puts a response head on its way; false when one of its fields would split the message: then nothing is sent. */
export function writeResponseHead(
  outlet: Outlet,
  head: ResponseHead,
  edit: ResponseEdit,
  { lines, date }: ResponseLines,
): boolean {
  const reader = head instanceof Http1ResponseHead ? head.reader : undefined;
  const statusLine = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  if (reader !== undefined && edit.from === undefined && !reader.nominates) {
    const dateLine = date === undefined || reader.hasDate ? '' : `date: ${date}\r\n`;
    const room = statusLine.length + reader.fields.size + VIA.length + dateLine.length + lines.length;
    const staging = outlet.stage(room + EMPTY_LINE.length);
    staging.text(statusLine);
    copyFields(staging, reader.fields, head.status === 204 ? DROPS_AND_LENGTH : DROPS);
    staging.text(VIA + dateLine + lines);
    staging.octets(EMPTY_LINE);
    return true;
  }
  if (!REASON.test(head.reason)) return false;
  const edited = fieldLines(editResponse(head, edit));
  if (edited === undefined) return false;
  const dateLine = date === undefined || head.field('date') !== undefined ? '' : `date: ${date}\r\n`;
  const text = `${statusLine}${edited}${dateLine}${lines}\r\n`;
  outlet.stage(text.length).text(text);
  return true;
}

/** The end of a chunked body. Trailers that would split the message stay behind: the content is whole without them. */
export function writeLastChunk(outlet: Outlet, trailers: FlatHeaders | undefined): void {
  const text = `0\r\n${trailers === undefined ? '' : (fieldLines(trailers) ?? '')}\r\n`;
  outlet.stage(text.length).text(text);
}
