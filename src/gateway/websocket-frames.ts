/** Fin and opcode, mask bit and length, 64 bits of length, masking key. */
const LONGEST_HEADER = 14;
const OPCODE = 0x0f;
const CLOSE = 0x08;
const MASKED = 0x80;
/** Upper half of a length that a double still holds exactly. */
const MOST_UPPER = 0x1f_ffff;

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) to know where one ends, however the bytes are cut.
 * It looks at headers only and changes nothing.
 */
export class WebSocketFrames {
  /** A Close has gone this way, and no frame may follow it. */
  hasClosed = false;
  /** A length came that no frame can have: whatever this is, nobody knows where its frames end. */
  isLost = false;
  readonly #header = new Uint8Array(LONGEST_HEADER);
  #headerBytes = 0;
  /** Of the payload; counts once the header is whole. */
  #left = 0;

  /** The last frame has come whole, and nothing of the next one. */
  get isBetween(): boolean {
    return !this.isLost && this.#headerBytes === 0;
  }

  follow(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.isLost) at = this.#step(bytes, at);
  }

  /** Follows them to the end of the frame under way. Where that is, or -1 when all of them belong to it. */
  followToBoundary(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.isLost && !this.isBetween) at = this.#step(bytes, at);
    return this.isBetween ? at : -1;
  }

  /** As far as this frame's header, or its payload, goes in these bytes. */
  #step(bytes: Uint8Array, from: number): number {
    const size = this.#headerSize();
    if (this.#headerBytes < size) {
      this.#header[this.#headerBytes] = bytes[from]!;
      this.#headerBytes += 1;
      if (this.#headerBytes === this.#headerSize()) this.#beginPayload();
      return from + 1;
    }
    const to = Math.min(bytes.length, from + this.#left);
    this.#left -= to - from;
    if (this.#left === 0) this.#endFrame();
    return to;
  }

  /** As far as what has come of it tells. */
  #headerSize(): number {
    if (this.#headerBytes < 2) return 2;
    const second = this.#header[1]!;
    const length = second & 0x7f;
    return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (second & MASKED ? 4 : 0);
  }

  #beginPayload(): void {
    const header = this.#header;
    const length = header[1]! & 0x7f;
    if (length < 126) this.#left = length;
    else if (length === 126) this.#left = (header[2]! << 8) | header[3]!;
    else {
      const upper = word(header, 2);
      if (upper > MOST_UPPER) this.isLost = true;
      else this.#left = upper * 2 ** 32 + word(header, 6);
    }
    if (!this.isLost && this.#left === 0) this.#endFrame();
  }

  #endFrame(): void {
    if ((this.#header[0]! & OPCODE) === CLOSE) this.hasClosed = true;
    this.#headerBytes = 0;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** A Close with this code: masked, as clients must send it, with four octets of mask. */
export function closeFrame(code: number, mask?: readonly number[]): Uint8Array {
  const payload = [code >> 8, code & 0xff];
  if (mask === undefined) return Uint8Array.of(0x80 | CLOSE, payload.length, ...payload);
  const masked = payload.map((octet, i) => octet ^ mask[i % 4]!);
  return Uint8Array.of(0x80 | CLOSE, MASKED | payload.length, ...mask, ...masked);
}
