import Bottleneck from 'bottleneck';
import { platformError } from '../core/errors.ts';
import type { ApiBudgets, ApiTurns, Clock } from '../core/ports.ts';
import { isBackground } from './background.ts';
import { type ApiLimits, limitsOf } from './rate-headers.ts';

const CONCURRENCY = 8;
/** Bottleneck's scale: 0 goes first, 9 last. */
const FIRST = 3;
const LAST = 9;
/** A pause that was asked for and is longer than this is reported by whoever meets it, instead of waited for. */
const LONGEST_PAUSE_MS = 60_000;
/** Background reads have a time limit of their own; better an answer now than none later. */
const LONGEST_BACKGROUND_PAUSE_MS = 3_000;

interface Shared {
  readonly limiter: Bottleneck;
  users: number;
  /** Epoch milliseconds. Nobody calls before. */
  pausedUntil: number;
  /** The account has next to nothing left until then: what can wait does. */
  scarceUntil: number;
}

/**
 * Turns at platform APIs. Limits count for an account at an endpoint, not for a platform of ours, so all who share both
 * share the budget: calls a second, calls at a time, and the pauses that the API asks for.
 *
 * @example
 * const turns = budgets.of({ endpoint: 'https://api.cf.eu', account: 'ci' }, 'cf-eu', 40);
 * const answer = await turns.take(() => send(call));
 */
export function createApiBudgets(clock: Clock): ApiBudgets {
  const shared = new Map<string, Shared>();

  function open(perSecond: number): Shared {
    const limiter = new Bottleneck({
      maxConcurrent: CONCURRENCY,
      reservoir: perSecond,
      reservoirRefreshAmount: perSecond,
      reservoirRefreshInterval: 1_000,
    });
    return { limiter, users: 0, pausedUntil: 0, scarceUntil: 0 };
  }

  return {
    of({ endpoint, account }, platform, perSecond) {
      const key = `${endpoint} ${account}`;
      const budget = shared.get(key) ?? open(perSecond);
      shared.set(key, budget);
      budget.users++;
      let closed = false;

      async function pause(background: boolean, signal: AbortSignal | undefined): Promise<void> {
        const now = clock.now();
        const scarce = background ? budget.scarceUntil - now : 0;
        const wait = Math.max(budget.pausedUntil - now, scarce);
        if (wait <= 0) return;
        if (background && wait > LONGEST_BACKGROUND_PAUSE_MS) throw refused(platform, endpoint, wait);
        await clock.sleep(wait, signal);
      }

      const turns: ApiTurns = {
        take(work, signal) {
          const background = isBackground();
          return budget.limiter.schedule({ priority: background ? LAST : FIRST }, async () => {
            await pause(background, signal);
            return work();
          });
        },
        heard(status, headers) {
          note(budget, limitsOf(status, headers, clock.now()), clock.now());
        },
        async close() {
          if (closed) return;
          closed = true;
          if (--budget.users > 0) return;
          shared.delete(key);
          await budget.limiter.stop({ dropWaitingJobs: true }).catch(() => undefined);
        },
      };
      return turns;
    },
  };
}

function note(budget: Shared, { pauseMs, scarceMs }: ApiLimits, now: number): void {
  if (pauseMs !== undefined && pauseMs <= LONGEST_PAUSE_MS) {
    budget.pausedUntil = Math.max(budget.pausedUntil, now + pauseMs);
  }
  // Each answer tells it anew, so what it does not say is over.
  budget.scarceUntil = scarceMs === undefined ? 0 : now + scarceMs;
}

function refused(platform: string, endpoint: string, waitMs: number) {
  const seconds = Math.ceil(waitMs / 1_000);
  return platformError(
    'rateLimited',
    platform,
    'reading waits: the rate limit of this account is nearly used up',
    {
      why: `${endpoint} has next to no calls left for the next ${seconds} s, and deployments go first`,
      remedy: 'wait, or ask the operator for a higher rate limit',
      retryAfterMs: waitMs,
    },
  );
}
