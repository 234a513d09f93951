import { Buffer } from 'node:buffer';
import type { FlatHeaders } from '../wire.ts';
import { kindOf, ORDINARY } from './field-names.ts';
import {
  ASK,
  FEW_LINES,
  fewLines,
  fieldLines,
  lines,
  MOST_LINES,
  notable as noted,
  kinds as scanned,
  shownAt,
} from './octet-scan.ts';
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './octets.ts';

/** What a scan came to when it did not reach the end of what it read. */
export const INCOMPLETE = -1;
export const MALFORMED = -2;
export const TOO_MANY = -3;
export const TOO_LARGE = -4;

const EMPTY = Buffer.alloc(0);
const FIRST_FIELDS = FEW_LINES;

/**
 * The field lines of one head or of one trailer section (RFC 9112 §5): where each name and value stands in the bytes,
 * and what kind of field it is. Nothing is copied; the bytes must stay as they are until `release`.
 */
export class FieldSection {
  bytes: Buffer = EMPTY;
  count = 0;
  /** Four offsets a field: name from, to, value from, to. */
  spans = new Int32Array(4 * FIRST_FIELDS);
  kinds = new Uint8Array(FIRST_FIELDS);
  /** Which fields are of a kind of their own, in order; among the first `notables` a few may prove ordinary. */
  notable = new Uint16Array(FIRST_FIELDS);
  notables = 0;
  /** For certain no Cookie holds what `hasPlatformCookies` looks for. */
  cookiesArePlain = false;
  /** After the empty line, once scanned. */
  end = 0;
  /** Where the next line begins: a scan that ran out of bytes goes on there. */
  #next = 0;
  readonly #maxFields: number;

  constructor(maxFields: number) {
    this.#maxFields = maxFields;
  }

  /** The first field line begins at `at`. */
  begin(at: number): void {
    this.count = 0;
    this.notables = 0;
    this.cookiesArePlain = false;
    this.#next = at;
    this.end = 0;
  }

  /**
   * Reads lines of `bytes` up to `end`, none of which may reach beyond `limit`. Returns where the section ends, or
   * one of the negative codes. After INCOMPLETE call it again with more bytes behind the same ones.
   */
  scan(bytes: Buffer, end: number, limit: number): number {
    this.bytes = bytes;
    return this.#scanWhole(bytes, end, limit) ? this.end : this.#scanLines(bytes, end, limit);
  }

  /** A section that has come whole, with nothing unusual in it. False: nothing is known yet. */
  #scanWhole(bytes: Buffer, end: number, limit: number): boolean {
    const base = shownAt(bytes);
    if (base < 0 || this.count > 0) return false;
    const most = Math.min(this.#maxFields, MOST_LINES);
    const count = fieldLines(base, base + this.#next, base + end, most);
    if (count < 0) return false;
    const sectionEnd = lines[4 * count]!;
    if (sectionEnd > limit) return false;
    if (count <= FEW_LINES) this.spans.set(fewLines);
    else this.#takeMany(count);
    const { kinds, notable } = this;
    for (let i = 0; i < count; i += 1) kinds[i] = scanned[i]!;
    const notables = lines[4 * count + 3]!;
    for (let n = 0; n < notables; n += 1) notable[n] = noted[n]!;
    this.notables = notables;
    if (lines[4 * count + 1]! > 0) this.#ask(bytes);
    this.cookiesArePlain = lines[4 * count + 2] === 0;
    this.count = count;
    this.end = sectionEnd;
    return true;
  }

  /** Of names that the scan does not know for certain. */
  #ask(bytes: Buffer): void {
    const { spans, kinds } = this;
    for (let n = 0; n < this.notables; n += 1) {
      const i = this.notable[n]!;
      if (kinds[i] === ASK) kinds[i] = kindOf(bytes, spans[4 * i]!, spans[4 * i + 1]!);
    }
  }

