const WINDOW_MS = 1_000;

/** Tells when something happens more often than so many times a second. */
export class Rate {
  #most: number;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts `times` more at `now` (milliseconds); true when it was too often. */
  exceeds(now: number, times = 1): boolean {
    if (now - this.#since >= WINDOW_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += times;
    return this.#count > this.#most;
  }
}
