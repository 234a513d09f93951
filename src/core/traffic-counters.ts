import type { ApplicationName, PlatformName } from './ids.ts';

/** Upper bounds of the latency histogram in milliseconds; one more bucket takes what is beyond the last. */
export const LATENCY_BUCKETS_MS = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

/** Answers by class, in this order; `aborted`: the client went away, or its answer had to be cut. */
export const STATUS_CLASSES = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export type StatusClass = (typeof STATUS_CLASSES)[number];

/** Why a request was sent again. */
export const REPLAY_CAUSES = ['stale', 'connect', 'tls', 'reset', 'timeout', 'status5xx'] as const;
export type ReplayCause = (typeof REPLAY_CAUSES)[number];

/** What one worker counted of the requests a platform had. Plain JSON; lists are in the orders above. */
export interface TargetCounters {
  readonly application: ApplicationName;
  /** The one that had the request last. Empty: none was asked. */
  readonly platform: PlatformName;
  readonly classes: readonly number[];
  /** Whole answers by how long they took from the first byte of the request to the last of the answer; not cumulative. */
  readonly buckets: readonly number[];
  readonly sumMs: number;
  /** Under way right now. */
  readonly inFlight: number;
}

/** Connections of clients. */
export interface ConnectionCounters {
  /** Right now. */
  readonly open: number;
  readonly accepted: number;
  /** Over the limit of their address. */
  readonly refused: number;
  /** TLS handshakes that came to their end. */
  readonly handshakes: number;
}

/** Names of origins that are looked up. */
export interface NameCounters {
  /** Questions that brought no address. */
  readonly failures: number;
  /** Names whose last question did: the addresses in use, if there are any, are old ones. */
  readonly failing: number;
}

/** Requests that found every origin full. */
export interface QueueCounters {
  /** Right now. */
  readonly waiting: number;
  readonly refused: number;
  readonly timeouts: number;
}