  #takeMany(count: number): void {
    while (count > this.kinds.length) this.#grow();
    for (let i = 0; i < 4 * count; i += 1) this.spans[i] = lines[i]!;
  }

  #scanLines(bytes: Buffer, end: number, limit: number): number {
    let at = this.#next;
    while (at < end) {
      if (bytes[at] === CR) return this.#finish(bytes, at, end, limit);
      const nameFrom = at;
      while (at < end && TOKEN[bytes[at]!] !== 0) at += 1;
      // A leading space would fold the line into the one before (obs-fold): no name, so it ends here too.
      if (at === nameFrom || at === end || bytes[at] !== COLON) return unfinished(bytes, at, end, limit);
      const nameTo = at;
      at += 1;
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
      const valueFrom = at;
      while (at < end && FIELD_VALUE[bytes[at]!] === 1) at += 1;
      if (at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) return unfinished(bytes, at, end, limit);
      if (at + 2 > limit) return TOO_LARGE;
      if (this.count === this.#maxFields) return TOO_MANY;
      let valueTo = at;
      while (valueTo > valueFrom && (bytes[valueTo - 1] === SP || bytes[valueTo - 1] === HTAB)) valueTo -= 1;
      this.#add(nameFrom, nameTo, valueFrom, valueTo, kindOf(bytes, nameFrom, nameTo));
      at += 2;
      this.#next = at;
    }
    return end > limit ? TOO_LARGE : INCOMPLETE;
  }

  #finish(bytes: Buffer, at: number, end: number, limit: number): number {
    if (at + 2 > limit) return TOO_LARGE;
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return unfinished(bytes, at + 1, end, limit);
    this.end = at + 2;
    return this.end;
  }

  #add(nameFrom: number, nameTo: number, valueFrom: number, valueTo: number, kind: number): void {
    const { count } = this;
    if (count === this.kinds.length) this.#grow();
    const { spans } = this;
    const i = 4 * count;
    spans[i] = nameFrom;
    spans[i + 1] = nameTo;
    spans[i + 2] = valueFrom;
    spans[i + 3] = valueTo;
    this.kinds[count] = kind;
    this.count = count + 1;
    if (kind === ORDINARY) return;
    this.notable[this.notables] = count;
    this.notables += 1;
  }

  #grow(): void {
    const spans = new Int32Array(2 * this.spans.length);
    spans.set(this.spans);
    this.spans = spans;
    const kinds = new Uint8Array(2 * this.kinds.length);
    kinds.set(this.kinds);
    this.kinds = kinds;
    const notable = new Uint16Array(2 * this.notable.length);
    notable.set(this.notable);
    this.notable = notable;
  }

  name(index: number): string {
    return this.bytes.toString('latin1', this.spans[4 * index], this.spans[4 * index + 1]);
  }

  value(index: number): string {
    return this.bytes.toString('latin1', this.spans[4 * index + 2], this.spans[4 * index + 3]);
  }

  /** The first value of the field with this lower-case name. */
  field(name: string): string | undefined {
    for (let i = 0; i < this.count; i += 1) {
      if (this.#isNamed(i, name)) return this.value(i);
    }
    return undefined;
  }

  #isNamed(index: number, name: string): boolean {
    const from = this.spans[4 * index]!;
    if (this.spans[4 * index + 1]! - from !== name.length) return false;
    for (let i = 0; i < name.length; i += 1) {
      if (TOKEN[this.bytes[from + i]!] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  flat(): FlatHeaders {
    const all: string[] = [];
    for (let i = 0; i < this.count; i += 1) all.push(this.name(i), this.value(i));
    return all;
  }

  /** The same lines stand in other bytes now, `by` nearer to their beginning. */
  moveTo(bytes: Buffer, by: number): void {
    this.bytes = bytes;
    if (by === 0) return;
    this.end -= by;
    for (let i = 0; i < 4 * this.count; i += 1) this.spans[i] = this.spans[i]! - by;
  }

  /** Gives the bytes back: from now on there are no fields. */
  release(): void {
    this.bytes = EMPTY;
    this.count = 0;
    this.notables = 0;
  }
}

/**
 * A line is judged when its end has come, so that the same bytes get the same answer however they were cut: without
 * the LF the offending byte at `at` may not have been the reason to stop at all.
 */
export function unfinished(bytes: Buffer, at: number, end: number, limit: number): number {
  const lineEnd = bytes.indexOf(LF, at);
  if (lineEnd < 0 || lineEnd >= end) return end > limit ? TOO_LARGE : INCOMPLETE;
  return lineEnd >= limit ? TOO_LARGE : MALFORMED;
}
