import Bottleneck from 'bottleneck';
import { platformError } from '../core/errors.ts';
import type { ApiBudgets, ApiTurns, Clock } from '../core/ports.ts';
import { type BackgroundRead, backgroundRead } from './background.ts';
import { type ApiLimits, limitsOf } from './rate-headers.ts';
import { ReadPutOff } from './read-put-off.ts';
import { ScarceReads } from './scarce-reads.ts';

const CONCURRENCY = 8;
/** A deployment begins by looking at everything, and should not wait for its turn at that: so many seconds' worth may come at once. */
const BURST_SECONDS = 3;
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
  /** While the account has next to nothing left, what only reads is thinned out. */
  readonly reads: ScarceReads;
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
      reservoir: perSecond * BURST_SECONDS,
      reservoirIncreaseAmount: perSecond,
      reservoirIncreaseInterval: 1_000,
      reservoirIncreaseMaximum: perSecond * BURST_SECONDS,
    });
    return { limiter, users: 0, pausedUntil: 0, reads: new ScarceReads() };
  }

  return {
    of({ endpoint, account }, platform, perSecond) {
      const key = `${endpoint} ${account}`;
      const budget = shared.get(key) ?? open(perSecond);
      shared.set(key, budget);
      budget.users++;
      let closed = false;

      async function pause(background: boolean, signal: AbortSignal | undefined): Promise<void> {
        const wait = budget.pausedUntil - clock.now();
        if (wait <= 0) return;
        if (background && wait > LONGEST_BACKGROUND_PAUSE_MS) throw refused(platform, endpoint, wait);
        await clock.sleep(wait, signal);
      }

      /** One that has begun is not put off in its middle: half of it would be spent for nothing. */
      function thinOut(read: BackgroundRead | undefined): void {
        if (read === undefined || read.urgent || read.begun.has(budget)) return;
        const wait = budget.reads.waitMs(clock.now());
        if (wait > 0) throw new ReadPutOff(platform, endpoint, wait);
        read.begun.add(budget);
      }

      const turns: ApiTurns = {
        take(work, signal) {
          const read = backgroundRead();
          const background = read !== undefined;
          return budget.limiter.schedule({ priority: background ? LAST : FIRST }, async () => {
            thinOut(read);
            await pause(background, signal);
            if (background) budget.reads.spend(clock.now());
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

function note(budget: Shared, { pauseMs, scarceMs, limit }: ApiLimits, now: number): void {
  if (pauseMs !== undefined && pauseMs <= LONGEST_PAUSE_MS) {
    budget.pausedUntil = Math.max(budget.pausedUntil, now + pauseMs);
  }
  // Each answer tells it anew, so what it does not say is over.
  if (scarceMs === undefined) budget.reads.leave();
  else budget.reads.enter(now, scarceMs, limit);
}

function refused(platform: string, endpoint: string, waitMs: number) {
  const seconds = Math.ceil(waitMs / 1_000);
  return platformError('rateLimited', platform, 'reading waits: the API asked to slow down', {
    why: `${endpoint} takes no calls of this account for the next ${seconds} s`,
    remedy: 'wait, or ask the operator for a higher rate limit',
    retryAfterMs: waitMs,
  });
}
