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
/** What a stream calls the encoding of a chunk that is no text. */
const BYTES = 'buffer' as BufferEncoding;

/**
 * The way out to one connection. It goes past the socket's stream, which would settle each write in a tick of its own:
 * `_write` is what a stream calls for its next chunk, and so do we, one at a time. Nearly always the system takes all
 * of it at once; what comes before it has waits here.
 */
export class Outlet {
  readonly #socket: Socket;
  readonly #staging: Staging;
  readonly #buffers: ReadBuffers;
  readonly #onDrain: () => void;
  /** Encrypting takes a moment, so the socket keeps what it is given. */
  readonly #keeps: boolean;
  readonly #held: Lender[] = [];
  /** Bytes of the write under way. */
  #flying = 0;
  #isGiving = false;
  /** Behind it. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** What to do once everything is out. */
  #ending: 'end' | 'destroySoon' | undefined = undefined;
  /** The connection is closed. */
  #isGone = false;
  /** Somebody is to be told when the system has everything. */
  #isAwaited = false;

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
    if (this.#flying === 0 && !this.#staging.holdsFor(this)) return true;
    this.#isAwaited = true;
    return false;
  }

  /** Room for `bytes` more in the staging buffer, for a head. */
  stage(bytes: number): Staging {
    this.#staging.claim(this, bytes);
    return this.#staging;
  }

  send(chunk: Uint8Array): Written {
    if (this.#isGone) return ERR;
    if (chunk.length <= COPY_BYTES) this.stage(chunk.length).octets(chunk);
    else {
      this.flush();
      this.#write(this.#keep(chunk));
    }
    return this.#afterSend();
  }

  /** As a chunk of a chunked body (RFC 9112 §7.1). */
  sendChunk(chunk: Uint8Array): Written {
    if (this.#isGone) return ERR;
    if (chunk.length === 0) return SYNC;
    const staging = this.stage(Math.min(chunk.length, COPY_BYTES) + CHUNK_FRAME_BYTES);
    staging.text(`${chunk.length.toString(16)}\r\n`);
    if (chunk.length <= COPY_BYTES) staging.octets(chunk);
    else {
      this.flush();
      this.#write(this.#keep(chunk));
    }
    this.stage(CRLF.length).octets(CRLF);
    return this.#afterSend();
  }

  /** What is staged goes out now. */
  flush(): void {
    if (this.#staging.holdsFor(this)) this.#staging.flush();
  }

  /** Our half of the connection ends behind all that was sent; all of it soon after that when `both`. */
  end(both = false): void {
    this.flush();
    this.#ending = both ? 'destroySoon' : 'end';
    if (this.#flying === 0) this.#end();
  }

  /** For `Staging`. True when the memory is free again. */
  writeStaged(staged: Buffer): boolean {
    const chunk = this.#keeps || this.#flying > 0 ? Buffer.from(staged) : staged;
    this.#write(chunk);
    return chunk !== staged || this.#flying === 0;
  }

  /** The connection has gone: nothing that was held is needed any more. */
  gone(): void {
    this.#isGone = true;
    this.#waiting = [];
    this.#letGo();
  }

  #write(chunk: Uint8Array): void {
    if (this.#flying === 0) this.#give(chunk);
    else {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
    }
  }

  #give(chunk: Uint8Array): void {
    this.#flying = chunk.length;
    this.#isGiving = true;
    this.#socket._write(chunk, BYTES, this.#wrote);
    this.#isGiving = false;
    if (this.#flying === 0) this.#letGo();
  }

  /** The write under way is with the system, or lost with the connection. */
  readonly #wrote = (error?: Error | null): void => {
    this.#flying = 0;
    if (error) this.#socket.destroy(error);
    else if (!this.#isGiving && !this.#socket.destroyed) this.#goOn();
  };

  #goOn(): void {
    while (this.#waiting.length > 0 && this.#flying === 0) {
      const [first] = this.#waiting;
      const next = this.#waiting.length === 1 ? first! : Buffer.concat(this.#waiting);
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#give(next);
    }
    if (this.#flying > 0) return;
    this.#letGo();
    this.#end();
    if (!this.#isAwaited || this.#staging.holdsFor(this)) return;
    this.#isAwaited = false;
    this.#onDrain();
  }

  #end(): void {
    if (this.#ending === 'end') this.#socket.end();
    else if (this.#ending === 'destroySoon') this.#socket.destroySoon();
    this.#ending = undefined;
  }

  #letGo(): void {
    if (this.#held.length === 0) return;
    for (const lender of this.#held.splice(0)) lender.release();
  }

  #afterSend(): Written {
    if (this.#flying + this.#waitingBytes < QUEUE_BYTES) return SYNC;
    this.#isAwaited = true;
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
}
