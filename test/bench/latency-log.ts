import { percentile } from './statistics.ts';

/** Microseconds, kept in whole: a histogram would round what we want to compare. */
export interface LatencyLog {
  add(micros: number): void;
  readonly count: number;
  /** Sorts all there is: for the end. */
  percentiles(...parts: readonly number[]): readonly number[];
}

export function latencyLog(): LatencyLog {
  let log = new Float64Array(1 << 16);
  let length = 0;
  return {
    add(micros) {
      if (length === log.length) {
        const longer = new Float64Array(log.length * 2);
        longer.set(log);
        log = longer;
      }
      log[length++] = micros;
    },
    get count() {
      return length;
    },
    percentiles(...parts) {
      const sorted = log.slice(0, length).sort();
      return parts.map((part) => percentile(sorted, part));
    },
  };
}
