import { FRAME_HEAD_BYTES, MAX_FRAME_BYTES, PREFACE, uint32 } from './frames.ts';

export interface FrameSink {
  /** It wants no more frames. */
  readonly isOver: boolean;
  /** The payload is `bytes[from..to)`, on loan. */
  frame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void;
  /** What comes is no HTTP/2. */
  noPreface(): void;
  /** A frame longer than we said we take. */
  oversized(): void;
}

/** Cuts what a client sends into frames. One that comes whole is read where it stands, of the others the pieces are gathered. */
export class FrameReader {
  #prefaceRead = 0;
  #gathered: Buffer | undefined = undefined;
  #has = 0;

  /** In the middle of the preface or of a frame. */
  get isPartial(): boolean {
    return this.#prefaceRead < PREFACE.length || this.#gathered !== undefined;
  }

  read(chunk: Buffer, sink: FrameSink): void {
    let at = this.#prefaceRead < PREFACE.length ? this.#readPreface(chunk, sink) : 0;
    while (at < chunk.length && !sink.isOver) {
      at = this.#gathered === undefined ? this.#readFrame(chunk, at, sink) : this.#gather(chunk, at, sink);
    }
  }

  #readPreface(chunk: Buffer, sink: FrameSink): number {
    const length = Math.min(chunk.length, PREFACE.length - this.#prefaceRead);
    const to = this.#prefaceRead + length;
    if (PREFACE.compare(chunk, 0, length, this.#prefaceRead, to) !== 0) sink.noPreface();
    this.#prefaceRead = to;
    return length;
  }

  #readFrame(chunk: Buffer, at: number, sink: FrameSink): number {
    const left = chunk.length - at;
    const length = left < FRAME_HEAD_BYTES ? 0 : lengthAt(chunk, at);
    if (length > MAX_FRAME_BYTES) {
      sink.oversized();
      return chunk.length;
    }
    const whole = FRAME_HEAD_BYTES + length;
    if (left >= whole) {
      deliver(sink, chunk, at, at + whole);
      return at + whole;
    }
    this.#gathered = Buffer.allocUnsafe(whole);
    this.#has = chunk.copy(this.#gathered, 0, at);
    return chunk.length;
  }

  #gather(chunk: Buffer, at: number, sink: FrameSink): number {
    let gathered = this.#gathered!;
    const copied = chunk.copy(gathered, this.#has, at);
    this.#has += copied;
    if (this.#has < gathered.length) return at + copied;
    const whole = FRAME_HEAD_BYTES + lengthAt(gathered, 0);
    if (whole > FRAME_HEAD_BYTES + MAX_FRAME_BYTES) {
      sink.oversized();
      return chunk.length;
    }
    if (whole === gathered.length) {
      this.#gathered = undefined;
      deliver(sink, gathered, 0, whole);
    } else {
      // Only now it is known how long the frame is.
      const head = gathered;
      gathered = Buffer.allocUnsafe(whole);
      head.copy(gathered);
      this.#gathered = gathered;
    }
    return at + copied;
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

function deliver(sink: FrameSink, bytes: Buffer, at: number, to: number): void {
  // The highest bit means nothing (RFC 9113 §4.1).
  const stream = uint32(bytes, at + 5) & 0x7fffffff;
  sink.frame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes, at + FRAME_HEAD_BYTES, to);
}
