import { Buffer } from 'node:buffer';
import { KeptViews } from './kept-views.ts';
import { sharedBytes, sharedViews } from './octet-scan.ts';
import type { Outlet } from './outlet.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Turn, TurnTask } from './turn.ts';

const STAGING_BYTES = 32_768;
const LINE_END_BYTES = 2;
/** A view costs as much as copying so many one by one. */
const FEW_BYTES = 64;

/**
 * Where messages are put together, one buffer for the whole wire: it holds what one connection will be sent, and is
 * emptied when the turn ends or another connection needs it.
 */
export class Staging implements TurnTask {
  bytes = Buffer.allocUnsafeSlow(STAGING_BYTES);
  at = 0;
  #owner: Outlet | undefined = undefined;
  #announced = false;
  #views = new KeptViews(this.bytes);
  readonly #turn: Turn;
  readonly #buffers: ReadBuffers;

  constructor(turn: Turn, buffers: ReadBuffers) {
    this.#turn = turn;
    this.#buffers = buffers;
  }

  /** Makes room for as many more bytes to this outlet. */
  claim(outlet: Outlet, room: number): void {
    if (this.#owner !== outlet || this.at + room > this.bytes.length) this.flush();
    if (room > this.bytes.length) this.#renew(2 * room);
    this.#owner = outlet;
    if (this.#announced) return;
    this.#announced = true;
    this.#turn.atEnd(this);
  }

  holdsFor(outlet: Outlet): boolean {
    return this.#owner === outlet && this.at > 0;
  }

  /** Within what was claimed; Latin-1. */
  text(text: string): void {
    this.at += this.bytes.write(text, this.at, 'latin1');
  }

  octets(source: Uint8Array, from = 0, to = source.length): void {
    const { bytes, at } = this;
    const length = to - from;
    // Views are made only where it must be. Of a head all but its last line end is copied, and that does no harm.
    if (from === 0 && source.length - to <= LINE_END_BYTES && at + source.length <= bytes.length)
      bytes.set(source, at);
    else if (source === sharedBytes) bytes.set(sharedViews.of(from, to), at);
    else if (length > FEW_BYTES)
      bytes.set(new Uint8Array(source.buffer, source.byteOffset + from, length), at);
    else for (let i = 0; i < length; i += 1) bytes[at + i] = source[from + i]!;
    this.at = at + length;
  }

  flush(): void {
    const owner = this.#owner;
    const { at } = this;
    this.#owner = undefined;
    this.at = 0;
    if (owner === undefined || at === 0) return;
    // A write that did not finish at once owns the buffer from now on.
    if (owner.writeStaged(this.#views.of(0, at))) this.#buffers.spoil(this.bytes, 0, at);
    else this.#renew(STAGING_BYTES);
  }

  #renew(length: number): void {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#views = new KeptViews(this.bytes);
  }

  turnEnded(): void {
    this.#announced = false;
    this.flush();
  }
}
