import { Attempt, outcomeOf } from './attempt.ts';
import { type Candidate, nextAttempt } from './attempts.ts';
import { ejectsAtOnce } from './ejection.ts';
import { OPEN } from './gate.ts';
import { NO_RESPONSE_EDIT, type ResponseEdit } from './headers.ts';
import type { Lane } from './lane.ts';
import { type OutageStatus, outageAnswer } from './outage-answers.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import { ReplayBuffer } from './replay.ts';
import type { BudgetWaiter } from './retry-budget.ts';
import { isReplayable, type Remedy, remedyFor } from './retry-rules.ts';
import { meaningOf } from './router-errors.ts';
import { type CompiledRoute, matchRoute } from './routes.ts';
import {
  type Downstream,
  type DownstreamHandler,
  ERR,
  type Failure,
  type FlatHeaders,
  type Outcome,
  QUEUED,
  type RequestHead,
  type ResponseHead,
  type UpstreamHandler,
} from './wire.ts';

/**
 * Where an exchange is: `attempting` on an origin with no answer yet, `parked` until the retry budget has room,
 * `relaying` an answer (the client has seen its head: nothing can be replayed any more), or `closed`.
 */
type Phase = 'routing' | 'attempting' | 'parked' | 'relaying' | 'closed';

/** A replay waits this long for the budget. */
const PARK_MS = 1_000;

/** One request from head to last byte: route → attempts → gate → forward → outcome. */
export class Exchange implements DownstreamHandler, UpstreamHandler, BudgetWaiter {
  readonly #pipeline: Pipeline;
  readonly #downstream: Downstream;
  readonly #head: RequestHead;
  #phase: Phase = 'routing';
  /** The one under way; undefined between two and after the last. */
  #attempt: Attempt | undefined;
  #touchedAt = 0;

  /** What came of the request body, as far as it can be sent again; undefined when there is none. */
  readonly #body: ReplayBuffer | undefined;
  #bodyEnded: boolean;
  #bodyBytes = 0;
  /** The origin does not take the request body as fast as it comes. */
  #blocked = false;

  #responseStatus = 0;
  #responseEnded = false;
  /** A tunnel or an event stream: it ends when somebody ends it. */
  #endless = false;
  #cutAt = Number.POSITIVE_INFINITY;

  /** May go to another origin even though the first may have executed it. */
  #replayable = false;
  readonly #tried: Lane[] = [];
  #freshTried = false;
  #evacuated = false;
  #holdsBudget = false;
  #parkedAt = 0;
  /** While parked over a gateway error of the platform: its answer, to be relayed if nothing better is left. */
  #held: ResponseHead | undefined;
  #failure: Failure | undefined;

  constructor(pipeline: Pipeline, downstream: Downstream) {
    this.#pipeline = pipeline;
    this.#downstream = downstream;
    this.#head = downstream.head;
    this.#bodyEnded = downstream.head.bodyLength === 0;
    this.#body = this.#bodyEnded ? undefined : new ReplayBuffer(pipeline.settings.limits.replayBytes);
    downstream.attach(this);
  }

  /** Where it is in use of something. */
  get lane(): Lane | undefined {
    return this.#attempt?.lane;
  }

  // ── route → attempts ─────────────────────────────────────────────────────────────────────────────────────────

  begin(): void {
    if (this.#head.method === 'TRACE') {
      this.#answer(405);
      return;
    }
    if (this.#head.bodyLength > this.#pipeline.settings.limits.bodyBytes) {
      this.#answer(413);
      return;
    }
    const route = this.#route();
    // Without any table yet every address is unknown, and will be known in a moment.
    if (route === undefined) {
      this.#answer(this.#pipeline.table.version === 0 ? 503 : 404);
      return;
    }
    this.#replayable = isReplayable(this.#head, route.idempotentToo);
    const candidate = this.#next(route);
    if (candidate === undefined) {
      this.#answer(503);
      return;
    }
    this.#forward(candidate, false);
  }

  /** By the table of this moment: an origin that has left it gets no replay either. */
  #route(): CompiledRoute | undefined {
    return matchRoute(this.#pipeline.table, this.#head.host, this.#head.target);
  }

