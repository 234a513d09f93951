import { editResponse, HOP_BY_HOP, PSEUDONYM, type ResponseEdit } from '../headers.ts';
import { Http1ResponseHead } from '../http1/message-head.ts';
import type { ResponseHeadReader } from '../http1/response-head.ts';
import { dropsFor, isPlain } from '../http1/response-writer.ts';
import type { FlatHeaders, ResponseHead } from '../wire.ts';
import { FieldMemo } from './field-memo.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const memo = new FieldMemo();

/** The fields of an answer, names in lower case; undefined when one of them could be read as something else. */
export function responseFields(head: ResponseHead, edit: ResponseEdit, date: string): string[] | undefined {
  const isValid = head instanceof Http1ResponseHead;
  if (isValid && head.reader !== undefined && isPlain(head.reader, edit)) {
    return plainFields(head.reader, edit, date);
  }
  const fields = editResponse(head, edit);
  let hasDate = false;
  let kept = 0;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    // A strict reader has looked at every byte already.
    if (!isValid && !isField(name, value)) return undefined;
    const lower = name.toLowerCase();
    if (lower === 'date') hasDate = true;
    // A 204 has no content, so it has no length either (RFC 9110 §8.6).
    if (head.status === 204 && lower === 'content-length') continue;
    fields[kept] = lower;
    fields[kept + 1] = value;
    kept += 2;
  }
  fields.length = kept;
  if (!hasDate) fields.push('date', date);
  return fields;
}

/** The same for a head whose fields stay as they are or go. */
function plainFields(
  { fields, status, hasDate }: ResponseHeadReader,
  { marks, setCookie }: ResponseEdit,
  date: string,
): string[] {
  const out: string[] = [];
  const drops = dropsFor(status === 204, marks !== undefined);
  for (let i = 0; i < fields.count; i += 1) {
    if (drops[fields.kinds[i]!] === 0) memo.append(fields, i, out);
  }
  if (!hasDate) out.push('date', date);
  if (marks === undefined) out.push('via', `1.1 ${PSEUDONYM}`);
  else out.push('via', marks.via, 'x-request-id', marks.requestId);
  if (setCookie !== undefined) out.push('set-cookie', setCookie);
  return out;
}

/** Of a 1xx or of trailers: what concerns the origin's connection stays behind. */
export function passingFields(headers: FlatHeaders): string[] {
  const fields: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const lower = headers[i]!.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && isField(lower, headers[i + 1]!)) fields.push(lower, headers[i + 1]!);
  }
  return fields;
}

function isField(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value);
}
