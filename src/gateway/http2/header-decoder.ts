import { FieldTable } from './field-table.ts';
import { decodeHuffman } from './huffman.ts';
import { ENTRY_BYTES, STATIC_TABLE, TABLE_BYTES } from './static-table.ts';

/** Continuation octets of an integer; five hold more than any length or index here (RFC 7541 §5.1). */
const MOST_INTEGER_OCTETS = 4;

/**
 * Decodes header blocks (RFC 7541). Each block must go through it, also one nobody wants: the next builds on it. After
 * `false` nothing on the connection can be understood any more.
 */
export class HeaderDecoder {
  /** Names and values in turn, of the last block; those within the limit. */
  raw: string[] = [];
  /** The last block was larger than the limit, and `raw` lacks the rest. */
  isTooLarge = false;
  readonly #limit: number;
  readonly #table = new FieldTable(TABLE_BYTES);
  #listBytes = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #to = 0;
  #isBroken = false;
  #scratch = Buffer.allocUnsafe(256);

  /** `limit`: bytes of a header list as SETTINGS_MAX_HEADER_LIST_SIZE counts them (RFC 9113 §6.5.2). */
  constructor(limit: number) {
    this.#limit = limit;
  }

  decode(bytes: Buffer, from: number, to: number): boolean {
    this.raw = [];
    this.isTooLarge = false;
    this.#listBytes = 0;
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
    this.#isBroken = false;
    let isFirst = true;
    while (this.#at < this.#to && !this.#isBroken) {
      const octet = bytes[this.#at]!;
      if ((octet & 0x80) !== 0) this.#indexed();
      else if ((octet & 0x40) !== 0) this.#literal(6, true);
      else if ((octet & 0x20) === 0) this.#literal(4, false);
      // The size of the table may only change before the first field (§4.2).
      else if (isFirst) {
        this.#resize();
        continue;
      } else this.#isBroken = true;
      isFirst = false;
    }
    return !this.#isBroken;
  }

  #indexed(): void {
    const entry = this.#entryAt(this.#integer(7));
    if (entry !== undefined) this.#add(entry.name, entry.value);
  }

  #literal(prefix: number, isKept: boolean): void {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#string() : (this.#entryAt(index)?.name ?? '');
    const value = this.#string();
    if (this.#isBroken) return;
    if (isKept) this.#table.insert(name, value);
    this.#add(name, value);
  }

  #resize(): void {
    const capacity = this.#integer(5);
    if (capacity > TABLE_BYTES) this.#isBroken = true;
    else if (!this.#isBroken) this.#table.capacity = capacity;
  }

  #entryAt(index: number): { readonly name: string; readonly value: string } | undefined {
    if (index > 0 && index <= STATIC_TABLE.length) {
      const [name, value] = STATIC_TABLE[index - 1]!;
      return { name, value };
    }
    const entry = index === 0 ? undefined : this.#table.at(index);
    if (entry === undefined) this.#isBroken = true;
    return entry;
  }

  /** A few octets can stand for many (indexes of large entries), so what counts is what they stand for. */
  #add(name: string, value: string): void {
    this.#listBytes += name.length + value.length + ENTRY_BYTES;
    if (this.#listBytes > this.#limit) this.isTooLarge = true;
    else this.raw.push(name, value);
  }

  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1;
    let value = this.#bytes[this.#at]! & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let i = 0; i < MOST_INTEGER_OCTETS; i += 1) {
      if (this.#at >= this.#to) break;
      const octet = this.#bytes[this.#at]!;
      this.#at += 1;
      value += (octet & 0x7f) * 2 ** (7 * i);
      if ((octet & 0x80) === 0) return value;
    }
    this.#isBroken = true;
    return 0;
  }

  #string(): string {
    if (this.#isBroken || this.#at >= this.#to) {
      this.#isBroken = true;
      return '';
    }
    const isHuffman = (this.#bytes[this.#at]! & 0x80) !== 0;
    const length = this.#integer(7);
    const from = this.#at;
    const to = from + length;
    if (this.#isBroken || to > this.#to) {
      this.#isBroken = true;
      return '';
    }
    this.#at = to;
    if (!isHuffman) return this.#bytes.toString('latin1', from, to);
    // The shortest code has five bits.
    if (2 * length > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(4 * length);
    const decoded = decodeHuffman(this.#bytes, from, to, this.#scratch);
    if (decoded >= 0) return this.#scratch.toString('latin1', 0, decoded);
    this.#isBroken = true;
    return '';
  }
}
