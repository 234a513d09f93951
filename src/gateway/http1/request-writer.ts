import { cookiesFor, editRequest, type HeadEdit, type RequestStamp } from '../headers.ts';
import { hasPlatformCookies } from '../platform-cookies.ts';
import { CHUNKED, type RequestHead } from '../wire.ts';
import { copyFields, dropping, fieldLines } from './field-copy.ts';
import * as kinds from './field-names.ts';
import type { FieldSection } from './field-section.ts';
import { Http1RequestHead } from './message-head.ts';
import type { Outlet } from './outlet.ts';
import type { RequestHeadReader } from './request-head.ts';

/** The same that `editRequest` leaves out, and what is written anew. */
const ALWAYS = [
  kinds.CONTENT_LENGTH,
  kinds.TRANSFER_ENCODING,
  kinds.CONNECTION,
  kinds.EXPECT,
  kinds.UPGRADE,
  kinds.TE,
  kinds.HOP_BY_HOP,
  kinds.FORWARDED,
  kinds.PLATFORM_PRIVATE,
  kinds.ALIAS,
  kinds.REQUEST_ID,
  kinds.TRACEPARENT,
];

/** What else is left out, as bits: one table for each combination. */
const TRACE = 1;
const COOKIES = 2;
const OWN_HOST = 4;
const DROPS: readonly Uint8Array[] = Array.from({ length: 8 }, (_, bits) =>
  dropping(
    ...ALWAYS,
    ...((bits & TRACE) === 0 ? [] : [kinds.TRACESTATE]),
    ...((bits & COOKIES) === 0 ? [] : [kinds.COOKIE]),
    ...((bits & OWN_HOST) === 0 ? [] : [kinds.HOST]),
  ),
);

/** Puts a request head on its way; false when it cannot be said in HTTP/1.1. */
export function writeRequestHead(
  outlet: Outlet,
  head: RequestHead,
  edit: HeadEdit,
  stamp: RequestStamp,
): boolean {
  const reader = head instanceof Http1RequestHead ? head.reader : undefined;
  if (reader !== undefined && isPlain(head, reader)) {
    copyRequestHead(outlet, head, reader, edit, stamp);
    return true;
  }
  const edited = fieldLines(editRequest(head, edit, stamp));
  if (edited === undefined) return false;
  const text = `${requestLine(head)}${hostLine(head, edit)}${connectionLines(head)}${edited}\r\n`;
  outlet.stage(text.length).text(text);
  return true;
}

/** From the bytes it came in: request line and Host too where they stay, then its other fields, then what we add. */
function copyRequestHead(
  outlet: Outlet,
  head: RequestHead,
  reader: RequestHeadReader,
  edit: HeadEdit,
  { client, marks }: RequestStamp,
): void {
  const { fields, lineStands } = reader;
  const cookies = cookieLines(fields, edit);
  const keepsHost = lineStands && edit.host === undefined;
  const drops =
    (marks.continues ? 0 : TRACE) | (cookies === undefined ? 0 : COOKIES) | (keepsHost ? 0 : OWN_HOST);
  const first = lineStands ? '' : requestLine(head);
  let own = `${keepsHost ? '' : hostLine(head, edit)}${connectionLines(head)}${cookies ?? ''}`;
  if (reader.acceptsTrailers) own += 'te: trailers\r\n';
  if (edit.role !== undefined) own += edit.role.lines;
  const forwarded = client.lines.withHost(client.host ?? head.host);

  const room = first.length + own.length + forwarded.length + marks.length;
  const staging = outlet.stage(room + fields.end - reader.lineFrom);
  if (!lineStands) staging.text(first);
  copyFields(staging, fields, DROPS[drops]!, lineStands ? reader.lineFrom : -1);
  if (own !== '') staging.text(own);
  staging.octets(forwarded);
  marks.putLines(staging.bytes, staging.at);
  staging.at += marks.length;
}

function requestLine({ method, target }: RequestHead): string {
  return `${method} ${target} HTTP/1.1\r\n`;
}

function hostLine(head: RequestHead, edit: HeadEdit): string {
  return `host: ${edit.host ?? head.host}\r\n`;
}

/** Always from what was understood, never from what was written (RFC 9112 §6.1). */
function connectionLines({ bodyLength, upgrade }: RequestHead): string {
  let lines = '';
  if (bodyLength === CHUNKED) lines += 'transfer-encoding: chunked\r\n';
  else if (bodyLength > 0) lines += `content-length: ${bodyLength}\r\n`;
  if (upgrade !== undefined) lines += `connection: Upgrade\r\nupgrade: ${upgrade}\r\n`;
  return lines;
}

/** Its fields stay as they are or go, besides those that are always written anew. */
function isPlain({ method }: RequestHead, reader: RequestHeadReader): boolean {
  if (reader.nominates) return false;
  return method !== 'OPTIONS' || reader.fields.field('max-forwards') === undefined;
}

/** In place of those that came, when one of them may not pass as it is. */
function cookieLines(fields: FieldSection, edit: HeadEdit): string | undefined {
  if (fields.cookiesArePlain) return undefined;
  let concerned = false;
  for (let n = 0; n < fields.notables; n += 1) {
    const i = fields.notable[n]!;
    if (fields.kinds[i] === kinds.COOKIE && hasPlatformCookies(fields.value(i))) concerned = true;
  }
  if (!concerned) return undefined;
  let lines = '';
  for (let n = 0; n < fields.notables; n += 1) {
    const i = fields.notable[n]!;
    if (fields.kinds[i] !== kinds.COOKIE) continue;
    const kept = cookiesFor(fields.value(i), edit);
    if (kept !== '') lines += `cookie: ${kept}\r\n`;
  }
  return lines;
}
