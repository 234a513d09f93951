import type { RequestHead } from './wire.ts';

/** What may be done with a request that failed before any byte of an answer went to its client. */
export type Remedy = 'same-fresh' | 'elsewhere' | 'none';

/** GET, HEAD and OPTIONS; by leave of the route PUT, DELETE and what carries an Idempotency-Key. */
export function isReplayable(head: RequestHead, idempotentToo: boolean): boolean {
  switch (head.method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
      return head.upgrade === undefined;
    case 'PUT':
    case 'DELETE':
      return idempotentToo;
    default:
      return idempotentToo && head.field('idempotency-key') !== undefined;
  }
}

export interface FailedAttempt {
  readonly replayable: boolean;
  /** Everything the client sent of its body so far can be sent again. */
  readonly bodyWhole: boolean;
  /** False only with proof. */
  readonly delivered: boolean;
  /** A kept connection was closed under the request before an answer began. */
  readonly stale: boolean;
  /** The fresh connection to the same origin has been tried. */
  readonly freshTried: boolean;
}

/** Invariant 6 of the design, without budget and caps. */
export function remedyFor(failed: FailedAttempt): Remedy {
  if (!failed.bodyWhole) return 'none';
  if (!failed.delivered) return 'elsewhere';
  if (!failed.replayable) return 'none';
  return failed.stale && !failed.freshTried ? 'same-fresh' : 'elsewhere';
}
