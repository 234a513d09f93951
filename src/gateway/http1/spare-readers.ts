/** A burst shall not leave more behind. */
const MOST = 256;

/** A reader of heads, made for certain limits. */
interface SpareReader {
  readonly limits: object;
  release(): void;
}

/** Readers of one kind, kept for the next heads. The one used last is taken first: it is still near. */
export class SpareReaders<Limits extends object, Reader extends SpareReader> {
  readonly #make: (limits: Limits) => Reader;
  readonly #spare: Reader[] = [];

  constructor(make: (limits: Limits) => Reader) {
    this.#make = make;
  }

  take(limits: Limits): Reader {
    return this.#spare.pop() ?? this.#make(limits);
  }

  /** What was made for other limits goes. */
  give(reader: Reader, limits: Limits): void {
    reader.release();
    if (reader.limits === limits && this.#spare.length < MOST) this.#spare.push(reader);
  }

  clear(): void {
    this.#spare.length = 0;
  }
}
