import type { Facts } from '../core/facts.ts';

type ErrorWindow = keyof NonNullable<Facts['errorRatio']>;

const BUCKET_MS = 5_000;
/** Six hours. */
const BUCKETS = 4_320;
/** Fewer requests than this say nothing. */
const MIN_REQUESTS = 20;

const SPANS: readonly (readonly [ErrorWindow, number])[] = [
  ['10s', 2],
  ['60s', 12],
  ['5m', 60],
  ['30m', 360],
  ['1h', 720],
  ['6h', BUCKETS],
];

/** Failed and all attempts of an application for the last six hours, in a ring of five-second buckets. */
export class ErrorWindows {
  /** Attempts and failures in turn; made with the first traffic, because most applications of a test have none. */
  #counts: Uint32Array | undefined;
  /** The number of the newest bucket, counted from the epoch. */
  #newest = 0;

  add(at: number, attempts: number, failed: number): void {
    if (attempts === 0) return;
    this.#counts ??= new Uint32Array(2 * BUCKETS);
    this.#advance(at);
    const place = 2 * (this.#newest % BUCKETS);
    this.#counts[place] = (this.#counts[place] ?? 0) + attempts;
    this.#counts[place + 1] = (this.#counts[place + 1] ?? 0) + failed;
  }

  ratios(now: number): NonNullable<Facts['errorRatio']> {
    const ratios: Record<ErrorWindow, number | undefined> = {
      '10s': undefined,
      '60s': undefined,
      '5m': undefined,
      '30m': undefined,
      '1h': undefined,
      '6h': undefined,
    };
    const counts = this.#counts;
    if (counts === undefined) return ratios;
    this.#advance(now);
    let attempts = 0;
    let failed = 0;
    let counted = 0;
    for (const [window, buckets] of SPANS) {
      for (; counted < buckets; counted++) {
        const place = 2 * ((this.#newest - counted + BUCKETS) % BUCKETS);
        attempts += counts[place] ?? 0;
        failed += counts[place + 1] ?? 0;
      }
      if (attempts >= MIN_REQUESTS) ratios[window] = failed / attempts;
    }
    return ratios;
  }

  /** Empties the buckets between the newest and the one `at` falls into; a clock that went back changes nothing. */
  #advance(at: number): void {
    const bucket = Math.floor(at / BUCKET_MS);
    const behind = Math.min(BUCKETS, bucket - this.#newest);
    for (let i = 1; i <= behind; i++)
      this.#counts?.fill(0, 2 * ((this.#newest + i) % BUCKETS), 2 * ((this.#newest + i) % BUCKETS) + 2);
    if (bucket > this.#newest) this.#newest = bucket;
  }
}
