import type { ComparedTraffic, TrafficCounts } from '../core/signals.ts';
import { Histogram } from '../lib/histogram.ts';

export type OutcomeClass = keyof TrafficCounts;

const CLASSES = [
  'ok',
  'status5xx',
  'connect',
  'tls',
  'timeout',
  'reset',
  'aborted',
] as const satisfies readonly OutcomeClass[];
const INDEX: Readonly<Record<OutcomeClass, number>> = {
  ok: 0,
  status5xx: 1,
  connect: 2,
  tls: 3,
  timeout: 4,
  reset: 5,
  aborted: 6,
};

export interface OutcomeWindow {
  readonly attempts: number;
  readonly counts: TrafficCounts;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Of first attempts, where two releases are compared. */
  readonly compared?: Pick<ComparedTraffic, 'requests' | 'failed' | 'heads'>;
}

/** How the attempts on one origin ended since the last look. */
export class Outcomes {
  readonly #counts = new Uint32Array(CLASSES.length);
  readonly #heads = new Histogram();
  #attempts = 0;
  #first = 0;
  #firstFailed = 0;

  head(ms: number): void {
    this.#heads.add(ms);
  }

  /** `isFirst`: nobody had the request before. */
  count(outcome: OutcomeClass, isFirst = true): void {
    const index = INDEX[outcome];
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#attempts += 1;
    if (!isFirst || outcome === 'aborted') return;
    this.#first += 1;
    if (outcome !== 'ok') this.#firstFailed += 1;
  }

  /** Reads the window and begins a new one. */
  take(isCompared = false): OutcomeWindow {
    const compared = { requests: this.#first, failed: this.#firstFailed };
    const window: OutcomeWindow = {
      attempts: this.#attempts,
      counts: {
        ok: this.#at('ok'),
        status5xx: this.#at('status5xx'),
        connect: this.#at('connect'),
        tls: this.#at('tls'),
        timeout: this.#at('timeout'),
        reset: this.#at('reset'),
        aborted: this.#at('aborted'),
      },
      p50Ms: this.#heads.quantile(0.5),
      p95Ms: this.#heads.quantile(0.95),
      ...(isCompared ? { compared: { ...compared, heads: this.#heads.pairs() } } : {}),
    };
    this.#counts.fill(0);
    this.#heads.clear();
    this.#attempts = 0;
    this.#first = 0;
    this.#firstFailed = 0;
    return window;
  }

  #at(outcome: OutcomeClass): number {
    return this.#counts[INDEX[outcome]] ?? 0;
  }
}
