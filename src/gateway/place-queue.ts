import type { ApplicationName } from '../core/ids.ts';
import type { Lane } from './lane.ts';

/** Somebody who waits for a place at a busy origin. */
export interface PlaceWaiter {
  readonly application: ApplicationName;
  /** There may be one now. False when it was none this waiter could use: the next one is asked. */
  onPlace(): boolean;
}

/**
 * Requests that found all their origins sound and full: bounded, and first come first served. In one line for each
 * application, since a lane belongs to one: who waits for one application's origins holds nobody else up, and of two
 * routes that share some origins the one that can use the free place gets it.
 */
export class PlaceQueue {
  /** Gone without a place because their time was over. */
  timeouts = 0;
  /** Not let in because too many waited. */
  refused = 0;
  readonly #most: () => number;
  readonly #lines = new Map<ApplicationName, Set<PlaceWaiter>>();
  /** A lane stands there once for each place. */
  #freed: Lane[] = [];
  #length = 0;

  constructor(most: () => number) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  get hasRoom(): boolean {
    return this.#length < this.#most();
  }

  /** False when no more may wait. */
  enter(waiter: PlaceWaiter): boolean {
    if (!this.hasRoom) {
      this.refused += 1;
      return false;
    }
    let line = this.#lines.get(waiter.application);
    if (line === undefined) {
      line = new Set();
      this.#lines.set(waiter.application, line);
    }
    line.add(waiter);
    this.#length += 1;
    return true;
  }

  leave(waiter: PlaceWaiter): void {
    const line = this.#lines.get(waiter.application);
    if (line?.delete(waiter) !== true) return;
    this.#length -= 1;
    if (line.size === 0) this.#lines.delete(waiter.application);
  }

  /**
   * A place on this lane has become free: one of those who wait may have it. As soon as whoever left has put its
   * connection back, so that it is used again.
   */
  freed(lane: Lane): void {
    if (this.#length === 0) return;
    this.#freed.push(lane);
    if (this.#freed.length === 1) queueMicrotask(() => this.#handOver());
  }

  #handOver(): void {
    const lanes = this.#freed;
    this.#freed = [];
    for (const { application } of lanes) {
      for (const waiter of [...(this.#lines.get(application) ?? [])]) if (waiter.onPlace()) break;
    }
  }

  /** Another table, other addresses, an origin that serves again: there may be places for many. */
  changed(): void {
    if (this.#length === 0) return;
    for (const line of [...this.#lines.values()]) {
      for (const waiter of [...line]) waiter.onPlace();
    }
  }
}
