import { type Entry, FieldTable } from './field-table.ts';
import { STATIC_TABLE, TABLE_BYTES } from './static-table.ts';

/** Of the static table: the first entry with this name. */
const STATIC_NAMES: ReadonlyMap<string, number> = staticNames();
const STATUS_NAME = 8;
const STATUSES: ReadonlyMap<number, number> = new Map([
  [200, 8],
  [204, 9],
  [206, 10],
  [304, 11],
  [400, 12],
  [404, 13],
  [500, 14],
]);

/** More names than an application has; somebody makes them up. */
const MOST_NAMES = 256;

/** Other for nearly every answer: in the table they would only push out what repeats. */
const NEVER_THE_SAME: ReadonlySet<string> = new Set([
  'age',
  'content-length',
  'content-range',
  'etag',
  'expires',
  'last-modified',
  'location',
  'set-cookie',
  'traceparent',
  'x-request-id',
  'x-vcap-request-id',
]);

/**
 * Encodes header blocks (RFC 7541): what repeats becomes an index, everything else stays as it is, for Huffman's code
 * would cost more than it saves here. A block must be sent once it was made: the next builds on it.
 */
export class HeaderEncoder {
  /** The last block is `bytes[0..length)`. */
  bytes = Buffer.allocUnsafe(1_024);
  length = 0;
  readonly #table = new FieldTable(TABLE_BYTES);
  readonly #newest = new Map<string, Entry>();
  /** To be said at the beginning of the next block: the smallest it was since the last, and what it is. */
  #resizes: number[] = [];

  /** What the client's decoder keeps at most. */
  limitTable(bytes: number): void {
    const capacity = Math.min(bytes, TABLE_BYTES);
    if (capacity === this.#table.capacity && this.#resizes.length === 0) return;
    this.#table.capacity = capacity;
    this.#resizes = [Math.min(capacity, ...this.#resizes), capacity];
  }

  begin(): void {
    this.length = 0;
    for (const capacity of this.#resizes) this.#integer(0x20, 5, capacity);
    this.#resizes = [];
  }

  status(status: number): void {
    const index = STATUSES.get(status);
    if (index !== undefined) this.#integer(0x80, 7, index);
    else {
      this.#integer(0x40, 6, STATUS_NAME);
      this.#string(String(status));
      this.#table.insert(':status', String(status));
    }
  }

  /** The name in lower case; both in Latin-1. */
  field(name: string, value: string): void {
    const before = this.#newest.get(name);
    if (before !== undefined && before.value === value) {
      const index = this.#table.indexOf(before);
      if (index > 0) {
        this.#integer(0x80, 7, index);
        return;
      }
    }
    const named = STATIC_NAMES.get(name) ?? (before === undefined ? 0 : this.#table.indexOf(before));
    const isKept = !NEVER_THE_SAME.has(name);
    if (isKept) this.#integer(0x40, 6, named);
    else this.#integer(0x00, 4, named);
    if (named === 0) this.#string(name);
    this.#string(value);
    if (isKept) this.#keep(name, value);
  }

  #keep(name: string, value: string): void {
    if (this.#newest.size > MOST_NAMES) this.#newest.clear();
    const entry = this.#table.insert(name, value);
    if (entry === undefined) this.#newest.delete(name);
    else this.#newest.set(name, entry);
  }

  #integer(pattern: number, prefix: number, value: number): void {
    this.#room(8);
    const most = (1 << prefix) - 1;
    if (value < most) {
      this.bytes[this.length] = pattern | value;
      this.length += 1;
      return;
    }
    this.bytes[this.length] = pattern | most;
    this.length += 1;
    let rest = value - most;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.bytes[this.length] = (rest & 0x7f) | 0x80;
      this.length += 1;
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  #string(text: string): void {
    this.#integer(0x00, 7, text.length);
    this.#room(text.length);
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  #room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bytes = Buffer.allocUnsafe(2 * (this.length + more));
    this.bytes.copy(bytes, 0, 0, this.length);
    this.bytes = bytes;
  }
}

function staticNames(): Map<string, number> {
  const names = new Map<string, number>();
  for (const [i, [name]] of STATIC_TABLE.entries()) if (!names.has(name)) names.set(name, i + 1);
  return names;
}
