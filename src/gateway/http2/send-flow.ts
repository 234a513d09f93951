import type { Outlet } from '../http1/outlet.ts';
import { QUEUED } from '../wire.ts';
import type { FrameWriter } from './frame-writer.ts';
import { INITIAL_WINDOW, MAX_FRAME_BYTES, MAX_WINDOW } from './frames.ts';
import type { Rate } from './rate.ts';
import type { StreamExchange } from './stream-exchange.ts';

/** Before others have a turn. */
const FRAMES_A_TURN = 4;
/** What a client does for each frame of ours without meaning harm: it opens windows. */
const UPDATES_A_FRAME = 4;

/** Who sends how much when: the windows the client opens (RFC 9113 §5.2), and what its socket takes. */
export class SendFlow {
  /** Bytes the client still takes on this connection. */
  window = INITIAL_WINDOW;
  /** What a stream that opens now may send. */
  streamWindow = INITIAL_WINDOW;
  readonly #outlet: Outlet;
  readonly #writer: FrameWriter;
  readonly #control: Rate;
  /** With something to send, in the order of their turns. */
  readonly #blocked = new Set<StreamExchange>();
  /** All said, and not all with the system yet. */
  #uncleared: StreamExchange[] = [];
  /** The socket has more than it can take. */
  #isCongested = false;
  #isPumping = false;

  constructor(outlet: Outlet, writer: FrameWriter, control: Rate) {
    this.#outlet = outlet;
    this.#writer = writer;
    this.#control = control;
  }

  /** Everything that was said is with the system. */
  get isClear(): boolean {
    return this.#uncleared.length === 0;
  }

  /** As much of `chunk[from..)` as one frame, the windows and the socket take now; how much that was. */
  send(stream: StreamExchange, chunk: Uint8Array, from: number, isLast: boolean): number {
    const room = Math.min(this.window, stream.window, MAX_FRAME_BYTES);
    const left = chunk.length - from;
    const length = Math.min(room, left);
    if (left > 0 && (length <= 0 || this.#isCongested)) return 0;
    const part = length === chunk.length ? chunk : chunk.subarray(from, from + Math.max(length, 0));
    this.window -= part.length;
    stream.window -= part.length;
    this.#control.expect(UPDATES_A_FRAME);
    this.#write(stream.id, part, isLast && part.length === left);
    return part.length;
  }

  /** The whole body of an answer that no stream stands for; false when the windows are too small for it. */
  sendWhole(stream: number, body: Uint8Array): boolean {
    if (body.length > Math.min(this.window, this.streamWindow)) return false;
    this.window -= body.length;
    this.#write(stream, body, true);
    return true;
  }

  #write(stream: number, chunk: Uint8Array, isLast: boolean): void {
    if (this.#writer.data(stream, chunk, isLast) === QUEUED) this.#isCongested = true;
  }

  /** What WINDOW_UPDATE says of the connection; false when that is more than there can be. */
  widen(bytes: number): boolean {
    this.window += bytes;
    return this.window <= MAX_WINDOW;
  }

  /** It has something to send, and may not for the moment. */
  block(stream: StreamExchange): void {
    this.#blocked.add(stream);
  }

  /** It has nothing to send any more. */
  forget(stream: StreamExchange): void {
    this.#blocked.delete(stream);
  }

  /** All is said; tells it by `cleared` when the system has it. */
  awaitClear(stream: StreamExchange): void {
    if (this.#outlet.awaitClear()) stream.cleared();
    else this.#uncleared.push(stream);
  }

  /** The system has taken all it was given. */
  drained(): void {
    this.#isCongested = false;
    for (const stream of this.#takeUncleared()) stream.cleared();
  }

  /** A few frames of each stream in turn, as long as there is room. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let moves = true;
    while (moves && this.#blocked.size > 0 && this.#hasRoom && !this.#writer.isSilent) {
      moves = false;
      for (const stream of [...this.#blocked]) {
        const before = stream.window;
        if (stream.window > 0 && stream.pump(FRAMES_A_TURN)) this.#blocked.delete(stream);
        moves ||= stream.window !== before;
        if (!this.#hasRoom) {
          // Whoever had a turn goes behind the others.
          if (this.#blocked.delete(stream)) this.#blocked.add(stream);
          break;
        }
      }
    }
    this.#isPumping = false;
  }

  get #hasRoom(): boolean {
    return this.window > 0 && !this.#isCongested;
  }

  /** The connection has gone; returns those who were still waiting for the system. */
  drop(): readonly StreamExchange[] {
    this.#blocked.clear();
    return this.#takeUncleared();
  }

  #takeUncleared(): readonly StreamExchange[] {
    const uncleared = this.#uncleared;
    this.#uncleared = [];
    return uncleared;
  }
}
