import { cookiesFor, editRequest, type HeadEdit, type RequestStamp } from '../headers.ts';
import { hasPlatformCookies } from '../platform-cookies.ts';
import { CHUNKED, type RequestHead } from '../wire.ts';
import { copyFields, dropping, fieldLines } from './field-copy.ts';
import * as kinds from './field-names.ts';
import type { FieldSection } from './field-section.ts';
import type { Outlet } from './outlet.ts';
import { Http1RequestHead, type RequestHeadReader } from './request-head.ts';

/** The same that `editRequest` leaves out, and what is written anew. */
const ALWAYS = [
  kinds.HOST,
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
const DROPS = dropping(...ALWAYS);
const DROPS_TRACE = dropping(...ALWAYS, kinds.TRACESTATE);
const DROPS_COOKIES = dropping(...ALWAYS, kinds.COOKIE);
const DROPS_BOTH = dropping(...ALWAYS, kinds.TRACESTATE, kinds.COOKIE);

/** Puts a request head on its way; false when it cannot be said in HTTP/1.1. */
export function writeRequestHead(
  outlet: Outlet,
  head: RequestHead,
  edit: HeadEdit,
  stamp: RequestStamp,
): boolean {
  let lines = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${edit.host ?? head.host}\r\n`;
  // Always from what was understood, never from what was written (RFC 9112 §6.1).
  if (head.bodyLength === CHUNKED) lines += 'transfer-encoding: chunked\r\n';
  else if (head.bodyLength > 0) lines += `content-length: ${head.bodyLength}\r\n`;
  if (head.upgrade !== undefined) lines += `connection: Upgrade\r\nupgrade: ${head.upgrade}\r\n`;

  const reader = head instanceof Http1RequestHead ? head.reader : undefined;
  if (reader !== undefined && isPlain(head, reader)) {
    const { fields } = reader;
    const { client, trace } = stamp;
    const host = client.host ?? head.host;
    const cookies = cookieLines(fields, edit);
    if (reader.acceptsTrailers) lines += 'te: trailers\r\n';
    if (cookies !== undefined) lines += cookies;
    if (host !== '') lines += `x-forwarded-host: ${host}\r\n`;
    const own =
      `${client.lines}x-request-id: ${stamp.requestId}\r\n` +
      `traceparent: ${trace.traceparent}\r\nvia: ${stamp.via}\r\n\r\n`;
    const staging = outlet.stage(lines.length + fields.size + own.length);
    staging.text(lines);
    copyFields(staging, fields, dropsFor(trace.continues, cookies !== undefined));
    staging.text(own);
    return true;
  }
  const edited = fieldLines(editRequest(head, edit, stamp));
  if (edited === undefined) return false;
  const text = `${lines}${edited}\r\n`;
  outlet.stage(text.length).text(text);
  return true;
}

/** Its fields stay as they are or go, besides those that are always written anew. */
function isPlain({ method }: RequestHead, reader: RequestHeadReader): boolean {
  if (reader.nominates) return false;
  return method !== 'OPTIONS' || reader.fields.field('max-forwards') === undefined;
}

function dropsFor(keepsTrace: boolean, editsCookies: boolean): Uint8Array {
  if (editsCookies) return keepsTrace ? DROPS_COOKIES : DROPS_BOTH;
  return keepsTrace ? DROPS : DROPS_TRACE;
}

/** In place of those that came, when one of them may not pass as it is. */
function cookieLines(fields: FieldSection, edit: HeadEdit): string | undefined {
  let concerned = false;
  for (let i = 0; i < fields.count; i += 1) {
    if (fields.kinds[i] === kinds.COOKIE && hasPlatformCookies(fields.value(i))) concerned = true;
  }
  if (!concerned) return undefined;
  let lines = '';
  for (let i = 0; i < fields.count; i += 1) {
    if (fields.kinds[i] !== kinds.COOKIE) continue;
    const kept = cookiesFor(fields.value(i), edit);
    if (kept !== '') lines += `cookie: ${kept}\r\n`;
  }
  return lines;
}
