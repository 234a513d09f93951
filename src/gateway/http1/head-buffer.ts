import { Buffer } from 'node:buffer';

/** Bytes of a head or of trailers that came in pieces. They stay where they are until `clear`. */
export class HeadBuffer {
  bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  append(source: Buffer, from: number, to: number): void {
    const needed = this.length + to - from;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    source.copy(this.bytes, this.length, from, to);
    this.length = needed;
  }

  holds(octet: number, from: number): boolean {
    const at = this.bytes.indexOf(octet, from);
    return at >= 0 && at < this.length;
  }

  clear(): void {
    this.length = 0;
  }
}
