/** Pieces a header block may come in; what fits in none of them is too large anyway. */
const MOST_PIECES = 16;

/** A header block in more than one frame (RFC 9113 §4.3), until it is whole. */
export class HeaderBlock {
  isOpen = false;
  stream = 0;
  endStream = false;
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** `limit`: bytes of a block; compressed it is smaller than what it says. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  open(stream: number, endStream: boolean, bytes: Buffer, from: number, to: number): void {
    this.isOpen = true;
    this.stream = stream;
    this.endStream = endStream;
    this.#pieces = [Buffer.from(bytes.subarray(from, to))];
    this.#bytes = to - from;
  }

  /** False when it gets too long, or comes in too many pieces (CVE-2024-27316). */
  append(bytes: Buffer, from: number, to: number): boolean {
    this.#pieces.push(Buffer.from(bytes.subarray(from, to)));
    this.#bytes += to - from;
    return this.#bytes <= this.#limit && this.#pieces.length <= MOST_PIECES;
  }

  close(): Buffer {
    const whole = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.isOpen = false;
    return whole;
  }
}