  #next(route: CompiledRoute | undefined): Candidate | undefined {
    if (route === undefined) return undefined;
    const wish = { now: this.#pipeline.now(), replayable: this.#replayable, tried: this.#tried };
    return nextAttempt(route, wish, this.#pipeline.random);
  }

  // ── gate → forward ───────────────────────────────────────────────────────────────────────────────────────────

  #forward(candidate: Candidate, fresh: boolean): void {
    this.#phase = 'attempting';
    this.#touchedAt = this.#pipeline.coarseNow;
    const attempt = new Attempt(this.#pipeline, candidate, { head: this.#head, fresh }, this);
    this.#attempt = attempt;
    if (this.#body === undefined) return;
    this.#blocked = false;
    for (const chunk of this.#body.chunks) {
      if (attempt.upstream.write(chunk) === QUEUED) this.#blocked = true;
    }
    if (this.#bodyEnded) attempt.upstream.end();
    else if (this.#blocked) this.#downstream.pause();
    else this.#downstream.resume();
  }

  onBody(chunk: Uint8Array): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#bodyBytes += chunk.length;
    if (this.#responseStatus !== 101 && this.#bodyBytes > this.#pipeline.settings.limits.bodyBytes) {
      this.#tooLarge();
      return;
    }
    if (this.#phase !== 'relaying') this.#body?.add(chunk);
    if (this.#attempt?.upstream.write(chunk) !== QUEUED) return;
    this.#blocked = true;
    this.#downstream.pause();
  }

  onBodyEnd(): void {
    this.#bodyEnded = true;
    this.#attempt?.upstream.end();
  }

  onOriginDrain(): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#blocked = false;
    this.#downstream.resume();
  }

  onSent(): void {
    this.#attempt?.sent();
  }

  #tooLarge(): void {
    this.#leave('aborted');
    if (this.#phase === 'relaying') this.#downstream.abort();
    else this.#answer(413);
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  onInform(head: ResponseHead): void {
    this.#downstream.inform(head);
  }

  onHead(head: ResponseHead): void {
    const meaning = meaningOf(head);
    this.#attempt?.judge(head.status, meaning);
    if (meaning !== 'answer') {
      // The platform's own word that nobody served this.
      const remedy = this.#remedy(meaning === 'unserved', false);
      if (remedy !== 'none' && this.#elsewhere('status5xx', head)) return;
    }
    this.#relay(head);
  }

  #relay(head: ResponseHead): void {
    this.#phase = 'relaying';
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#held = undefined;
    this.#body?.drop();
    this.#returnBudget();
    if (!this.#downstream.respond(head, this.#responseEdit())) {
      // A field value that would split the message.
      this.#attempt?.blame(true);
      this.#leave('reset');
      this.#answer(502);
      return;
    }
    this.#responseStatus = head.status;
    this.#endless =
      head.status === 101 || head.field('content-type')?.startsWith('text/event-stream') === true;
    if (head.status !== 101) return;
    this.#pipeline.counters.upgrades += 1;
    // From here on both bodies are raw bytes.
    this.#bodyEnded = false;
    this.#downstream.resume();
  }

  #responseEdit(): ResponseEdit {
    const from = this.#attempt?.target.edit.host;
    if (from === undefined || this.#route()?.rewrite !== true) return NO_RESPONSE_EDIT;
    return { from, to: this.#head.host, scheme: this.#head.peer.encrypted ? 'https' : 'http' };
  }

  onChunk(chunk: Uint8Array): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    const written = this.#downstream.write(chunk);
    if (written === QUEUED) this.#attempt?.upstream.pause();
    else if (written === ERR) this.#attempt?.upstream.abort();
  }

  onClientDrain(): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#attempt?.upstream.resume();
  }

  onEnd(trailers: FlatHeaders | undefined): void {
    this.#responseEnded = true;
    if (this.#phase === 'relaying') this.#downstream.end(trailers);
  }

  // ── outcome ──────────────────────────────────────────────────────────────────────────────────────────────────

  onOutcome(outcome: Outcome): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    if (this.#phase === 'parked') {
      // The answer we hold back is whole, or will never be.
      if (outcome.kind === 'failed') this.#held = undefined;
      this.#leave('status5xx');
    } else if (outcome.kind === 'complete') {
      this.#leave(this.#responseStatus >= 500 ? 'status5xx' : 'ok');
    } else if (this.#phase === 'relaying') {
      // The client has a part of the answer and must be able to tell.
      if (this.#responseStatus !== 101) attempt.blame(true);
      this.#leave('reset');
      this.#downstream.abort();
    } else this.#recover(attempt, outcome);
  }

  #recover(attempt: Attempt, failure: Failure): void {
    if (failure.class === 'unsendable') {
      this.#leave(undefined);
      this.#answer(501);
      return;
    }
    this.#failure = failure;
    const remedy = this.#remedy(failure.delivered, failure.stale);
    if (failure.stale) {
      // A kept connection that was closed under the request says nothing of the origin: its owner only tidied up.
      if (remedy === 'same-fresh' && this.#again(attempt)) return;
    } else {
      const reason = ejectsAtOnce(failure.class);
      if (reason === undefined) attempt.blame(true);
      else this.#pipeline.eject(attempt.lane, reason);
    }
    const outcome = outcomeOf(failure);
    if (remedy !== 'none' && this.#elsewhere(outcome, undefined)) return;
    this.#leave(outcome);
    this.#giveUp();
  }

  #remedy(delivered: boolean, stale: boolean): Remedy {
    return remedyFor({
      replayable: this.#replayable,
      bodyWhole: this.#body?.whole ?? true,
      delivered,
      stale,
      freshTried: this.#freshTried,
    });
  }

  /** Outside the budget: it adds no load, for the first sending reached nobody who was still listening. */
  #again(attempt: Attempt): boolean {
    const { lane } = attempt;
    // A swap may have changed what the origin is told, or taken it away.
    const target = this.#route()?.targets.find((candidate) => candidate.lanes.includes(lane));
    if (target === undefined || lane.gate.admits(this.#pipeline.now(), this.#replayable) === 'no')
      return false;
    this.#freshTried = true;
    this.#pipeline.counters.replays += 1;
    this.#leave(undefined);
    this.#forward({ target, lane }, true);
    return true;
  }

  /**
   * Leaves the present origin for another: evacuated once, when this one was just ejected, else within the budget, or
   * after waiting for it with the platform's answer in hand. False when there is no other.
   */
  #elsewhere(outcome: OutcomeClass | undefined, held: ResponseHead | undefined): boolean {
    const attempt = this.#attempt;
    if (attempt === undefined) return false;
    this.#tried.push(attempt.lane);
    const candidate = this.#next(this.#route());
    if (candidate === undefined) return false;
    if (attempt.isEjected && !this.#evacuated) {
      this.#evacuated = true;
      this.#pipeline.counters.evacuations += 1;
    } else if (this.#holdsBudget || this.#pipeline.budget.acquire()) {
      this.#holdsBudget = true;
      this.#pipeline.counters.replays += 1;
    } else {
      this.#park(outcome, held);
      return true;
    }
    this.#leave(outcome);
    this.#forward(candidate, false);
    return true;
  }

  #park(outcome: OutcomeClass | undefined, held: ResponseHead | undefined): void {
    this.#phase = 'parked';
    this.#parkedAt = this.#pipeline.now();
    this.#held = held;
    if (held === undefined) this.#leave(outcome);
    else this.#attempt?.upstream.pause();
    this.#downstream.pause();
    this.#pipeline.budget.wait(this);
  }

  onBudget(): void {
    this.#holdsBudget = true;
    const candidate = this.#next(this.#route());
    if (candidate === undefined) {
      this.#unpark();
      return;
    }
    this.#held = undefined;
    this.#responseEnded = false;
    this.#leave('status5xx');
    this.#pipeline.counters.replays += 1;
    this.#forward(candidate, false);
  }

  /** The best we have: the platform's own answer, or ours. */
  #unpark(): void {
    const held = this.#held;
    if (held === undefined) {
      this.#giveUp();
      return;
    }
    this.#relay(held);
    if (this.#responseEnded) this.#downstream.end(undefined);
    else this.#attempt?.upstream.resume();
  }

  /** No origin is left: says so in the way that fits the last failure. */
  #giveUp(): void {
    this.#answer(this.#failure?.delivered === true ? 502 : 503);
  }

  /** Our own answer. */
  #answer(status: OutageStatus): void {
    const retryAfterS = status === 503 ? this.#retryAfterS() : undefined;
    const { head, body } = outageAnswer(status, this.#head, retryAfterS);
    this.#phase = 'relaying';
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#responseStatus = status;
    this.#responseEnded = true;
    this.#returnBudget();
    this.#body?.drop();
    this.#downstream.respond(head, NO_RESPONSE_EDIT);
    this.#downstream.write(body);
    this.#downstream.end(undefined);
  }

  /** Seconds until the first ejected origin gets its trial. */
  #retryAfterS(): number {
    const now = this.#pipeline.now();
    let soonest = 30_000;
    for (const target of this.#route()?.targets ?? []) {
      for (const { gate } of target.lanes)
        soonest = Math.min(soonest, gate.state === OPEN ? gate.until - now : 0);
    }
    return Math.max(1, Math.ceil(soonest / 1000));
  }

  onClose(complete: boolean): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    const tunnel = this.#responseStatus === 101;
    if (tunnel) this.#pipeline.counters.upgrades -= 1;
    this.#leave(tunnel ? 'ok' : 'aborted');
    this.#returnBudget();
    this.#pipeline.budget.cancel(this);
    this.#pipeline.counters.finished(tunnel || (complete && this.#responseEnded) ? this.#responseStatus : 0);
    this.#pipeline.finished(this);
  }

  #leave(outcome: OutcomeClass | undefined): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.leave(outcome);
  }

