import type { PlatformName } from '../core/ids.ts';
import { Attempt } from './attempt.ts';
import { type Candidate, isWorthWaiting, nextAttempt, soundAttempt } from './attempts.ts';
import { loops, type ResponseEdit } from './headers.ts';
import type { Lane } from './lane.ts';
import { maxForwards } from './max-forwards.ts';
import type { OutageStatus } from './outage-answers.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import { type Recoverable, Recovery } from './recovery.ts';
import type { RequestRecord } from './request-record.ts';
import { FLAG, flagOf } from './response-flags.ts';
import { isReplayable } from './retry-rules.ts';
import { meaningOf } from './router-errors.ts';
import {
  type CompiledRoute,
  type CompiledTarget,
  leadsElsewhere,
  matchRoute,
  type RouteSessions,
  responseEdit,
  secondsUntilTrial,
} from './routes.ts';
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
import { type CompiledWrites, isUnsafe, NO_WRITER_RETRY_S, SAFE_METHODS } from './writes.ts';

/**
 * Where an exchange is: `attempting` on an origin with no answer yet, `waiting` until the retry budget or an origin has room,
 * `answering` (the client has seen a head: nothing can be replayed any more), or `closed`.
 */
type Phase = 'routing' | 'attempting' | 'waiting' | 'answering' | 'closed';

const NOWHERE: readonly Lane[] = [];

/** One request from head to last byte: route → attempts → gate → forward → outcome. */
export class Exchange implements DownstreamHandler, UpstreamHandler, Recoverable {
  replayable = false;
  /** For `OpenExchanges`. */
  slot = -1;
  /** The one under way; undefined between two and after the last. */
  attempt: Attempt | undefined;
  /** What will be told of it: who, where to, how it went. */
  readonly record: RequestRecord;
  readonly #pipeline: Pipeline;
  readonly #downstream: Downstream;
  readonly #head: RequestHead;
  readonly #transfer: Transfer;
  /** From the first failure on. */
  #recovery: Recovery | undefined;
  #phase: Phase = 'routing';
  /** We ended it ourselves, not the client. */
  #isCut = false;
  /** The platform where the client has its session. */
  #belongsTo: PlatformName | undefined = undefined;
  /** Of the writer, when it is for the writer alone. */
  #epoch = 0;

  constructor(pipeline: Pipeline, downstream: Downstream) {
    this.#pipeline = pipeline;
    this.#downstream = downstream;
    this.#head = downstream.head;
    this.#transfer = new Transfer(pipeline, downstream);
    this.record = pipeline.reception.receive(downstream.head, pipeline.now());
    downstream.attach(this);
  }

  // ── route → attempts → gate ──────────────────────────────────────────────────────────────────────────────────

