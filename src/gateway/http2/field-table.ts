import { ENTRY_BYTES, STATIC_TABLE } from './static-table.ts';

export interface Entry {
  readonly name: string;
  readonly value: string;
  /** How many went into the table before it. */
  readonly serial: number;
}

/** Fields said on this connection before, the newest first (RFC 7541 §2.3.2); both sides keep the same. */
export class FieldTable {
  #entries: Entry[] = [];
  /** Evicted ones still stand in `#entries` before this. */
  #first = 0;
  #size = 0;
  #capacity: number;
  /** Entries that ever went in. */
  #inserted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Shrinking it drops the oldest. */
  set capacity(bytes: number) {
    this.#capacity = bytes;
    this.#evict(bytes);
  }

  /** The entry an index stands for, counted behind the static table; undefined when there is none. */
  at(index: number): Entry | undefined {
    const place = this.#entries.length - (index - STATIC_TABLE.length);
    return place < this.#first ? undefined : this.#entries[place];
  }

  /** One that is too big for the table empties it and is not in it: undefined. */
  insert(name: string, value: string): Entry | undefined {
    const size = name.length + value.length + ENTRY_BYTES;
    this.#evict(this.#capacity - size);
    if (size > this.#capacity) return undefined;
    const entry = { name, value, serial: this.#inserted };
    this.#inserted += 1;
    this.#entries.push(entry);
    this.#size += size;
    return entry;
  }

  /** The index of an entry, or 0 when it was evicted. */
  indexOf({ serial }: Entry): number {
    const age = this.#inserted - serial;
    return age <= this.#entries.length - this.#first ? STATIC_TABLE.length + age : 0;
  }

  #evict(to: number): void {
    while (this.#size > to && this.#first < this.#entries.length) {
      const { name, value } = this.#entries[this.#first]!;
      this.#size -= name.length + value.length + ENTRY_BYTES;
      this.#first += 1;
    }
    if (this.#first < 64 && this.#first < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
