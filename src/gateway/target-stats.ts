import type { ApplicationName, PlatformName } from '../core/ids.ts';
import { LATENCY_BUCKETS_MS, STATUS_CLASSES, type TargetCounters } from '../core/traffic-counters.ts';

/** Requests of one application that one platform had: additions in typed arrays, read once a second. */
export class TargetStats {
  readonly #classes = new Float64Array(STATUS_CLASSES.length);
  readonly #buckets = new Float64Array(LATENCY_BUCKETS_MS.length + 1);
  #sumMs = 0;

  /** Status 0: no whole answer went out. */
  count(status: number): void {
    const index = classIndex(status);
    this.#classes[index] = this.#classes[index]! + 1;
  }

  took(ms: number): void {
    let index = 0;
    while (index < LATENCY_BUCKETS_MS.length && ms > LATENCY_BUCKETS_MS[index]!) index += 1;
    this.#buckets[index] = this.#buckets[index]! + 1;
    this.#sumMs += ms;
  }

  read(application: ApplicationName, platform: PlatformName, inFlight: number): TargetCounters {
    return {
      application,
      platform,
      classes: [...this.#classes],
      buckets: [...this.#buckets],
      // A hundredth of a millisecond is enough, and shorter in a message.
      sumMs: Math.round(this.#sumMs * 100) / 100,
      inFlight,
    };
  }
}

/** The place in `STATUS_CLASSES`. */
export function classIndex(status: number): number {
  return status === 0 ? 0 : Math.min(5, Math.max(1, Math.floor(status / 100)));
}