  begin(): void {
    const { method, bodyLength } = this.#head;
    if (method === 'TRACE') this.say(405, 'TRACE is not served', FLAG.DPE);
    else if (bodyLength > this.#pipeline.settings.limits.bodyBytes)
      this.say(413, 'announced over the limit', FLAG.BL);
    else if (loops(this.#head, this.record.marks.via)) this.say(508, 'it has been here already', FLAG.LD);
    else if (leadsElsewhere(this.#pipeline.table, this.#head))
      this.say(400, 'a path that leads elsewhere once it is normalised', FLAG.DPE);
    else if (method === 'OPTIONS') this.#forwardOptions();
    else this.#choose(this.#match());
  }

  /** It may ask how far its way is, and then the last of us answers. */
  #forwardOptions(): void {
    const left = maxForwards(this.#head);
    if (left === 0) this.say(200, 'it was to go no further');
    else if (Number.isNaN(left)) this.say(400, 'a malformed Max-Forwards', FLAG.DPE);
    else this.#choose(this.#match());
  }

  #choose(route: CompiledRoute | undefined): void {
    const { table } = this.#pipeline;
    this.record.route = route;
    if (route === undefined) {
      // Without any table yet every address is unknown, and will be known in a moment.
      this.say(table.version === 0 ? 503 : 404, 'no route leads there', FLAG.NR);
      return;
    }
    const wait = route.rateLimit === undefined ? 0 : this.#overLimit(route);
    if (wait > 0) {
      this.say(429, 'over the rate limit of its client', FLAG.RL, Math.ceil(wait / 1_000));
      return;
    }
    if (route.tally.sheds(route.shed, this.#pipeline.random)) {
      // Not all of them may come again in the same second.
      const retryAfterS = 1 + Math.floor(this.#pipeline.random() * 10);
      this.say(503, 'there is no capacity for it', FLAG.OM, retryAfterS);
      return;
    }
    const way = route.writes === undefined ? route : this.#wayToWriter(route, route.writes);
    if (way === undefined) return;
    if (route.sessions !== undefined) this.#belongsTo = this.#sessionOf(route.sessions, route);
    this.replayable = isReplayable(this.#head, route.idempotentToo);
    const candidate = this.candidate(way, NOWHERE);
    if (candidate !== undefined) this.forward(candidate, false);
    else if (isWorthWaiting(way, { tried: NOWHERE })) this.#recover().allFull();
    else this.say(503, 'no origin may be tried', FLAG.UH);
  }

  /** Undefined: it was told that it goes nowhere. */
  #wayToWriter(route: CompiledRoute, { kind, way, epoch }: CompiledWrites): CompiledRoute | undefined {
    if (!isUnsafe(this.#head.method)) return route;
    this.#epoch = epoch;
    if (kind === 'none') this.say(405, 'nobody takes writes here', FLAG.DPE, undefined, SAFE_METHODS);
    else if (way === undefined) this.say(503, 'there is no writer', FLAG.NW, NO_WRITER_RETRY_S);
    return way;
  }

  #overLimit(route: CompiledRoute): number {
    const { rateLimits } = this.#pipeline;
    return rateLimits.take(route, this.#head, this.record.client.address, this.#pipeline.now());
  }

  #sessionOf({ platforms }: RouteSessions, { application }: CompiledRoute): PlatformName | undefined {
    const cookie = this.#head.field('cookie');
    return cookie === undefined
      ? undefined
      : this.#pipeline.affinity.platformOf(cookie, application, platforms);
  }

  candidate(route: CompiledRoute, tried: readonly Lane[]): Candidate | undefined {
    const { random } = this.#pipeline;
    const wish = { now: this.#pipeline.now(), replayable: this.replayable, tried };
    const own = this.#staying(route);
    return (own && soundAttempt(own, wish, random)) ?? nextAttempt(route, wish, random);
  }

  /** The part of the route that a client with a session keeps to, as long as it may. */
  #staying(route: CompiledRoute): CompiledRoute | undefined {
    return this.#belongsTo === undefined ? undefined : route.sessions?.staying.get(this.#belongsTo);
  }

  targetOf(lane: Lane): CompiledTarget | undefined {
    const route = this.route();
    if (route === undefined) return undefined;
    const has = ({ lanes }: CompiledTarget): boolean => lanes.includes(lane);
    return route.targets.find(has) ?? this.#staying(route)?.targets.find(has);
  }

  #match(): CompiledRoute | undefined {
    return matchRoute(this.#pipeline.table, this.#head);
  }

  /** An unsafe request has no way but to the writer it came for: the next one may know of it already. */
  route(): CompiledRoute | undefined {
    const route = this.#match();
    if (route?.writes === undefined || !isUnsafe(this.#head.method)) return route;
    return route.writes.epoch === this.#epoch ? route.writes.way : undefined;
  }

  // ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────

  forward(candidate: Candidate, fresh: boolean): void {
    this.#phase = 'attempting';
    const { record } = this;
    record.target = candidate.target;
    this.attempt = new Attempt(
      this.#pipeline,
      candidate,
      {
        head: this.#head,
        stamp: record,
        fresh,
        once: !this.replayable,
        isFirst: this.#recovery?.hasMovedOn !== true,
      },
      this,
    );
    if (this.#pipeline.notesAttempts) record.attempted(candidate.lane.id, this.attempt.startedAt);
    this.#transfer.connect(this.attempt.upstream);
  }

  onBody(chunk: Uint8Array): void {
    if (this.#transfer.fromClient(chunk)) return;
    this.leave('aborted');
    if (this.#phase === 'answering') this.#cut(FLAG.BL);
    else this.say(413, 'a body over the limit', FLAG.BL);
  }

  onBodyEnd(trailers: FlatHeaders | undefined): void {
    this.#transfer.clientEnded(trailers);
  }

  /** Where this request ends nobody knows: neither side may take it for a whole one. */
  onBodyFault(status: 400 | 408, why: string): void {
    this.leave('aborted');
    const flag = status === 408 ? FLAG.DT : FLAG.DPE;
    if (this.#phase === 'answering') this.#cut(flag);
    else this.say(status, why, flag);
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
    if (this.#transfer.relay(head, this.#edit(this.attempt?.target, this.#sessionCookie(head)))) {
      this.record.headAt = this.#pipeline.now();
      if (this.#transfer.isTunnel) this.#pipeline.counters.upgrades += 1;
      return true;
    }
    this.attempt?.blame(true);
    this.leave('reset');
    this.say(502, 'a field value that would split the answer', FLAG.UPE);
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

  /**
   * For a client without one, or whose platform may keep its clients no more. Who was only served elsewhere for once
   * stays where its session is; and an error is nothing to bind anybody to.
   */
  #sessionCookie({ status }: ResponseHead): string | undefined {
    const { route, client } = this.record;
    const platform = this.attempt?.target.platform;
    const { sessions } = route ?? {};
    if (route === undefined || sessions === undefined || platform === undefined || status >= 500)
      return undefined;
    if (this.#belongsTo === platform) return undefined;
    if (this.#belongsTo !== undefined) {
      if (sessions.staying.has(this.#belongsTo)) return undefined;
      this.record.flags |= FLAG.AM;
    }
    const secure = client.proto === 'https';
    return this.#pipeline.affinity.setCookie(route.application, platform, { path: route.path, secure });
  }

  #edit(target: CompiledTarget | undefined, setCookie: string | undefined): ResponseEdit {
    return responseEdit(this.#head, this.record, target, this.record.route, setCookie);
  }

  say(status: OutageStatus, why: string, flag = 0, retryAfterS?: number, allow?: string): void {
    this.#phase = 'answering';
    this.#recovery?.over();
    this.#pipeline.refused(this.#head, status, why);
    this.record.flags |= flag;
    this.record.headAt = this.#pipeline.now();
    this.#transfer.say(
      status,
      retryAfterS ?? (status === 503 ? secondsUntilTrial(this.route(), this.record.headAt) : undefined),
      this.#edit(undefined, undefined),
      allow,
      this.#pipeline.pages.of(this.record.route?.application, status),
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
      if (!this.#transfer.isTunnel) attempt.blame(true);
      this.leave('reset');
      this.#cut(flagOf(outcome));
    }
  }

  /** The client has a part of the answer and must be able to tell that it is not whole. */
  #cut(flag: number): void {
    this.#isCut = true;
    this.record.flags |= flag;
    this.#downstream.abort();
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
    if (attempt === undefined) return;
    attempt.leave(outcome);
    if (this.#pipeline.notesAttempts) this.record.left(outcome, this.#pipeline.now());
    this.#pipeline.places.freed(attempt.lane);
  }

  onClose(complete: boolean): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    const { counters } = this.#pipeline;
    if (this.#transfer.isTunnel) counters.upgrades -= 1;
    this.leave(this.#transfer.isTunnel ? 'ok' : 'aborted');
    this.#recovery?.over();
    this.#pipeline.finished(this, this.#closeRecord(complete));
  }

  #closeRecord(complete: boolean): RequestRecord {
    const { record } = this;
    const transfer = this.#transfer;
    record.status = transfer.status;
    record.complete = transfer.finalStatus(complete) !== 0;
    record.isEndless = transfer.isEndless;
    record.sent = transfer.bytes;
    record.received = transfer.body?.bytes ?? 0;
    record.endedAt = this.#pipeline.now();
    if (!record.complete && !this.#isCut) record.flags |= FLAG.DC;
    return record;
  }

  // ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Called every few milliseconds instead of a timer a request. */
  sweep(now: number): void {
    if (this.#phase === 'attempting') this.#sweepAttempt(now);
    else if (this.#phase === 'waiting') this.#recovery?.sweep(now);
    else if (this.#phase === 'answering' && this.#transfer.isOverdue(now)) {
      if (this.#transfer.goAway(now)) return;
      // A client that does not read says nothing about the origin.
      const endsWell = this.#transfer.isEndless ? 'ok' : 'timeout';
      this.leave(this.#transfer.waitsForClient ? 'aborted' : endsWell);
      this.#cut(this.#transfer.waitsForClient ? FLAG.DT : this.#transfer.isEndless ? FLAG.SD : FLAG.UT);
    }
  }

  #sweepAttempt(now: number): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    if (attempt.waited(now) > this.#pipeline.settings.timeouts.headMs) {
      attempt.blame(true);
      this.leave('timeout');
      this.say(504, 'no head in time', FLAG.UT);
    } else if (attempt.isSent) attempt.suspect(now, this.#head.host);
    else if (this.#transfer.isOverdue(now)) {
      // An upload stands still: whose turn is it?
      const origins = this.#transfer.body?.blocked === true;
      this.leave(origins ? 'timeout' : 'aborted');
      this.say(origins ? 504 : 408, 'the upload stands still', origins ? FLAG.UT : FLAG.DT);
    }
  }

  /** The origin has stalled. An upload that is still under way stays: it may only be long. */
  evacuate(): void {
    if (this.attempt !== undefined && this.#isOwedHead(this.attempt))
      this.#recover().afterStall(this.attempt);
  }

  /** The same is to come. If it may go elsewhere it counts as failed from now on, whatever becomes of it. */
  giveUpOn(): void {
    const { attempt } = this;
    if (attempt !== undefined && this.#isOwedHead(attempt) && this.#recover().maySendAgain(attempt))
      attempt.countAs('timeout');
  }

  #isOwedHead({ isSent, upstream }: Attempt): boolean {
    return this.#phase === 'attempting' && (isSent || !upstream.delivered);
  }

  /** The origin has left the table. */
  cutBy(at: number): void {
    this.#transfer.cutBy(at);
  }

  /** The worker stops soon. True when that needs a moment. */
  goAway(): boolean {
    return this.#transfer.goAway(this.#pipeline.coarseNow);
  }

  /** The worker stops now. */
  abort(): void {
    this.leave('aborted');
    this.#cut(FLAG.SD);
  }
}
