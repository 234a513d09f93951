import { Buffer } from 'node:buffer';
import type { Outlet } from './outlet.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Turn, TurnTask } from './turn.ts';

const STAGING_BYTES = 32_768;
/** A power of two. */
const KEPT_VIEWS = 64;

/**
 * Where messages are put together, one buffer for the whole wire: it holds what one connection will be sent, and is
 * emptied when the turn ends or another connection needs it.
 */
export class Staging implements TurnTask {
  bytes = Buffer.allocUnsafeSlow(STAGING_BYTES);
  at = 0;
  #owner: Outlet | undefined = undefined;
  #announced = false;
  /** Messages have few lengths, and making a view costs more than finding one: of each remainder the last is kept. */
  readonly #views: (Buffer | undefined)[] = Array.from({ length: KEPT_VIEWS }, () => undefined);
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
    const length = to - from;
    // A view costs as much as copying some sixty bytes one by one.
    if (length === source.length) this.bytes.set(source, this.at);
    else if (length > 64)
      this.bytes.set(new Uint8Array(source.buffer, source.byteOffset + from, length), this.at);
    else for (let i = 0; i < length; i += 1) this.bytes[this.at + i] = source[from + i]!;
    this.at += length;
  }

  flush(): void {
    const owner = this.#owner;
    const { at } = this;
    this.#owner = undefined;
    this.at = 0;
    if (owner === undefined || at === 0) return;
    // A write that did not finish at once owns the buffer from now on.
    if (owner.writeStaged(this.#viewOf(at))) this.#buffers.spoil(this.bytes, 0, at);
    else this.#renew(STAGING_BYTES);
  }

  #viewOf(length: number): Buffer {
    const place = length & (KEPT_VIEWS - 1);
    const kept = this.#views[place];
    if (kept?.length === length) return kept;
    const made = this.bytes.subarray(0, length);
    this.#views[place] = made;
    return made;
  }

  #renew(length: number): void {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#views.fill(undefined);
  }

  turnEnded(): void {
    this.#announced = false;
    this.flush();
  }
}
