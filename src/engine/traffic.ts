import type { TrafficFacts } from '../core/facts.ts';
import type { TrafficSignal } from '../core/signals.ts';

/** Rates look back this far. */
export const RATE_WINDOW_MS = 10_000;

/** Adds up windows of several workers and origins; `spanMs` is how long there has been traffic, at most 10 s. */
export function summarise(signals: readonly TrafficSignal[], spanMs: number): TrafficFacts {
  let attempts = 0;
  let failed = 0;
  let answered = 0;
  let weighed = 0;
  for (const signal of signals) {
    const { counts, p95Ms } = signal;
    const own = countsOf(signal);
    attempts += own.attempts;
    failed += own.failed;
    if (p95Ms === 0) continue;
    const weight = counts.ok + counts.status5xx;
    answered += weight;
    weighed += weight * p95Ms;
  }
  return {
    attempts,
    failed,
    rps: (attempts * 1000) / spanMs,
    // A mean of percentiles is no percentile, but near enough to compare platforms with.
    p95Ms: answered === 0 ? 0 : weighed / answered,
  };
}

/** Attempts of one window, without those that clients broke off. */
export function countsOf({ counts }: TrafficSignal): { readonly attempts: number; readonly failed: number } {
  const failed = counts.status5xx + counts.connect + counts.tls + counts.timeout + counts.reset;
  return { attempts: counts.ok + failed, failed };
}

/** What clients asked for, without the tries that never reached anybody and were made again elsewhere. */
export function demandOf(signals: readonly TrafficSignal[], spanMs: number): number {
  let requests = 0;
  for (const { counts } of signals) {
    requests += counts.ok + counts.status5xx + counts.timeout + counts.reset + counts.aborted;
  }
  return (requests * 1000) / spanMs;
}
