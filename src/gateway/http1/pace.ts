/** Before this age a head or a body is not asked how fast it comes: networks stumble. */
const RATE_AFTER_MS = 5_000;

/** Whether so many bytes in so much time are fewer than `minRate` bytes a second. */
export function isTooSlow(bytes: number, ms: number, minRate: number): boolean {
  return ms > RATE_AFTER_MS && bytes * 1_000 < minRate * ms;
}

/** How fast a body comes, in the time in which we stood there with open hands. */
export class BodyPace {
  #bytes = 0;
  #waitedMs = 0;

  begin(): void {
    this.#bytes = 0;
    this.#waitedMs = 0;
  }

  came(bytes: number): void {
    this.#bytes += bytes;
  }

  waited(ms: number): void {
    this.#waitedMs += ms;
  }

  isBelow(minRate: number): boolean {
    return isTooSlow(this.#bytes, this.#waitedMs, minRate);
  }
}
