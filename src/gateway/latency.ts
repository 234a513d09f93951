import { Histogram } from '../lib/histogram.ts';

/** 0 as long as there are no samples. */
export interface LatencyQuantiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Latencies of the last one to two spans: old ones leave in one piece, without a timer a sample. */
export class RecentLatency {
  #current = new Histogram();
  #previous = new Histogram();
  #startedAt = 0;
  readonly #spanMs: number;

  constructor(spanMs = 10_000) {
    this.#spanMs = spanMs;
  }

  add(ms: number, now: number): void {
    this.#turn(now);
    this.#current.add(ms);
  }

  quantiles(now: number): LatencyQuantiles {
    this.#turn(now);
    return {
      p50Ms: this.#current.quantileWith(this.#previous, 0.5),
      p99Ms: this.#current.quantileWith(this.#previous, 0.99),
    };
  }

  #turn(now: number): void {
    const age = now - this.#startedAt;
    if (age < this.#spanMs) return;
    const emptied = this.#previous;
    this.#previous = this.#current;
    this.#current = emptied;
    emptied.clear();
    if (age >= 2 * this.#spanMs) this.#previous.clear();
    this.#startedAt = now;
  }
}
