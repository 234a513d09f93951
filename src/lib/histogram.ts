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

  /** What was added, in pairs of a bucket and how many are in it: as short as it is in a message. */
  pairs(): readonly number[] {
    const pairs: number[] = [];
    for (let i = 0; i < BUCKETS; i += 1) {
      const count = this.#counts[i] ?? 0;
      if (count > 0) pairs.push(i, count);
    }
    return pairs;
  }

  /** Adds what another one said in pairs. */
  addPairs(pairs: readonly number[]): void {
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const bucket = Math.min(BUCKETS - 1, pairs[i] ?? 0);
      const count = pairs[i + 1] ?? 0;
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#total += count;
    }
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
