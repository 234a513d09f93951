/** Quarters of a millisecond, four buckets an octave (±12 %), up to about 17 minutes. */
const LARGEST = 2 ** 22 - 1;
const BUCKETS = 88;

function bucketOf(ms: number): number {
  const quarters = Math.min(LARGEST, Math.max(0, Math.floor(ms * 4)));
  if (quarters < 4) return quarters;
  const octave = 31 - Math.clz32(quarters);
  return (octave - 1) * 4 + ((quarters >>> (octave - 2)) & 3);
}

/** The upper edge of a bucket, in milliseconds. */
function edgeOf(bucket: number): number {
  if (bucket < 4) return (bucket + 1) / 4;
  const octave = Math.floor(bucket / 4) + 1;
  return ((4 + (bucket % 4) + 1) << (octave - 2)) / 4;
}

/** A histogram without allocation: what a request adds is one increment. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** Milliseconds below which this part (0 to 1) of the samples lies; 0 when there are none. */
  quantile(part: number): number {
    return quantile(part, this.#counts, undefined, this.#total);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** Of both together: how two half windows overlap. */
  quantileWith(other: Histogram, part: number): number {
    return quantile(part, this.#counts, other.#counts, this.#total + other.#total);
  }
}

function quantile(part: number, a: Uint32Array, b: Uint32Array | undefined, total: number): number {
  if (total === 0) return 0;
  const rank = Math.max(1, Math.ceil(part * total));
  let seen = 0;
  for (let i = 0; i < BUCKETS; i += 1) {
    seen += (a[i] ?? 0) + (b?.[i] ?? 0);
    if (seen >= rank) return edgeOf(i);
  }
  return edgeOf(BUCKETS - 1);
}

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
