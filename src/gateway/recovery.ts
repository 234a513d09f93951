import type { ApplicationName } from '../core/ids.ts';
import type { ReplayCause } from '../core/traffic-counters.ts';
import type { Attempt } from './attempt.ts';
import { type Candidate, isWorthWaiting } from './attempts.ts';
import type { Lane } from './lane.ts';
import type { OutageStatus } from './outage-answers.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import type { PlaceWaiter } from './place-queue.ts';
import type { RequestRecord } from './request-record.ts';
import { FLAG, flagOf } from './response-flags.ts';
import type { BudgetWaiter } from './retry-budget.ts';
import { remedyFor } from './retry-rules.ts';
import type { CompiledRoute, CompiledTarget } from './routes.ts';
import type { Failure, Outcome, ResponseHead } from './wire.ts';

/** A replay waits this long for the budget (docs/adr/0008-replay-budget.md). */
const BUDGET_WAIT_MS = 1_000;

/** What a recovery needs of its exchange. */
export interface Recoverable {
  readonly attempt: Attempt | undefined;
  readonly record: RequestRecord;
  /** May go to another origin even though the first may have executed it. */
  readonly replayable: boolean;
  /** Everything the client sent so far can be sent again. */
  readonly bodyWhole: boolean;
  /** By the table of this moment: an origin that has left it gets no replay either. */
  route(): CompiledRoute | undefined;
  /** Where it may go, of this route and besides these. */
  candidate(route: CompiledRoute, tried: readonly Lane[]): Candidate | undefined;
  /** As what the lane is reached now; undefined when it is out of the table. */
  targetOf(lane: Lane): CompiledTarget | undefined;
  leave(outcome: OutcomeClass | undefined): void;
  forward(candidate: Candidate, fresh: boolean): void;
  /** No attempt may begin for the moment; the client is asked for no more. */
  pause(): void;
  /** Relays this head, and what follows it. */
  answer(head: ResponseHead): void;
  /** An answer of our own; `why` is for the log. */
  say(status: OutageStatus, why: string, flag: number): void;
}

/** `first`: no origin has had the request yet. */
type Reason = 'first' | 'evacuation' | 'replay';

/** How an exchange goes on from the first thing that goes wrong. Made only then, so that nobody else pays for it. */
export class Recovery implements BudgetWaiter, PlaceWaiter {
  application: ApplicationName = '';
  readonly #pipeline: Pipeline;
  readonly #exchange: Recoverable;
  readonly #tried: Lane[] = [];
  #freshTried = false;
  #evacuated = false;
  #holdsSlot = false;
  #waitsFor: 'nothing' | 'budget' | 'place' = 'nothing';
  #waitingSince = 0;
  /** Why the attempt is made that a place is waited for. */
  #reason: Reason = 'first';
  /** While waiting: the platform's own answer, for want of a better one. */
  #held: ResponseHead | undefined;
  #why: Failure | undefined;
  /** Of the next attempt. */
  #cause: ReplayCause = 'reset';

  constructor(pipeline: Pipeline, exchange: Recoverable) {
    this.#pipeline = pipeline;
    this.#exchange = exchange;
  }

  /** Somebody had the request before, and another one gets it now. */
  get hasMovedOn(): boolean {
    return this.#tried.length > 0;
  }

  // ── what has happened ────────────────────────────────────────────────────────────────────────────────────────

