import type { ClientSource } from './client-source.ts';

/** What may lie here unread before the client has to wait. */
const READ_AHEAD_BYTES = 16_384;

/** Who makes sense of what comes. */
export interface InputReader {
  /** Reads from `chunk[at..)` as far as it wants to at the moment; returns where it stopped. */
  take(chunk: Buffer, at: number): number;
}

/**
 * What has come on a connection and has not been read yet. Nearly always that is one chunk; only a client that sends
 * while nobody wants it makes more of them, and is asked to wait.
 */
export class ClientInput {
  readonly #source: ClientSource;
  readonly #reader: InputReader;
  /** The one that is read next, from `#at` on. */
  #chunk: Buffer | undefined = undefined;
  #at = 0;
  #behind: Buffer[] | undefined = undefined;
  #bytes = 0;
  #isReading = false;

  constructor(source: ClientSource, reader: InputReader) {
    this.#source = source;
    this.#reader = reader;
  }

  get isEmpty(): boolean {
    return this.#chunk === undefined;
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#chunk === undefined) this.#chunk = chunk;
    else {
      this.#behind ??= [];
      this.#behind.push(chunk);
    }
  }

  /** Hands over what is here, as far as it is wanted. Does nothing when called from within. */
  read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    for (let chunk = this.#chunk; chunk !== undefined; chunk = this.#chunk) {
      const to = this.#reader.take(chunk, this.#at);
      // It may have been dropped meanwhile.
      if (this.#chunk !== chunk) continue;
      if (to === this.#at) break;
      this.#advance(chunk, to);
    }
    this.#isReading = false;
    if (this.#bytes >= READ_AHEAD_BYTES) this.#source.hold();
    else this.#source.release();
  }

  /** Nobody will read it. */
  drop(): void {
    this.#chunk = undefined;
    this.#behind = undefined;
    this.#at = 0;
    this.#bytes = 0;
    if (!this.#isReading) this.#source.release();
  }

  #advance(chunk: Buffer, to: number): void {
    this.#bytes -= to - this.#at;
    this.#at = to;
    if (to < chunk.length) return;
    this.#chunk = this.#behind?.shift();
    this.#at = 0;
  }
}
