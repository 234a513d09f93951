import { hasClass, type SluiceError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { RETRYABLE } from '../core/provider.ts';

const ASK_AGAIN_MS = 400;
const LONGEST_PAUSE_MS = 10_000;
/** An API that is away for this long in the middle of a deployment is reported; the deployment can be resumed. */
const UNREACHABLE_MS = 120_000;

/** Bears with a platform whose API is away for a while: all calls of one deployment to it share one patience. */
export interface Patience {
  /**
   * Makes the call again until it is answered; throws its error when that is no passing one, or when the API has been
   * away for too long. Writes may be repeated: the port wants them idempotent.
   */
  call<T>(work: () => Promise<T>): Promise<T>;
}

export function createPatience(given: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Once for each time it goes away. */
  readonly onAway: (error: SluiceError, longestMs: number) => void;
}): Patience {
  const { clock, signal } = given;
  let awaySince: number | undefined;

  /** How long to wait before the next try. */
  function bear(error: SluiceError): number {
    if (awaySince === undefined) {
      awaySince = clock.now();
      given.onAway(error, UNREACHABLE_MS);
    }
    if (clock.now() - awaySince > UNREACHABLE_MS) throw error;
    return Math.min(error.details.retryAfterMs ?? ASK_AGAIN_MS, LONGEST_PAUSE_MS);
  }

  return {
    async call(work) {
      for (;;) {
        try {
          const answer = await work();
          awaySince = undefined;
          return answer;
        } catch (error) {
          if (!hasClass(error, ...RETRYABLE)) throw error;
          await clock.sleep(bear(error), signal);
        }
      }
    },
  };
}

/** For a person who waits: what the platform says, and for how long it is tried again. */
export function awayMessage(error: SluiceError, longestMs: number): string {
  const why = error.details.why === undefined ? '' : ` (${error.details.why})`;
  return `${error.message}${why}; trying again for up to ${Math.round(longestMs / 1000)} s`;
}