  #returnBudget(): void {
    if (!this.#holdsBudget) return;
    this.#holdsBudget = false;
    this.#pipeline.budget.release();
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Called every few milliseconds instead of a timer a request. */
  sweep(now: number): void {
    const { timeouts } = this.#pipeline.settings;
    if (this.#phase === 'attempting') this.#sweepAttempt(now);
    else if (this.#phase === 'parked') {
      if (now - this.#parkedAt < PARK_MS) return;
      this.#pipeline.budget.cancel(this);
      this.#pipeline.counters.refusedByBudget += 1;
      this.#unpark();
    } else if (this.#phase === 'relaying') {
      if (now < this.#cutAt && now - this.#touchedAt <= timeouts.idleMs) return;
      this.#leave(this.#endless ? 'ok' : 'timeout');
      this.#downstream.abort();
    }
  }

  #sweepAttempt(now: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    const { headMs, idleMs } = this.#pipeline.settings.timeouts;
    if (attempt.waited(now) > headMs) {
      attempt.blame(true);
      this.#leave('timeout');
      this.#answer(504);
      return;
    }
    if (attempt.isSent) {
      attempt.suspect(now, this.#head.host);
      return;
    }
    if (now - this.#touchedAt <= idleMs) return;
    // An upload stands still: whose turn is it?
    this.#leave(this.#blocked ? 'timeout' : 'aborted');
    this.#answer(this.#blocked ? 504 : 408);
  }

  /**
   * The origin has stalled. What was not delivered goes elsewhere whatever it is; what was fully sent goes if it may be
   * replayed; the rest waits on, for it may yet be answered.
   */
  evacuate(): void {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#phase !== 'attempting') return;
    const { delivered } = attempt.upstream;
    if (delivered && !attempt.isSent) return;
    if (this.#remedy(delivered, false) !== 'none') this.#elsewhere('timeout', undefined);
  }

  /** The origin has left the table: an endless exchange lasts until then. */
  cutBy(at: number): void {
    if (this.#endless) this.#cutAt = Math.min(this.#cutAt, at);
  }

  /** The worker stops now. */
  abort(): void {
    this.#leave('aborted');
    this.#downstream.abort();
  }
}
