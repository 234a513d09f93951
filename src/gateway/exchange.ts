import { Attempt } from './attempt.ts';
import { type Candidate, nextAttempt } from './attempts.ts';
import { loops } from './headers.ts';
import type { Lane } from './lane.ts';
import { maxForwards } from './max-forwards.ts';
import type { OutageStatus } from './outage-answers.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import { type Recoverable, Recovery } from './recovery.ts';
import { isReplayable } from './retry-rules.ts';
import { meaningOf } from './router-errors.ts';
import { type CompiledRoute, matchRoute, responseEdit, secondsUntilTrial } from './routes.ts';
import { TOO_MANY_INTERIM, Transfer } from './transfer.ts';
import type {
  Downstream,
  DownstreamHandler,
  FlatHeaders,
  Outcome,
  RequestHead,
  ResponseHead,
  UpstreamHandler,
} from './wire.ts';

/**
 * Where an exchange is: `attempting` on an origin with no answer yet, `waiting` until the retry budget has room,
 * `answering` (the client has seen a head: nothing can be replayed any more), or `closed`.
 */
type Phase = 'routing' | 'attempting' | 'waiting' | 'answering' | 'closed';

const NOWHERE: readonly Lane[] = [];

/** One request from head to last byte: route → attempts → gate → forward → outcome. */
export class Exchange implements DownstreamHandler, UpstreamHandler, Recoverable {
  replayable = false;
  /** The one under way; undefined between two and after the last. */
  attempt: Attempt | undefined;
  readonly #pipeline: Pipeline;
  readonly #downstream: Downstream;
  readonly #head: RequestHead;
  readonly #transfer: Transfer;
  /** From the first failure on. */
  #recovery: Recovery | undefined;
  #phase: Phase = 'routing';

  constructor(pipeline: Pipeline, downstream: Downstream) {
    this.#pipeline = pipeline;
    this.#downstream = downstream;
    this.#head = downstream.head;
    this.#transfer = new Transfer(pipeline, downstream);
    downstream.attach(this);
  }

  // ── route → attempts → gate ──────────────────────────────────────────────────────────────────────────────────

