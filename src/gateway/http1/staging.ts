import type { Outlet } from './outlet.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Turn, TurnTask } from './turn.ts';

const STAGING_BYTES = 32_768;

/**
 * Where messages are put together, one buffer for the whole wire: it holds what one connection will be sent, and is
 * emptied when the turn ends or another connection needs it.
 */
export class Staging implements TurnTask {
  bytes = Buffer.allocUnsafeSlow(STAGING_BYTES);
  at = 0;
  #owner: Outlet | undefined = undefined;
  #announced = false;
  readonly #turn: Turn;
  readonly #buffers: ReadBuffers;

  constructor(turn: Turn, buffers: ReadBuffers) {
    this.#turn = turn;
    this.#buffers = buffers;
  }

  /** Makes room for as many more bytes to this outlet. */
  claim(outlet: Outlet, room: number): void {
    if (this.#owner !== outlet || this.at + room > this.bytes.length) this.flush();
    if (room > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(2 * room);
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
    if (to - from < 24) {
      for (let i = from; i < to; i += 1) this.bytes[this.at + i - from] = source[i]!;
    } else if (Buffer.isBuffer(source)) source.copy(this.bytes, this.at, from, to);
    else this.bytes.set(source.subarray(from, to), this.at);
    this.at += to - from;
  }

  flush(): void {
    const owner = this.#owner;
    const { at } = this;
    this.#owner = undefined;
    this.at = 0;
    if (owner === undefined || at === 0) return;
    // A write that did not finish at once owns the buffer from now on.
    if (owner.writeStaged(this.bytes, at)) this.#buffers.spoil(this.bytes.subarray(0, at));
    else this.bytes = Buffer.allocUnsafeSlow(STAGING_BYTES);
  }

  turnEnded(): void {
    this.#announced = false;
    this.flush();
  }
}
