/**
 * Arrivals at a fixed rate, whatever becomes of earlier ones. Latency counts from when a request was due, so a
 * system that stands still is charged for everybody who came meanwhile (no coordinated omission).
 */
export class Schedule {
  readonly #startedAt: number;
  readonly #everyMs: number;
  #count = 0;

  constructor(startedAt: number, ratePerSecond: number) {
    this.#startedAt = startedAt;
    this.#everyMs = 1000 / ratePerSecond;
  }

  /** When the next one is due if that is not after `now`, and then it is taken; undefined when none is. */
  next(now: number): number | undefined {
    const dueAt = this.#startedAt + this.#count * this.#everyMs;
    if (dueAt > now) return undefined;
    this.#count += 1;
    return dueAt;
  }

  /** How many were taken. */
  get count(): number {
    return this.#count;
  }
}
