import { bulkhead, DelegateBackoff, handleWhen, type IPolicy, retry, wrap } from 'cockatiel';
import { SluiceError } from '../core/errors.ts';
import type { Random } from '../core/ports.ts';
import { RETRYABLE } from '../core/provider.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** Waiting longer than this in silence helps nobody: the caller reports the limit instead. */
const LONGEST_ASKED_WAIT_MS = 60_000;

export interface Resilience {
  /** For calls that may be repeated: transient errors are tried again. */
  readonly repeatable: IPolicy;
  /** For calls that may not: only concurrency is bounded. */
  readonly once: IPolicy;
}

/**
 * What stands around every call to one platform API: at most `concurrency` at a time, and for repeatable calls up
 * to `maxAttempts` with full-jitter exponential waits, or the wait that the platform asked for (Retry-After).
 */
export function apiResilience(options: {
  concurrency: number;
  maxAttempts: number;
  random: Random;
}): Resilience {
  const bounded = bulkhead(options.concurrency, Number.MAX_SAFE_INTEGER);
  const retried = retry(handleWhen(isTransient), {
    maxAttempts: options.maxAttempts - 1,
    backoff: new DelegateBackoff((context) => {
      const error = 'error' in context.result ? context.result.error : undefined;
      return waitFor(error, context.attempt, options.random);
    }),
  });
  // The retry stands outside: a call that waits for its next try must not occupy a place.
  return { repeatable: wrap(retried, bounded), once: bounded };
}

export function isTransient(error: unknown): boolean {
  if (!(error instanceof SluiceError) || error.class === undefined) return false;
  const asked = error.details.retryAfterMs;
  return RETRYABLE.has(error.class) && (asked === undefined || asked <= LONGEST_ASKED_WAIT_MS);
}

function waitFor(error: unknown, attempt: number, random: Random): number {
  const asked = error instanceof SluiceError ? error.details.retryAfterMs : undefined;
  // Jitter on top: all who were told "in one second" must not come back at the same moment.
  if (asked !== undefined) return asked + random() * 250;
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return ceiling / 2 + (random() * ceiling) / 2;
}
