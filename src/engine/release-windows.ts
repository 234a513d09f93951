import type { ReleaseId } from '../core/ids.ts';
import type { ComparedTraffic, TrafficSignal } from '../core/signals.ts';
import { Histogram } from '../lib/histogram.ts';

/** A gate looks back minutes; what is older is nobody's concern. */
const KEPT_MS = 3_600_000;
/** Before anything is tried a moment is enough to compare with. */
const KEPT_BEFORE_MS = 120_000;

/** What clients met on one side of a comparison. */
export interface MetBy {
  readonly requests: number;
  readonly failed: number;
  /** Undefined: nothing answered. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
}

interface Window {
  readonly from: number;
  readonly requests: number;
  readonly failed: number;
  readonly heads: readonly number[];
}

/** What the requests met that a platform's own origins and its trials had, window by window, while they are compared. */
export class ReleaseWindows {
  readonly #own: Window[] = [];
  readonly #trials = new Map<ReleaseId, Window[]>();

  add({ at, windowMs }: TrafficSignal, { trial, release, requests, failed, heads }: ComparedTraffic): void {
    if (requests === 0 && heads.length === 0) return;
    const windows = trial ? this.#windowsOf(release ?? '') : this.#own;
    windows.push({ from: at - windowMs, requests, failed, heads });
    forget(windows, at - (this.#trials.size > 0 ? KEPT_MS : KEPT_BEFORE_MS));
  }

  /** Since then, by windows that began no sooner: a moment that was before a change is no part of what came of it. */
  own(since: number): MetBy {
    return metBy(this.#own, since);
  }

  trial(release: ReleaseId, since: number): MetBy {
    return metBy(this.#trials.get(release) ?? [], since);
  }

  /** Of the last trial that had requests. */
  get tried(): ReleaseId | undefined {
    return this.#trials.keys().next().value;
  }

  #windowsOf(release: ReleaseId): Window[] {
    let windows = this.#trials.get(release);
    if (windows === undefined) {
      // Only one is tried at a time: those before it were judged.
      this.#trials.clear();
      windows = [];
      this.#trials.set(release, windows);
    }
    return windows;
  }
}

function forget(windows: Window[], before: number): void {
  let old = 0;
  while (old < windows.length && (windows[old]?.from ?? 0) < before) old += 1;
  if (old > 0) windows.splice(0, old);
}

function metBy(windows: readonly Window[], since: number): MetBy {
  const heads = new Histogram();
  let requests = 0;
  let failed = 0;
  for (const window of windows) {
    if (window.from < since) continue;
    requests += window.requests;
    failed += window.failed;
    heads.addPairs(window.heads);
  }
  const quantile = (part: number): number | undefined =>
    heads.total === 0 ? undefined : heads.quantile(part);
  return { requests, failed, p50Ms: quantile(0.5), p95Ms: quantile(0.95) };
}