  begin(): void {
    const { method, bodyLength } = this.#head;
    if (method === 'TRACE') this.say(405, 'TRACE is not served');
    else if (bodyLength > this.#pipeline.settings.limits.bodyBytes) this.say(413, 'announced over the limit');
    else if (loops(this.#head)) this.say(508, 'it has been here already');
    else if (method === 'OPTIONS') this.#forwardOptions();
    else this.#choose(this.route());
  }

  /** It may ask how far its way is, and then the last of us answers. */
  #forwardOptions(): void {
    const left = maxForwards(this.#head);
    if (left === 0) this.say(200, 'it was to go no further');
    else if (Number.isNaN(left)) this.say(400, 'a malformed Max-Forwards');
    else this.#choose(this.route());
  }

  #choose(route: CompiledRoute | undefined): void {
    const { table, random } = this.#pipeline;
    if (route === undefined) {
      // Without any table yet every address is unknown, and will be known in a moment.
      this.say(table.version === 0 ? 503 : 404, 'no route leads there');
      return;
    }
    this.replayable = isReplayable(this.#head, route.idempotentToo);
    const wish = { now: this.#pipeline.now(), replayable: this.replayable, tried: NOWHERE };
    const candidate = nextAttempt(route, wish, random);
    if (candidate === undefined) this.say(503, 'no origin may be tried');
    else this.forward(candidate, false);
  }

  route(): CompiledRoute | undefined {
    return matchRoute(this.#pipeline.table, this.#head.host, this.#head.target);
  }

  // ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────

  forward(candidate: Candidate, fresh: boolean): void {
    this.#phase = 'attempting';
    this.attempt = new Attempt(this.#pipeline, candidate, { head: this.#head, fresh }, this);
    this.#transfer.connect(this.attempt.upstream);
  }

  onBody(chunk: Uint8Array): void {
    if (this.#transfer.fromClient(chunk)) return;
    this.leave('aborted');
    if (this.#phase === 'answering') this.#downstream.abort();
    else this.say(413, 'a body over the limit');
  }

  onBodyEnd(trailers: FlatHeaders | undefined): void {
    this.#transfer.clientEnded(trailers);
  }

  /** Where this request ends nobody knows: neither side may take it for a whole one. */
  onBodyFault(status: 400 | 408, why: string): void {
    this.leave('aborted');
    if (this.#phase === 'answering') this.#downstream.abort();
    else this.say(status, why);
  }

  onOriginDrain(): void {
    this.#transfer.originDrained();
  }

  onSent(): void {
    this.attempt?.sent();
  }

  get bodyWhole(): boolean {
    return this.#transfer.body?.whole ?? true;
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  onInform(head: ResponseHead): void {
    if (!this.#transfer.inform(head)) this.onOutcome(TOO_MANY_INTERIM);
  }

  onHead(head: ResponseHead): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    const meaning = meaningOf(head);
    attempt.judge(head.status, meaning);
    if (meaning === 'answer' || !this.#recover().afterHead(attempt, head, meaning === 'unserved')) {
      this.#relay(head);
    }
  }

  #relay(head: ResponseHead): boolean {
    this.#phase = 'answering';
    this.#recovery?.over();
    if (this.#transfer.relay(head, responseEdit(this.#head, this.attempt?.target, this.route()))) {
      if (this.#transfer.isTunnel) this.#pipeline.counters.upgrades += 1;
      return true;
    }
    this.attempt?.blame(true);
    this.leave('reset');
    this.say(502, 'a field value that would split the answer');
    return false;
  }

  onChunk(chunk: Uint8Array): void {
    this.#transfer.fromOrigin(chunk);
  }

  onClientDrain(): void {
    this.#transfer.clientDrained();
  }

  onEnd(trailers: FlatHeaders | undefined): void {
    this.#transfer.originEnded(trailers);
  }

  /** Held back until now. */
  answer(head: ResponseHead): void {
    if (this.#relay(head)) this.#transfer.release();
  }

  say(status: OutageStatus, why: string): void {
    this.#phase = 'answering';
    this.#recovery?.over();
    this.#pipeline.refused(this.#head, status, why);
    this.#transfer.say(
      status,
      status === 503 ? secondsUntilTrial(this.route(), this.#pipeline.now()) : undefined,
    );
  }

  // ── outcome ──────────────────────────────────────────────────────────────────────────────────────────────────

  onOutcome(outcome: Outcome): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    if (this.#phase === 'waiting') this.#recovery?.heldEnded(outcome);
    else if (outcome.kind === 'complete') this.leave(this.#transfer.status >= 500 ? 'status5xx' : 'ok');
    else if (this.#phase === 'attempting') this.#recover().afterFailure(attempt, outcome);
    else {
      // The client has a part of the answer and must be able to tell.
      if (!this.#transfer.isTunnel) attempt.blame(true);
      this.leave('reset');
      this.#downstream.abort();
    }
  }

  #recover(): Recovery {
    this.#recovery ??= new Recovery(this.#pipeline, this);
    return this.#recovery;
  }

  pause(): void {
    this.#phase = 'waiting';
    this.#downstream.pause();
  }

  leave(outcome: OutcomeClass | undefined): void {
    const { attempt } = this;
    this.attempt = undefined;
    this.#transfer.disconnect();
    attempt?.leave(outcome);
  }

  onClose(complete: boolean): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    const { counters } = this.#pipeline;
    if (this.#transfer.isTunnel) counters.upgrades -= 1;
    this.leave(this.#transfer.isTunnel ? 'ok' : 'aborted');
    this.#recovery?.over();
    counters.finished(this.#transfer.finalStatus(complete));
    this.#pipeline.finished(this);
  }

  // ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Called every few milliseconds instead of a timer a request. */
  sweep(now: number): void {
    if (this.#phase === 'attempting') this.#sweepAttempt(now);
    else if (this.#phase === 'waiting') this.#recovery?.sweep(now);
    else if (this.#phase === 'answering' && this.#transfer.isOverdue(now)) {
      // A client that does not read says nothing about the origin.
      const endsWell = this.#transfer.isEndless ? 'ok' : 'timeout';
      this.leave(this.#transfer.waitsForClient ? 'aborted' : endsWell);
      this.#downstream.abort();
    }
  }

  #sweepAttempt(now: number): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    if (attempt.waited(now) > this.#pipeline.settings.timeouts.headMs) {
      attempt.blame(true);
      this.leave('timeout');
      this.say(504, 'no head in time');
    } else if (attempt.isSent) attempt.suspect(now, this.#head.host);
    else if (this.#transfer.isOverdue(now)) {
      // An upload stands still: whose turn is it?
      const origins = this.#transfer.body?.blocked === true;
      this.leave(origins ? 'timeout' : 'aborted');
      this.say(origins ? 504 : 408, 'the upload stands still');
    }
  }

  /** The origin has stalled. An upload that is still under way stays: it may only be long. */
  evacuate(): void {
    const { attempt } = this;
    if (attempt === undefined || this.#phase !== 'attempting') return;
    if (attempt.isSent || !attempt.upstream.delivered) this.#recover().afterStall(attempt);
  }

  /** The origin has left the table. */
  cutBy(at: number): void {
    this.#transfer.cutBy(at);
  }

  /** The worker stops now. */
  abort(): void {
    this.leave('aborted');
    this.#downstream.abort();
  }
}
