import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { ERR, QUEUED, SYNC, type Written } from '../wire.ts';
import type { Lender, ReadBuffers } from './read-buffers.ts';
import type { Staging } from './staging.ts';

/** Beyond this many bytes the system has not taken we ask the other side to wait. */
const QUEUE_BYTES = 65_536;
/** Bigger chunks are written where they are, smaller ones copied behind what is staged already. */
export const COPY_BYTES = 8_192;
/** Of `chunk-size CRLF`, and the CRLF behind the chunk. */
const CHUNK_FRAME_BYTES = 20;
const CRLF = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);

/** The way out to one connection. */
export class Outlet {
  readonly #socket: Socket;
  readonly #staging: Staging;
  readonly #buffers: ReadBuffers;
  readonly #onDrain: () => void;
  /** Encrypting takes a moment, so the socket keeps what it is given. */
  readonly #keeps: boolean;
  readonly #held: Lender[] = [];
  /** The socket has not handed all it was given to the system. Ours, because asking the socket takes several look-ups. */
  #isBehind = false;
  #isCorked = false;
  /** Somebody is to be told when it has. */
  #isWaiting = false;

  constructor(
    socket: Socket,
    { staging, buffers }: { readonly staging: Staging; readonly buffers: ReadBuffers },
    onDrain: () => void,
  ) {
    this.#socket = socket;
    this.#staging = staging;
    this.#buffers = buffers;
    this.#onDrain = onDrain;
    this.#keeps = 'encrypted' in socket;
  }

  /** True when everything is with the system; if not, `onDrain` will tell when it is. */
  awaitClear(): boolean {
    if (!this.#isBehind && !this.#staging.holdsFor(this)) return true;
    this.#isWaiting = true;
    return false;
  }

  /** Room for `bytes` more in the staging buffer, for a head. */
  stage(bytes: number): Staging {
    this.#staging.claim(this, bytes);
    return this.#staging;
  }

  send(chunk: Uint8Array): Written {
    if (this.#socket.destroyed) return ERR;
    if (chunk.length <= COPY_BYTES) this.stage(chunk.length).octets(chunk);
    else {
      this.#cork();
      this.flush();
      this.#socket.write(this.#keep(chunk), this.#written);
      this.#uncork();
    }
    return this.#afterSend();
  }

  /** As a chunk of a chunked body (RFC 9112 §7.1). */
  sendChunk(chunk: Uint8Array): Written {
    if (this.#socket.destroyed) return ERR;
    if (chunk.length === 0) return SYNC;
    const size = `${chunk.length.toString(16)}\r\n`;
    if (chunk.length <= COPY_BYTES) {
      const staging = this.stage(chunk.length + CHUNK_FRAME_BYTES);
      staging.text(size);
      staging.octets(chunk);
      staging.octets(CRLF);
    } else {
      this.stage(CHUNK_FRAME_BYTES).text(size);
      this.#cork();
      this.#staging.flush();
      this.#socket.write(this.#keep(chunk), this.#written);
      this.#socket.write(CRLF, this.#written);
      this.#uncork();
    }
    return this.#afterSend();
  }

  /** What is staged goes out now. */
  flush(): void {
    if (this.#staging.holdsFor(this)) this.#staging.flush();
  }

  /** For `Staging`. True when the memory is free again. */
  writeStaged(staged: Buffer): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return true;
    if (this.#keeps || this.#isCorked || this.#isBehind) {
      socket.write(Buffer.from(staged), this.#written);
      this.#isBehind = socket.writableLength > 0;
      return true;
    }
    // Nearly always the system takes it at once. If not, an empty write tells when it has: a callback for each costs more.
    socket.write(staged);
    if (socket.writableLength === 0) return true;
    this.#isBehind = true;
    socket.write(NOTHING, this.#written);
    return false;
  }

  /** The connection has gone: nothing that was held is needed any more. */
  gone(): void {
    if (this.#held.length === 0) return;
    for (const lender of this.#held.splice(0)) lender.release();
  }

  #cork(): void {
    this.#socket.cork();
    this.#isCorked = true;
  }

  #uncork(): void {
    this.#isCorked = false;
    this.#socket.uncork();
    this.#isBehind = this.#socket.writableLength > 0;
    if (!this.#isBehind) this.gone();
  }

  #afterSend(): Written {
    if (!this.#isBehind || this.#socket.writableLength < QUEUE_BYTES) return SYNC;
    this.#isWaiting = true;
    return QUEUED;
  }

  /** The chunk itself if its memory can be had for as long as the write takes, else a copy. */
  #keep(chunk: Uint8Array): Uint8Array {
    const lender = this.#buffers.lending;
    if (lender?.lends(chunk) !== true) return Buffer.from(chunk);
    lender.hold();
    this.#held.push(lender);
    return chunk;
  }

  readonly #written = (): void => {
    if (this.#socket.destroyed || this.#socket.writableLength > 0) return;
    this.#isBehind = false;
    this.gone();
    if (!this.#isWaiting || this.#staging.holdsFor(this)) return;
    this.#isWaiting = false;
    this.#onDrain();
  };
}
