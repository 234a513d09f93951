import type { Random } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import type { EjectionReason } from '../core/signals.ts';
import type { AffinityCookies } from './affinity.ts';
import type { Counters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Lane } from './lane.ts';
import type { OwnLateness } from './lateness.ts';
import type { OutageStatus } from './outage-answers.ts';
import type { OutagePages } from './outage-pages.ts';
import type { PlaceQueue } from './place-queue.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Reception } from './reception.ts';
import type { RequestRecord } from './request-record.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { CompiledTable } from './routes.ts';
import type { StallWatch } from './stall.ts';
import type { RequestHead, Wire } from './wire.ts';

/** What all exchanges of a worker share. `table` and `settings` are replaced whole; the rest stays. */
export interface Pipeline {
  table: CompiledTable;
  settings: GatewaySettings;
  readonly wire: Wire;
  readonly random: Random;
  readonly budget: RetryBudget;
  readonly reception: Reception;
  readonly rateLimits: RateLimits;
  readonly affinity: AffinityCookies;
  readonly pages: OutagePages;
  /** Somebody reads what was attempted. */
  notesAttempts: boolean;
  readonly counters: Counters;
  readonly stall: StallWatch;
  /** Requests that wait until a busy origin has room. */
  readonly places: PlaceQueue;
  readonly lateness: OwnLateness;
  /** Milliseconds of the monotonic clock. */
  now(): number;
  /** The same as of the last sweep: good enough for idle limits, and free. No getter: V8 looks those up by hash. */
  coarseNow: number;
  /** An attempt showed that the lane (or, for what concerns the address, its whole origin) must rest. */
  eject(lane: Lane, reason: EjectionReason): void;
  /** A trial went well. */
  readmitted(lane: Lane): void;
  /** The client got an answer of our own; `why` is for the log and may name what is inside. */
  refused(head: RequestHead, status: OutageStatus, why: string): void;
  /** The exchange uses this lane no more. */
  left(lane: Lane): void;
  finished(exchange: Exchange, record: RequestRecord): void;
}
