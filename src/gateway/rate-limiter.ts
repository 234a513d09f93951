import type { Random } from '../core/ports.ts';

const { imul } = Math;

/** Clients that are told apart. A power of two, in groups of `WAYS`: a key can stand in one group only. */
const SLOTS = 32_768;
const WAYS = 8;
const GROUPS = SLOTS / WAYS;

/** Requests per second, and how many may come at once. */
export interface BucketRules {
  readonly rps: number;
  readonly burst: number;
}

/**
 * A token bucket for each key, as the generic cell rate algorithm keeps it (ITU-T I.371): one number, the time at
 * which the bucket would be full again. A bucket that is full is as good as none, so its place is free without anybody
 * tidying up. Memory is fixed; when a group is full, the bucket that is nearest to full gives way: whoever is over
 * the limit stays, and a flood of new keys pushes out only those that have hardly used theirs.
 */
export class RateLimiter {
  readonly #fullAt = new Float64Array(SLOTS);
  readonly #high = new Uint32Array(SLOTS);
  readonly #low = new Uint32Array(SLOTS);
  readonly #seed: number;
  /** Milliseconds that one request costs, and how far ahead of now a bucket may be. */
  readonly #cost: number;
  readonly #depth: number;
  #hashHigh = 0;
  #hashLow = 0;

  constructor({ rps, burst }: BucketRules, random: Random) {
    this.#seed = (random() * 0x1_0000_0000) >>> 0;
    this.#cost = 1_000 / rps;
    this.#depth = this.#cost * burst;
  }

  /** Takes one token of this key. 0: there was one; else the milliseconds until there is. `now` is monotonic. */
  take(key: string, now: number): number {
    this.#hash(key);
    const slot = this.#slotOf(now);
    const full = Math.max(this.#fullAt[slot]!, now) + this.#cost;
    // A rounding error of the clock must not refuse the last token of a burst.
    const wait = full - this.#depth - now;
    if (wait > 1e-6) return wait;
    this.#fullAt[slot] = full;
    return 0;
  }

  /** The key's own, or one that it may have; that one is made empty of its former key. */
  #slotOf(now: number): number {
    const first = (this.#hashLow & (GROUPS - 1)) * WAYS;
    let best = first;
    for (let slot = first; slot < first + WAYS; slot += 1) {
      if (this.#high[slot] === this.#hashHigh && this.#low[slot] === this.#hashLow) return slot;
      if (this.#fullAt[slot]! < this.#fullAt[best]!) best = slot;
    }
    this.#high[best] = this.#hashHigh;
    this.#low[best] = this.#hashLow;
    this.#fullAt[best] = now;
    return best;
  }

  /** cyrb53's two streams (bryc, public domain) from a seed that nobody outside knows. */
  #hash(key: string): void {
    let a = 0xdeadbeef ^ this.#seed;
    let b = 0x41c6ce57 ^ this.#seed;
    for (let i = 0; i < key.length; i += 1) {
      const code = key.charCodeAt(i);
      a = imul(a ^ code, 2654435761);
      b = imul(b ^ code, 1597334677);
    }
    a = imul(a ^ (a >>> 16), 2246822507) ^ imul(b ^ (b >>> 13), 3266489909);
    b = imul(b ^ (b >>> 16), 2246822507) ^ imul(a ^ (a >>> 13), 3266489909);
    this.#hashHigh = b >>> 0;
    this.#hashLow = a >>> 0;
  }
}