  /** Nobody who could serve this has a place for it. */
  allFull(): void {
    if (this.#queue('first', undefined, undefined)) return;
    this.#exchange.say(503, 'every origin is full, and too many wait already', FLAG.UO);
  }

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

  /** As far as it depends on the request: whether anybody is there to take it shows when it goes. */
  maySendAgain({ upstream }: Attempt): boolean {
    return this.#remedy(upstream.delivered, false) !== 'none';
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
    const target = this.#exchange.targetOf(lane);
    if (target === undefined || !attempt.mayRepeat(this.#exchange.replayable)) return false;
    this.#freshTried = true;
    this.#cause = 'stale';
    this.#count('replay');
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
    if (!this.#tried.includes(attempt.lane)) this.#tried.push(attempt.lane);
    this.#cause = causeOf(outcome);
    const candidate = this.#next();
    if (candidate === undefined && !this.#mayQueue()) return false;
    const reason = this.#permission(attempt);
    if (reason === undefined) {
      this.#wait('budget', outcome, held);
      this.#pipeline.budget.wait(this);
      return true;
    }
    if (candidate === undefined) return this.#queue(reason, outcome, held);
    this.#count(reason);
    this.#exchange.leave(outcome);
    this.#exchange.forward(candidate, false);
    return true;
  }

  /** Undefined as long as the budget is used up. */
  #permission(attempt: Attempt): Reason | undefined {
    if (attempt.isEjected && !this.#evacuated) {
      this.#evacuated = true;
      return 'evacuation';
    }
    if (!this.#holdsSlot && !this.#pipeline.budget.acquire()) return undefined;
    this.#holdsSlot = true;
    return 'replay';
  }

  #count(reason: Reason): void {
    const { counters } = this.#pipeline;
    const { record } = this.#exchange;
    if (reason === 'evacuation') {
      counters.evacuations += 1;
      record.flags |= FLAG.EV;
    } else if (reason === 'replay') {
      counters.replayed(this.#cause);
      record.flags |= FLAG.RP;
    }
  }

  #remedy(delivered: boolean, stale: boolean): ReturnType<typeof remedyFor> {
    const { replayable, bodyWhole } = this.#exchange;
    return remedyFor({ replayable, bodyWhole, delivered, stale, freshTried: this.#freshTried });
  }

  #next(): Candidate | undefined {
    const route = this.#exchange.route();
    return route === undefined ? undefined : this.#exchange.candidate(route, this.#tried);
  }

  // ── waiting ──────────────────────────────────────────────────────────────────────────────────────────────────

  #wait(what: 'budget' | 'place', outcome: OutcomeClass | undefined, held: ResponseHead | undefined): void {
    this.#waitsFor = what;
    this.#held = held;
    if (held === undefined) this.#exchange.leave(outcome);
    else this.#exchange.attempt?.upstream.pause();
    this.#exchange.pause();
    this.#waitingSince = this.#pipeline.now();
  }

  /** A sound origin is only full. */
  #isWorthWaiting(): boolean {
    const route = this.#exchange.route();
    return route !== undefined && isWorthWaiting(route, { tried: this.#tried });
  }

  #mayQueue(): boolean {
    return this.#pipeline.places.hasRoom && this.#isWorthWaiting();
  }

  /** False when too many wait already. */
  #queue(reason: Reason, outcome: OutcomeClass | undefined, held: ResponseHead | undefined): boolean {
    if (!this.#enterQueue(reason)) return false;
    this.#wait('place', outcome, held);
    return true;
  }

  #enterQueue(reason: Reason): boolean {
    // By which it is called when a place becomes free.
    this.application = this.#exchange.route()?.application ?? '';
    this.#reason = reason;
    return this.#pipeline.places.enter(this);
  }

  /** Our turn has come; the slot is ours already. */
  onBudget(): void {
    this.#holdsSlot = true;
    const candidate = this.#next();
    if (candidate !== undefined) this.#go(candidate, 'replay');
    else if (this.#mayQueue() && this.#enterQueue('replay')) {
      this.#waitsFor = 'place';
      this.#waitingSince = this.#pipeline.now();
    } else this.#settle('no origin is left', FLAG.UH);
  }

  onPlace(): boolean {
    const candidate = this.#next();
    if (candidate === undefined) return false;
    this.#pipeline.places.leave(this);
    this.#go(candidate, this.#reason);
    return true;
  }

  #go(candidate: Candidate, reason: Reason): void {
    // What came in spite of the pause may have been too much to be kept.
    if (!this.#exchange.bodyWhole) {
      this.#settle('a body that cannot be sent any more', 0);
      return;
    }
    this.#waitsFor = 'nothing';
    this.#held = undefined;
    this.#count(reason);
    this.#exchange.leave('status5xx');
    this.#exchange.forward(candidate, false);
  }

  sweep(now: number): void {
    const waited = now - this.#waitingSince;
    if (this.#waitsFor === 'budget' && waited >= BUDGET_WAIT_MS) {
      this.#pipeline.budget.cancel(this);
      this.#pipeline.counters.refusedByBudget += 1;
      this.#settle('no room in the retry budget', FLAG.URX);
    } else if (this.#waitsFor === 'place') this.#sweepQueue(waited);
  }

  /** An ejection elsewhere, or its end, changes what can be waited for without telling anybody. */
  #sweepQueue(waited: number): void {
    if (this.onPlace()) return;
    const { places, settings } = this.#pipeline;
    if (!this.#isWorthWaiting()) {
      places.leave(this);
      this.#settle('what was waited for serves no more', FLAG.UH);
    } else if (waited >= settings.timeouts.queueMs) {
      places.leave(this);
      places.timeouts += 1;
      this.#settle(`every origin was full for ${settings.timeouts.queueMs} ms`, FLAG.UO);
    }
  }

  /** An answer goes out, or nobody waits for one any more: slot and places in the queues go back. */
  over(): void {
    this.#waitsFor = 'nothing';
    this.#pipeline.budget.cancel(this);
    this.#pipeline.places.leave(this);
    if (!this.#holdsSlot) return;
    this.#holdsSlot = false;
    this.#pipeline.budget.release();
  }

  // ── nowhere ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The best we have: the platform's own answer, or ours. */
  #settle(why: string, flag: number): void {
    this.#exchange.record.flags |= flag;
    const held = this.#held;
    this.#held = undefined;
    this.#waitsFor = 'nothing';
    if (held !== undefined) this.#exchange.answer(held);
    else if (this.#why !== undefined) this.#giveUp();
    else this.#exchange.say(503, why, flag);
  }

  /** In the way that fits the last failure. */
  #giveUp(): void {
    const failure = this.#why;
    if (failure === undefined) this.#exchange.say(503, 'no origin is left', FLAG.UH);
    else if (failure.class === 'unsendable') this.#exchange.say(501, failure.detail, FLAG.DPE);
    else {
      const why = `${failure.class}: ${failure.detail}`;
      this.#exchange.say(failure.delivered ? 502 : 503, why, flagOf(failure));
    }
  }
}

function causeOf(outcome: OutcomeClass | undefined): ReplayCause {
  switch (outcome) {
    case 'connect':
    case 'tls':
    case 'timeout':
    case 'status5xx':
      return outcome;
    default:
      return 'reset';
  }
}
