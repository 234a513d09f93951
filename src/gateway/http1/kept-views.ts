import type { Buffer } from 'node:buffer';

/** A power of two. */
const KEPT = 256;

/**
 * Views of one piece of memory that is used again and again. Messages have few shapes, and making a view takes longer
 * than copying what it shows: of those that share a place, the last is kept.
 */
export class KeptViews {
  readonly #bytes: Buffer;
  readonly #views: Buffer[];
  /** What each shows. Asking the view itself takes longer. */
  readonly #from = new Int32Array(KEPT);
  readonly #to = new Int32Array(KEPT);

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#views = new Array<Buffer>(KEPT).fill(bytes.subarray(0, 0));
  }

  of(from: number, to: number): Buffer {
    const place = (to ^ (from * 5)) & (KEPT - 1);
    if (this.#from[place] === from && this.#to[place] === to) return this.#views[place]!;
    const made = this.#bytes.subarray(from, to);
    this.#views[place] = made;
    this.#from[place] = from;
    this.#to[place] = to;
    return made;
  }
}
