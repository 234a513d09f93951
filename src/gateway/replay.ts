/** The beginning of a request body, kept so that it can be sent again; nothing once it outgrew the limit. */
export class ReplayBuffer {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #whole = true;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True as long as everything that came so far is here. */
  get whole(): boolean {
    return this.#whole;
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  add(chunk: Uint8Array): void {
    if (!this.#whole) return;
    this.#size += chunk.length;
    if (this.#size > this.#limit) this.drop();
    // Chunks are on loan from the wire.
    else this.#chunks.push(Uint8Array.prototype.slice.call(chunk));
  }

  /** Nothing will be sent again: gives the memory back. */
  drop(): void {
    this.#whole = false;
    this.#chunks = [];
  }
}
