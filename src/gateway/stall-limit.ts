import type { GatewaySettings } from '../core/settings.ts';
import type { LatencyQuantiles } from './latency.ts';

/**
 * However long the tail, more than this many medians of silence are suspicious. One bad second of this machine puts
 * p99 up for the next twenty; the median stays. Asking too early costs a probe, and that one decides.
 */
const MOST_MEDIANS = 10;

/** Milliseconds a request may wait for its head before its origin is asked whether it lives: max(floor, 4 × p99). */
export function stallLimit(stall: GatewaySettings['stall'], { p50Ms, p99Ms }: LatencyQuantiles): number {
  return Math.max(stall.floorMs, Math.min(stall.p99Factor * p99Ms, MOST_MEDIANS * p50Ms));
}
