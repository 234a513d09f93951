const WINDOW_MS = 1_000;

/** Tells when something happens more often than so many times a second. */
export class Rate {
  readonly #most: number;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one more at `now` (milliseconds); true when it was too often. */
  exceeds(now: number): boolean {
    if (now - this.#since >= WINDOW_MS) {
      this.#since = now;
      this.#count = Math.min(this.#count, 0);
    }
    this.#count += 1;
    return this.#count > this.#most;
  }

  /** So many more are to be expected, and not to be counted; they do not add up for ever. */
  expect(times: number): void {
    this.#count = Math.max(this.#count - times, -this.#most);
  }
}
