import { editRequest, type HeadEdit } from '../headers.ts';
import { CHUNKED, type RequestHead } from '../wire.ts';
import { ClientPeer } from './client-peer.ts';
import { copyFields, dropping, fieldLines } from './field-copy.ts';
import * as kinds from './field-names.ts';
import type { Outlet } from './outlet.ts';
import { Http1RequestHead, type RequestHeadReader } from './request-head.ts';

/** The same that `editRequest` leaves out, and what is written anew. */
const DROPS = dropping(
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
);

const CRLF = Buffer.from('\r\n');

/** Puts a request head on its way; false when it cannot be said in HTTP/1.1. */
export function writeRequestHead(outlet: Outlet, head: RequestHead, edit: HeadEdit): boolean {
  let lines = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${edit.host ?? head.host}\r\n`;
  // Always from what was understood, never from what was written (RFC 9112 §6.1).
  if (head.bodyLength === CHUNKED) lines += 'transfer-encoding: chunked\r\n';
  else if (head.bodyLength > 0) lines += `content-length: ${head.bodyLength}\r\n`;
  if (head.upgrade !== undefined) lines += `connection: Upgrade\r\nupgrade: ${head.upgrade}\r\n`;

  const { peer } = head;
  const reader = head instanceof Http1RequestHead ? head.reader : undefined;
  if (reader !== undefined && peer instanceof ClientPeer && isPlain(head, reader, peer)) {
    if (reader.acceptsTrailers) lines += 'te: trailers\r\n';
    if (head.host !== '') lines += `x-forwarded-host: ${head.host}\r\n`;
    const forwarded = peer.forwardedLines;
    const staging = outlet.stage(lines.length + reader.fields.size + forwarded.length + CRLF.length);
    staging.text(lines);
    copyFields(staging, reader.fields, DROPS);
    staging.octets(forwarded);
    staging.octets(CRLF);
    return true;
  }
  const edited = fieldLines(editRequest(head));
  if (edited === undefined) return false;
  const text = `${lines}${edited}\r\n`;
  outlet.stage(text.length).text(text);
  return true;
}

/** Its fields stay as they are or go; none is merged with another. */
function isPlain({ method }: RequestHead, reader: RequestHeadReader, peer: ClientPeer): boolean {
  if (peer.trusted || reader.nominates || reader.hasVia) return false;
  return method !== 'OPTIONS' || reader.fields.field('max-forwards') === undefined;
}
