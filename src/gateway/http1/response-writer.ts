import { Buffer } from 'node:buffer';
import { editResponse, PSEUDONYM, type ResponseEdit } from '../headers.ts';
import { isPlatformCookie } from '../platform-cookies.ts';
import type { FlatHeaders, ResponseHead } from '../wire.ts';
import { copyFields, dropping, fieldLines } from './field-copy.ts';
import * as kinds from './field-names.ts';
import { Http1ResponseHead } from './message-head.ts';
import type { Outlet } from './outlet.ts';
import type { ResponseHeadReader } from './response-head.ts';

const ALWAYS = [kinds.TRANSFER_ENCODING, kinds.CONNECTION, kinds.UPGRADE, kinds.TE, kinds.HOP_BY_HOP];
const DROPS = dropping(...ALWAYS);
const DROPS_ID = dropping(...ALWAYS, kinds.REQUEST_ID);
/** A 204 has no content, so it has no length either (RFC 9110 §8.6). */
const DROPS_LENGTH = dropping(...ALWAYS, kinds.CONTENT_LENGTH);
const DROPS_BOTH = dropping(...ALWAYS, kinds.REQUEST_ID, kinds.CONTENT_LENGTH);
const CRLF = Buffer.from('\r\n', 'latin1');
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

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
  if (reader !== undefined && isPlain(reader, edit)) {
    const { marks, setCookie } = edit;
    const first = reader.lineStands ? '' : statusLine(head);
    let own = marks === undefined ? `via: 1.1 ${PSEUDONYM}\r\n${lines}` : lines;
    if (date !== undefined && !reader.hasDate) own += `date: ${date}\r\n`;
    if (setCookie !== undefined) own += `set-cookie: ${setCookie}\r\n`;

    const room = first.length + own.length + (marks?.answerLength ?? CRLF.length);
    const staging = outlet.stage(room + reader.end - reader.start);
    if (!reader.lineStands) staging.text(first);
    const drops = dropsFor(head.status === 204, marks !== undefined);
    copyFields(staging, reader.fields, drops, reader.lineStands ? reader.start : -1);
    if (own !== '') staging.text(own);
    if (marks === undefined) staging.octets(CRLF);
    else {
      marks.putAnswerLines(staging.bytes, staging.at);
      staging.at += marks.answerLength;
    }
    return true;
  }
  if (!REASON.test(head.reason)) return false;
  const edited = fieldLines(editResponse(head, edit));
  if (edited === undefined) return false;
  const dateLine = date === undefined || head.field('date') !== undefined ? '' : `date: ${date}\r\n`;
  const text = `${statusLine(head)}${edited}${dateLine}${lines}\r\n`;
  outlet.stage(text.length).text(text);
  return true;
}

function statusLine({ status, reason }: ResponseHead): string {
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** Its fields stay as they are or go. */
export function isPlain({ nominates, hasCookies, fields }: ResponseHeadReader, edit: ResponseEdit): boolean {
  if (nominates || edit.from !== undefined) return false;
  if (!hasCookies || edit.platform === undefined) return true;
  for (let n = 0; n < fields.notables; n += 1) {
    const i = fields.notable[n]!;
    if (fields.kinds[i] === kinds.SET_COOKIE && isPlatformCookie(fields.value(i))) return false;
  }
  return true;
}

/** Which kinds of fields stay behind. */
export function dropsFor(isEmpty: boolean, hasId: boolean): Uint8Array {
  if (isEmpty) return hasId ? DROPS_BOTH : DROPS_LENGTH;
  return hasId ? DROPS_ID : DROPS;
}

/** The end of a chunked body. Trailers that would split the message stay behind: the content is whole without them. */
export function writeLastChunk(outlet: Outlet, trailers: FlatHeaders | undefined): void {
  const text = `0\r\n${trailers === undefined ? '' : (fieldLines(trailers) ?? '')}\r\n`;
  outlet.stage(text.length).text(text);
}
