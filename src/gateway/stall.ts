import type { FreshProbe } from './fresh-probe.ts';
import type { OriginState } from './lane.ts';

/** Many slow requests that are each suspicious once must not become as many probes. */
const SPACING_MS = 250;

/**
 * Tells a stalled origin from one that is slow with one request: when a request has waited suspiciously long and no
 * answer came meanwhile, a fresh connection is tried. One probe at a time for an origin.
 */
export class StallWatch {
  readonly #probe: FreshProbe;
  #probeMs: number;
  readonly #onStalled: (origin: OriginState) => void;
  readonly #startedAt = new WeakMap<OriginState, number>();
  readonly #probing = new Set<OriginState>();

  constructor(probe: FreshProbe, probeMs: number, onStalled: (origin: OriginState) => void) {
    this.#probe = probe;
    this.#probeMs = probeMs;
    this.#onStalled = onStalled;
  }

  tune(probeMs: number): void {
    this.#probeMs = probeMs;
  }

  /**
   * False when it is too soon to ask. `host` is the Host the waiting request was sent with: to another one a router
   * answers without asking the application.
   */
  suspect(origin: OriginState, host: string, now: number): boolean {
    if (this.#probing.has(origin)) return false;
    if (now - (this.#startedAt.get(origin) ?? Number.NEGATIVE_INFINITY) < SPACING_MS) return false;
    this.#probing.add(origin);
    this.#startedAt.set(origin, now);
    const headBefore = origin.lastHeadAt;
    this.#probe(origin.wire, host, this.#probeMs, (alive) => {
      this.#probing.delete(origin);
      if (!alive && origin.lastHeadAt === headBefore) this.#onStalled(origin);
    });
    return true;
  }
}
