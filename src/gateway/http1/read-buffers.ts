import { Buffer } from 'node:buffer';
import { sharedBytes } from './octet-scan.ts';

/** What poisoned memory reads as: a byte in no head, so that using it is noticed. */
const POISON = 0xdd;
const READ_BYTES = sharedBytes.length;
const MOST_SPARE = 32;

/** Memory that chunks are lent from while a callback runs. */
export interface Lender {
  /** True when a chunk of it may be kept beyond the callback, by `hold`. */
  lends(chunk: Uint8Array): boolean;
  hold(): void;
  release(): void;
}

/** 64 KB a socket reads into, handed from socket to socket. */
export class ReadBuffer implements Lender {
  readonly bytes: Buffer;
  /** Writes still under way that need it. */
  holds = 0;
  /** A connection reads into it. */
  inUse = false;
  readonly #owner: ReadBuffers;
  readonly #isShared: boolean;

  constructor(owner: ReadBuffers, isShared: boolean) {
    this.#owner = owner;
    this.#isShared = isShared;
    this.bytes = isShared ? sharedBytes : Buffer.allocUnsafeSlow(READ_BYTES);
  }

  get isShared(): boolean {
    return this.#isShared;
  }

  lends(chunk: Uint8Array): boolean {
    return !this.#isShared && chunk.buffer === this.bytes.buffer;
  }

  hold(): void {
    this.holds += 1;
  }

  release(): void {
    this.holds -= 1;
    if (this.holds === 0 && !this.inUse) this.#owner.take(this);
  }
}

/** A chunk nobody will write to again; all there is to do with it is to spoil it in tests. */
class OwnChunk implements Lender {
  kept = false;
  bytes: Buffer = Buffer.alloc(0);

  lends(chunk: Uint8Array): boolean {
    return chunk.buffer === this.bytes.buffer;
  }

  hold(): void {
    this.kept = true;
  }

  release(): void {
    // Its memory goes when the last reference does.
  }
}

/**
 * Where sockets read into and who may keep what was read. All connections that wait for something read into one shared
 * buffer, since reading and handing over is one synchronous step. One that streams gets a buffer of its own, because a
 * write that does not finish at once keeps using the memory it was given.
 */
export class ReadBuffers {
  readonly shared: ReadBuffer;
  /** Whose bytes the callback under way lends out. */
  lending: Lender | undefined = undefined;
  readonly #poison: boolean;
  readonly #spare: ReadBuffer[] = [];
  readonly #own = new OwnChunk();

  constructor(poison: boolean) {
    this.#poison = poison;
    this.shared = new ReadBuffer(this, true);
  }

  /** One nobody else uses. */
  borrow(): ReadBuffer {
    const buffer = this.#spare.pop() ?? new ReadBuffer(this, false);
    buffer.inUse = true;
    return buffer;
  }

  /** The connection reads into it no more; writes may still hold it. */
  giveBack(buffer: ReadBuffer): void {
    if (buffer.isShared) return;
    buffer.inUse = false;
    if (buffer.holds === 0) this.take(buffer);
  }

  take(buffer: ReadBuffer): void {
    this.spoil(buffer.bytes);
    if (this.#spare.length < MOST_SPARE) this.#spare.push(buffer);
  }

  /** What was read into `buffer` has been dealt with. */
  finished(buffer: ReadBuffer, length: number): void {
    this.lending = undefined;
    if (this.#poison && buffer.holds === 0) buffer.bytes.fill(POISON, 0, length);
  }

  /** Lends a chunk whose memory is its own. */
  lendOwn(chunk: Buffer): void {
    this.#own.bytes = chunk;
    this.#own.kept = false;
    this.lending = this.#own;
  }

  finishedOwn(chunk: Buffer, from: number, to: number): void {
    this.lending = undefined;
    if (!this.#own.kept) this.spoil(chunk, from, to);
  }

  /** Nobody may use these bytes any more; with poison whoever does will notice. */
  spoil(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (this.#poison) bytes.fill(POISON, from, to);
  }
}
