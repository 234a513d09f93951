import type { Random } from '../core/ports.ts';
import { closeFrame, WebSocketFrames } from './websocket-frames.ts';
import { type Downstream, SYNC, type Upstream, type Written } from './wire.ts';

/** "Going away" (RFC 6455 §7.4.1): we stop, or the origin leaves the table. Clients connect anew. */
const GOING_AWAY = 1001;

/**
 * A switched connection: bytes in both directions as they come, with an eye on where frames end, so that it can be
 * closed between two of them.
 */
export class Tunnel {
  readonly toClient: Way;
  readonly toOrigin: Way;
  readonly #random: Random;
  isClosing = false;

  constructor(downstream: Downstream, upstream: Upstream, random: Random) {
    this.#random = random;
    this.toClient = new Way(downstream);
    this.toOrigin = new Way(upstream);
  }

  /** Says Close to both sides, each as soon as the frame under way has passed, and lets nothing follow it. */
  goAway(): void {
    this.isClosing = true;
    const octet = (): number => Math.floor(this.#random() * 256);
    this.toClient.close(closeFrame(GOING_AWAY));
    this.toOrigin.close(closeFrame(GOING_AWAY, [octet(), octet(), octet(), octet()]));
  }
}

type Sink = Pick<Downstream & Upstream, 'write' | 'end'>;

/** One direction. */
class Way {
  readonly #to: Sink;
  readonly #frames = new WebSocketFrames();
  #lastWord: Uint8Array | undefined = undefined;
  #isOver = false;

  constructor(to: Sink) {
    this.#to = to;
  }

  pass(chunk: Uint8Array): Written {
    // Who is still talking has been told that nobody listens any more.
    if (this.#isOver) return SYNC;
    if (this.#lastWord === undefined) {
      this.#frames.follow(chunk);
      return this.#to.write(chunk);
    }
    const end = this.#frames.followToBoundary(chunk);
    if (end < 0) return this.#to.write(chunk);
    this.#to.write(chunk.subarray(0, end));
    this.#finish(this.#lastWord);
    return SYNC;
  }

  /** The source has ended its half. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#to.end(undefined);
  }

  close(lastWord: Uint8Array): void {
    if (this.#isOver) return;
    this.#lastWord = lastWord;
    if (this.#frames.isBetween) this.#finish(lastWord);
  }

  #finish(lastWord: Uint8Array): void {
    this.#isOver = true;
    if (!this.#frames.hasClosed) this.#to.write(lastWord);
    this.#to.end(undefined);
  }
}
