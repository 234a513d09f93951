import { type Candidate, nextAttempt } from './attempts.ts';
import { ejectsAtOnce } from './ejection.ts';
import { CLOSED, HALF_OPEN, OPEN } from './gate.ts';
import { type HeadEdit, NO_RESPONSE_EDIT, type ResponseEdit } from './headers.ts';
import type { Lane } from './lane.ts';
import { type OutageStatus, outageAnswer } from './outage-answers.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import { ReplayBuffer } from './replay.ts';
import type { BudgetWaiter } from './retry-budget.ts';
import { isReplayable, remedyFor } from './retry-rules.ts';
import { type HeadMeaning, meaningOf } from './router-errors.ts';
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
  type Upstream,
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
  /** What came of the request body, as far as it can be sent again; undefined when there is none. */
  readonly #body: ReplayBuffer | undefined;
  #phase: Phase = 'routing';
  #bodyEnded: boolean;
  #bodyBytes = 0;
  #responseStatus = 0;
  #responseEnded = false;
  #replayable = false;

  // The attempt under way.
  #lane: Lane | undefined;
  #edit: HeadEdit | undefined;
  #upstream: Upstream | undefined;
  #trial = false;
  #startedAt = 0;
  /** 0 until the whole request has been sent. */
  #sentAt = 0;
  #touchedAt = 0;
  #suspected = false;
  /** The origin does not take the request body as fast as it comes. */
  #blocked = false;

  // What the attempts before it left.
  readonly #tried: Lane[] = [];
  #freshTried = false;
  #evacuated = false;
  #holdsBudget = false;
  #parkedAt = 0;
  /** While parked over a gateway error of the platform: its answer, to be relayed if nothing better is left. */
  #held: ResponseHead | undefined;
  #failure: Failure | undefined;
  /** When a tunnel on an origin that has left the table is cut. */
  #cutAt = Number.POSITIVE_INFINITY;

  constructor(pipeline: Pipeline, downstream: Downstream) {
    this.#pipeline = pipeline;
    this.#downstream = downstream;
    this.#head = downstream.head;
    this.#bodyEnded = downstream.head.bodyLength === 0;
    this.#body = this.#bodyEnded ? undefined : new ReplayBuffer(pipeline.settings.limits.replayBytes);
    downstream.attach(this);
  }

  get lane(): Lane | undefined {
    return this.#lane;
  }

  get #bodyWhole(): boolean {
    return this.#body?.whole ?? true;
  }

  get #tunnel(): boolean {
    return this.#responseStatus === 101;
  }

  // ── route → attempts ───────────────────────────────────────────────────────────────────────────────────────────

  begin(): void {
    const { settings } = this.#pipeline;
    if (this.#head.method === 'TRACE') {
      this.#answer(405);
      return;
    }
    if (this.#head.bodyLength > settings.limits.bodyBytes) {
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
    const wish = {
      now: this.#pipeline.now(),
      replayable: this.#replayable,
      tried: this.#tried,
    };
    return nextAttempt(route, wish, this.#pipeline.random);
  }

  // ── gate → forward ─────────────────────────────────────────────────────────────────────────────────────────────

  #forward(candidate: Candidate, fresh: boolean): void {
    const { lane, target } = candidate;
    const now = this.#pipeline.now();
    this.#phase = 'attempting';
    this.#lane = lane;
    this.#edit = target.edit;
    this.#trial = lane.gate.enter();
    this.#startedAt = now;
    this.#touchedAt = now;
    this.#sentAt = 0;
    this.#suspected = false;
    const upstream = this.#pipeline.wire.attempt(
      { origin: lane.origin.wire, head: this.#head, edit: target.edit, fresh },
      this,
    );
    this.#upstream = upstream;
    if (this.#body === undefined) return;
    this.#blocked = false;
    for (const chunk of this.#body.chunks) this.#blocked = upstream.write(chunk) === QUEUED || this.#blocked;
    if (this.#bodyEnded) upstream.end();
    else if (this.#blocked) this.#downstream.pause();
    else this.#downstream.resume();
  }

  onBody(chunk: Uint8Array): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#bodyBytes += chunk.length;
    if (!this.#tunnel) {
      if (this.#bodyBytes > this.#pipeline.settings.limits.bodyBytes) {
        this.#tooLarge();
        return;
      }
      if (this.#phase !== 'relaying') this.#body?.add(chunk);
    }
    if (this.#upstream?.write(chunk) !== QUEUED) return;
    this.#blocked = true;
    this.#downstream.pause();
  }

  onBodyEnd(): void {
    this.#bodyEnded = true;
    this.#upstream?.end();
  }

  onOriginDrain(): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#blocked = false;
    this.#downstream.resume();
  }

  onSent(): void {
    this.#sentAt = this.#pipeline.now();
  }

  #tooLarge(): void {
    this.#leave('aborted');
    if (this.#phase === 'relaying') this.#downstream.abort();
    else this.#answer(413);
  }

  // ── the answer ─────────────────────────────────────────────────────────────────────────────────────────────────

  onInform(head: ResponseHead): void {
    this.#downstream.inform(head);
  }

  onHead(head: ResponseHead): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    const now = this.#pipeline.now();
    this.#touchedAt = now;
    lane.headCame(now, now - this.#startedAt);
    const meaning = meaningOf(head);
    this.#judge(lane, head.status, meaning, now);
    if (meaning !== 'answer' && this.#unserved(head, meaning === 'undelivered')) return;
    this.#relay(head);
  }

  /** The platform's own word that nobody served this. True when the request goes elsewhere, or waits to. */
  #unserved(head: ResponseHead, undelivered: boolean): boolean {
    const remedy = remedyFor({
      replayable: this.#replayable,
      bodyWhole: this.#bodyWhole,
      delivered: !undelivered,
      stale: false,
      freshTried: true,
    });
    if (remedy === 'none') return false;
    return this.#elsewhere(head, 'status5xx');
  }

  #relay(head: ResponseHead): void {
    this.#phase = 'relaying';
    this.#held = undefined;
    this.#failure = undefined;
    this.#responseStatus = head.status;
    this.#body?.drop();
    this.#returnBudget();
    if (!this.#downstream.respond(head, this.#responseEdit())) {
      this.#leave('reset');
      this.#responseStatus = 0;
      this.#phase = 'routing';
      this.#answer(502);
      return;
    }
    if (head.status === 101) {
      this.#pipeline.counters.upgrades += 1;
      // From here on both bodies are raw bytes.
      this.#bodyEnded = false;
      this.#downstream.resume();
    }
  }

  #responseEdit(): ResponseEdit {
    const from = this.#edit?.host;
    if (from === undefined || this.#route()?.rewrite !== true) return NO_RESPONSE_EDIT;
    return { from, to: this.#head.host, scheme: this.#head.peer.encrypted ? 'https' : 'http' };
  }

  onChunk(chunk: Uint8Array): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    const written = this.#downstream.write(chunk);
    if (written === QUEUED) this.#upstream?.pause();
    else if (written === ERR) this.#upstream?.abort();
  }

  onClientDrain(): void {
    this.#touchedAt = this.#pipeline.coarseNow;
    this.#upstream?.resume();
  }

  onEnd(trailers: FlatHeaders | undefined): void {
    this.#responseEnded = true;
    if (this.#phase === 'relaying') this.#downstream.end(trailers);
  }

  // ── outcome ────────────────────────────────────────────────────────────────────────────────────────────────────

  onOutcome(outcome: Outcome): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    if (this.#phase === 'parked') {
      // The answer we hold back is whole, or will never be.
      if (outcome.kind === 'failed') this.#held = undefined;
      this.#leave('status5xx');
      return;
    }
    if (outcome.kind === 'complete') {
      this.#leave(this.#responseStatus >= 500 ? 'status5xx' : 'ok');
      return;
    }
    if (this.#phase !== 'relaying') {
      this.#recover(lane, outcome);
      return;
    }
    // The client has a part of the answer and must be able to tell.
    if (!this.#tunnel) this.#blame(lane, true);
    this.#leave('reset');
    this.#downstream.abort();
  }

  #recover(lane: Lane, failure: Failure): void {
    this.#failure = failure;
    const remedy = remedyFor({
      replayable: this.#replayable,
      bodyWhole: this.#bodyWhole,
      delivered: failure.delivered,
      stale: failure.stale,
      freshTried: this.#freshTried,
    });
    // A kept connection that was closed under the request says nothing of the origin: its owner only tidied up.
    if (failure.stale && !this.#freshTried) {
      if (remedy === 'same-fresh' && this.#again(lane)) return;
    } else {
      const reason = ejectsAtOnce(failure.class);
      if (reason === undefined) this.#blame(lane, true);
      else this.#pipeline.eject(lane, reason);
    }
    const outcome = outcomeOf(failure);
    if (remedy !== 'none' && this.#elsewhere(undefined, outcome)) return;
    this.#leave(outcome);
    this.#giveUp();
  }

  /** Outside the budget: it adds no load, for the first sending reached nobody who was still listening. */
  #again(lane: Lane): boolean {
    const edit = this.#edit;
    if (edit === undefined || lane.gate.admits(this.#pipeline.now(), this.#replayable) === 'no') return false;
    const target = this.#route()?.targets.find((candidate) => candidate.lanes.includes(lane));
    if (target === undefined) return false;
    this.#freshTried = true;
    this.#pipeline.counters.replays += 1;
    this.#leave(undefined);
    this.#forward({ target, lane }, true);
    return true;
  }

  /**
   * Leaves the present origin for another: evacuated, when this one was just ejected, or within the budget, or after
   * waiting for it. False when there is no other.
   */
  #elsewhere(held: ResponseHead | undefined, outcome: OutcomeClass): boolean {
    const lane = this.#lane;
    if (lane === undefined) return false;
    this.#tried.push(lane);
    const candidate = this.#next(this.#route());
    if (candidate === undefined) return false;
    const ejected = lane.gate.state !== CLOSED;
    if (ejected && !this.#evacuated) {
      this.#evacuated = true;
      this.#pipeline.counters.evacuations += 1;
    } else if (this.#holdsBudget || this.#pipeline.budget.acquire()) {
      this.#holdsBudget = true;
      this.#pipeline.counters.replays += 1;
    } else {
      this.#park(held, outcome);
      return true;
    }
    this.#leave(outcome);
    this.#forward(candidate, false);
    return true;
  }

  #park(held: ResponseHead | undefined, outcome: OutcomeClass): void {
    this.#phase = 'parked';
    this.#parkedAt = this.#pipeline.now();
    this.#held = held;
    if (held === undefined) this.#leave(outcome);
    else this.#upstream?.pause();
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
    else this.#upstream?.resume();
  }

  /** No origin is left: says so in the way that fits the last failure. */
  #giveUp(): void {
    this.#answer(this.#failure === undefined || !this.#failure.delivered ? 503 : 502);
  }

  /** Counts the head towards health; a platform's gateway error is a failure of the origin. */
  #judge(lane: Lane, status: number, meaning: HeadMeaning, now: number): void {
    if (status >= 500 || meaning !== 'answer') this.#blame(lane, meaning !== 'answer');
    else if (lane.gate.success(now, this.#trial)) this.#pipeline.readmitted(lane);
  }

  #blame(lane: Lane, hard: boolean): void {
    const { gate } = lane;
    if (this.#trial && gate.state === HALF_OPEN) {
      this.#pipeline.eject(lane, gate.reason ?? 'consecutive-failures');
      return;
    }
    const reason = gate.failure(this.#pipeline.now(), hard);
    if (reason !== undefined) this.#pipeline.eject(lane, reason);
  }

  /** Ends the attempt; undefined when it is to count nowhere. */
  #leave(outcome: OutcomeClass | undefined): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    const upstream = this.#upstream;
    this.#lane = undefined;
    this.#upstream = undefined;
    upstream?.abort();
    lane.gate.leave(this.#trial);
    this.#trial = false;
    if (outcome !== undefined) lane.outcomes.count(outcome);
    this.#pipeline.left(lane);
  }

  /** Our own answer. */
  #answer(status: OutageStatus): void {
    const { head, body } = outageAnswer(status, this.#head, status === 503 ? this.#retryAfterS() : undefined);
    this.#phase = 'relaying';
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
    const whole = complete && this.#responseEnded;
    if (this.#tunnel) this.#pipeline.counters.upgrades -= 1;
    this.#phase = 'closed';
    this.#leave(this.#tunnel ? 'ok' : 'aborted');
    this.#returnBudget();
    this.#pipeline.budget.cancel(this);
    this.#pipeline.counters.finished(whole || this.#tunnel ? this.#responseStatus : 0);
    this.#pipeline.finished(this);
  }

  #returnBudget(): void {
    if (!this.#holdsBudget) return;
    this.#holdsBudget = false;
    this.#pipeline.budget.release();
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Called every few milliseconds instead of a timer a request. */
  sweep(now: number): void {
    const { timeouts } = this.#pipeline.settings;
    switch (this.#phase) {
      case 'attempting':
        if (this.#sentAt > 0) {
          this.#waitForHead(now);
          return;
        }
        if (now - this.#touchedAt > timeouts.idleMs) {
          this.#leave(this.#blocked ? 'timeout' : 'aborted');
          this.#answer(this.#blocked ? 504 : 408);
        }
        return;
      case 'parked':
        if (now - this.#parkedAt < PARK_MS) return;
        this.#pipeline.budget.cancel(this);
        this.#pipeline.counters.refusedByBudget += 1;
        this.#unpark();
        return;
      case 'relaying':
        if (now < this.#cutAt && now - this.#touchedAt <= timeouts.idleMs) return;
        if (this.#lane !== undefined) this.#leave(this.#tunnel ? 'ok' : 'timeout');
        this.#downstream.abort();
        return;
      case 'routing':
      case 'closed':
        return;
    }
  }

  #waitForHead(now: number): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    const waited = now - this.#sentAt;
    if (waited > this.#pipeline.settings.timeouts.headMs) {
      this.#blame(lane, true);
      this.#leave('timeout');
      this.#answer(504);
      return;
    }
    if (this.#suspected || waited < lane.stallAfterMs || lane.origin.lastHeadAt >= this.#sentAt) return;
    this.#suspected = this.#pipeline.stall.suspect(lane.origin, this.#edit?.host ?? this.#head.host, now);
  }

  /**
   * The origin has stalled. What was not delivered goes elsewhere whatever it is; what was fully sent goes if it may be
   * replayed; the rest waits on, for it may yet be answered.
   */
  evacuate(): void {
    if (this.#phase !== 'attempting') return;
    const delivered = this.#upstream?.delivered ?? false;
    if (delivered && (this.#sentAt === 0 || !this.#replayable)) return;
    if (!this.#bodyWhole) return;
    this.#elsewhere(undefined, 'timeout');
  }

  /** The origin has left the table: an endless exchange gets until then. */
  cutBy(at: number): void {
    if (this.#tunnel) this.#cutAt = Math.min(this.#cutAt, at);
  }

  /** The worker stops now. */
  abort(): void {
    this.#leave('aborted');
    this.#downstream.abort();
  }
}

function outcomeOf(failure: Failure): OutcomeClass {
  switch (failure.class) {
    case 'refused':
    case 'connect-reset':
    case 'connect-timeout':
      return 'connect';
    case 'tls':
      return 'tls';
    case 'reset':
    case 'protocol':
      return 'reset';
  }
}
