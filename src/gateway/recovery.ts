import type { Attempt } from './attempt.ts';
import { type Candidate, nextAttempt } from './attempts.ts';
import type { Lane } from './lane.ts';
import type { OutageStatus } from './outage-answers.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import type { BudgetWaiter } from './retry-budget.ts';
import { remedyFor } from './retry-rules.ts';
import type { CompiledRoute } from './routes.ts';
import type { Failure, Outcome, ResponseHead } from './wire.ts';

/** A replay waits this long for the budget (docs/adr/0008-replay-budget.md). */
const WAIT_MS = 1_000;

/** What a recovery needs of its exchange. */
export interface Recoverable {
  readonly attempt: Attempt | undefined;
  /** May go to another origin even though the first may have executed it. */
  readonly replayable: boolean;
  /** Everything the client sent so far can be sent again. */
  readonly bodyWhole: boolean;
  /** By the table of this moment: an origin that has left it gets no replay either. */
  route(): CompiledRoute | undefined;
  leave(outcome: OutcomeClass | undefined): void;
  forward(candidate: Candidate, fresh: boolean): void;
  /** No attempt may begin for the moment; the client is asked for no more. */
  pause(): void;
  /** Relays this head, and what follows it. */
  answer(head: ResponseHead): void;
  /** An answer of our own; `why` is for the log. */
  say(status: OutageStatus, why: string): void;
}

/** How an exchange goes on from its first failure. Made only then, so that nobody else pays for it. */
export class Recovery implements BudgetWaiter {
  readonly #pipeline: Pipeline;
  readonly #exchange: Recoverable;
  readonly #tried: Lane[] = [];
  #freshTried = false;
  #evacuated = false;
  #holdsSlot = false;
  #waitingSince = 0;
  /** While waiting: the platform's own answer, for want of a better one. */
  #held: ResponseHead | undefined;
  #why: Failure | undefined;

  constructor(pipeline: Pipeline, exchange: Recoverable) {
    this.#pipeline = pipeline;
    this.#exchange = exchange;
  }

  // ── what has happened ────────────────────────────────────────────────────────────────────────────────────────

  /** The platform says itself that nobody served this. False when there is no better answer to be had. */
  afterHead(attempt: Attempt, head: ResponseHead, delivered: boolean): boolean {
    return this.#moveOn(attempt, delivered, 'status5xx', head);
  }

  afterFailure(attempt: Attempt, failure: Failure): void {
    this.#why = failure;
    const outcome = attempt.failed(failure);
    if (failure.class !== 'unsendable') {
      if (failure.stale && this.#again(attempt, failure)) return;
      if (this.#moveOn(attempt, failure.delivered, outcome, undefined)) return;
    }
    this.#exchange.leave(outcome);
    this.#giveUp();
  }

  /** What cannot go elsewhere waits on: it may yet be answered. */
  afterStall(attempt: Attempt): void {
    this.#moveOn(attempt, attempt.upstream.delivered, 'timeout', undefined);
  }

  /** The answer we hold back is whole, or will never be. */
  heldEnded(outcome: Outcome): void {
    if (outcome.kind === 'failed') this.#held = undefined;
    this.#exchange.leave('status5xx');
  }

  // ── where it goes ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Once more to the same origin on a fresh connection. Outside the budget: it adds no load, for the first sending
   * reached nobody who was still listening.
   */
  #again(attempt: Attempt, { delivered, stale }: Failure): boolean {
    const { lane } = attempt;
    if (this.#remedy(delivered, stale) !== 'same-fresh') return false;
    // A swap may have changed what the origin is told, or taken it away.
    const target = this.#exchange.route()?.targets.find((candidate) => candidate.lanes.includes(lane));
    const { replayable } = this.#exchange;
    if (target === undefined || lane.gate.admits(this.#pipeline.now(), replayable) === 'no') return false;
    this.#freshTried = true;
    this.#pipeline.counters.replays += 1;
    this.#exchange.leave(undefined);
    this.#exchange.forward({ target, lane }, true);
    return true;
  }

  /** To another origin: evacuated once when this one was just ejected, else within the budget or after waiting for it. */
  #moveOn(
    attempt: Attempt,
    delivered: boolean,
    outcome: OutcomeClass | undefined,
    held: ResponseHead | undefined,
  ): boolean {
    if (this.#remedy(delivered, false) === 'none') return false;
    this.#tried.push(attempt.lane);
    const candidate = this.#next();
    if (candidate === undefined) return false;
    if (attempt.isEjected && !this.#evacuated) {
      this.#evacuated = true;
      this.#pipeline.counters.evacuations += 1;
    } else if (this.#holdsSlot || this.#pipeline.budget.acquire()) {
      this.#holdsSlot = true;
      this.#pipeline.counters.replays += 1;
    } else {
      this.#wait(attempt, outcome, held);
      return true;
    }
    this.#exchange.leave(outcome);
    this.#exchange.forward(candidate, false);
    return true;
  }

  #remedy(delivered: boolean, stale: boolean): ReturnType<typeof remedyFor> {
    const { replayable, bodyWhole } = this.#exchange;
    return remedyFor({ replayable, bodyWhole, delivered, stale, freshTried: this.#freshTried });
  }

  #next(): Candidate | undefined {
    const route = this.#exchange.route();
    if (route === undefined) return undefined;
    const wish = { now: this.#pipeline.now(), replayable: this.#exchange.replayable, tried: this.#tried };
    return nextAttempt(route, wish, this.#pipeline.random);
  }

  // ── the budget ───────────────────────────────────────────────────────────────────────────────────────────────

  #wait(attempt: Attempt, outcome: OutcomeClass | undefined, held: ResponseHead | undefined): void {
    this.#held = held;
    if (held === undefined) this.#exchange.leave(outcome);
    else attempt.upstream.pause();
    this.#exchange.pause();
    this.#waitingSince = this.#pipeline.now();
    this.#pipeline.budget.wait(this);
  }

  /** Our turn has come; the slot is ours already. */
  onBudget(): void {
    this.#holdsSlot = true;
    const candidate = this.#next();
    if (candidate === undefined) {
      this.#settle();
      return;
    }
    this.#held = undefined;
    this.#pipeline.counters.replays += 1;
    this.#exchange.leave('status5xx');
    this.#exchange.forward(candidate, false);
  }

  sweep(now: number): void {
    if (now - this.#waitingSince < WAIT_MS) return;
    this.#pipeline.budget.cancel(this);
    this.#pipeline.counters.refusedByBudget += 1;
    this.#settle();
  }

  /** An answer goes out, or nobody waits for one any more: slot and place in the queue go back. */
  over(): void {
    this.#pipeline.budget.cancel(this);
    if (!this.#holdsSlot) return;
    this.#holdsSlot = false;
    this.#pipeline.budget.release();
  }

  // ── nowhere ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The best we have: the platform's own answer, or ours. */
  #settle(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#giveUp();
    else this.#exchange.answer(held);
  }

  /** In the way that fits the last failure. */
  #giveUp(): void {
    const failure = this.#why;
    if (failure === undefined) this.#exchange.say(503, 'no room in the retry budget');
    else if (failure.class === 'unsendable') this.#exchange.say(501, failure.detail);
    else this.#exchange.say(failure.delivered ? 502 : 503, `${failure.class}: ${failure.detail}`);
  }
}
