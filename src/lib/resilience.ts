import { DelegateBackoff, handleWhen, type IPolicy, noop, retry } from 'cockatiel';
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
  /** For calls that may not. */
  readonly once: IPolicy;
}

/**
 * What stands around every call to one platform API: repeatable calls are tried up to `maxAttempts` times with
 * jittered exponential waits, or the wait that the platform asked for (Retry-After). It stands outside of the budget: a
 * call that waits for its next try must not occupy a place.
 */
export function apiResilience(options: { maxAttempts: number; random: Random }): Resilience {
  const repeatable = retry(handleWhen(isTransient), {
    maxAttempts: options.maxAttempts - 1,
    backoff: new DelegateBackoff((context) => {
      const error = 'error' in context.result ? context.result.error : undefined;
      return waitFor(error, context.attempt, options.random);
    }),
  });
  return { repeatable, once: noop };
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
