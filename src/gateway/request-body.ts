import type { FlatHeaders } from './wire.ts';

/**
 * The body of a request on its way through: how much came, and its beginning, kept so that it can be sent again until
 * it outgrows the limit.
 */
export class RequestBody {
  /** All of it has come. */
  ended = false;
  /** The origin does not take it as fast as it comes. */
  blocked = false;
  bytes = 0;
  /** Those that may pass. */
  trailers: FlatHeaders | undefined = undefined;
  readonly #replayLimit: number;
  #kept: Uint8Array[] = [];
  #whole = true;

  constructor(replayLimit: number) {
    this.#replayLimit = replayLimit;
  }

  /** True as long as everything that came so far can be sent again. */
  get whole(): boolean {
    return this.#whole;
  }

  get kept(): readonly Uint8Array[] {
    return this.#kept;
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (!this.#whole) return;
    if (this.bytes > this.#replayLimit) this.drop();
    // Chunks are on loan from the wire.
    else this.#kept.push(Uint8Array.prototype.slice.call(chunk));
  }

  /** Nothing will be sent again: gives the memory back. */
  drop(): void {
    this.#whole = false;
    this.#kept = [];
  }
}
