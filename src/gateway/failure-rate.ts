const SLOTS = 10;
/** A ratio like 0.07 of a hundred is a little more than seven. */
const ROUNDING = 1e-6;

export interface FailureRateRules {
  /** What part of the requests has to fail, 0 to 1. */
  readonly failureRatio: number;
  /** Fewer say nothing. */
  readonly minRequests: number;
  readonly windowMs: number;
}

/**
 * How many of the requests of the last window failed: counted in ten slots, of which the oldest is emptied when time has
 * come round to it, so that at least nine tenths of the window count and nothing older. Times are of the monotonic
 * clock, in milliseconds, and never run backwards.
 */
export class FailureRate {
  readonly #rules: FailureRateRules;
  readonly #slotMs: number;
  readonly #successes = new Float64Array(SLOTS);
  readonly #failures = new Float64Array(SLOTS);
  #slot = 0;
  #slotEndsAt = Number.NEGATIVE_INFINITY;

  constructor(rules: FailureRateRules) {
    this.#rules = rules;
    this.#slotMs = rules.windowMs / SLOTS;
  }

  success(now: number): void {
    if (now >= this.#slotEndsAt) this.#turn(now);
    this.#successes[this.#slot]! += 1;
  }

  /** True when too many have failed, this one included. */
  failure(now: number): boolean {
    if (now >= this.#slotEndsAt) this.#turn(now);
    this.#failures[this.#slot]! += 1;
    const failed = sum(this.#failures);
    const all = failed + sum(this.#successes);
    return all >= this.#rules.minRequests && failed >= this.#rules.failureRatio * all - ROUNDING;
  }

  #turn(now: number): void {
    if (now >= this.#slotEndsAt + this.#rules.windowMs) {
      this.#successes.fill(0);
      this.#failures.fill(0);
      this.#slotEndsAt = now;
    }
    while (now >= this.#slotEndsAt) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#successes[this.#slot] = 0;
      this.#failures[this.#slot] = 0;
      this.#slotEndsAt += this.#slotMs;
    }
  }
}

function sum(counts: Float64Array): number {
  let all = 0;
  for (const count of counts) all += count;
  return all;
}
