import type { FrameWriter } from './frame-writer.ts';

/** Of the whole connection; each stream has its own 64 KB within it. */
export const CONNECTION_WINDOW = 1_048_576;
const WINDOW_STEP = CONNECTION_WINDOW >> 1;

/** What the client may send on one connection, streams that are gone included (RFC 9113 §5.2). */
export class ReceiveFlow {
  readonly #writer: FrameWriter;
  #used = 0;
  /** Of that dealt with, and not yet given back. */
  #taken = 0;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** DATA has come, this long with its padding. False when it is more than the client may send. */
  receives(bytes: number): boolean {
    this.#used += bytes;
    return this.#used <= CONNECTION_WINDOW;
  }

  /** So much has been dealt with. */
  consumed(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < WINDOW_STEP) return;
    this.#writer.widen(0, this.#taken);
    this.#used -= this.#taken;
    this.#taken = 0;
  }
}
