import { passingTrailers, type ResponseEdit } from './headers.ts';
import { type OutageStatus, outageAnswer } from './outage-answers.ts';
import type { Page } from './outage-pages.ts';
import type { Pipeline } from './pipeline.ts';
import { RequestBody } from './request-body.ts';
import { Tunnel } from './tunnel.ts';
import {
  type Downstream,
  ERR,
  type Failure,
  type FlatHeaders,
  QUEUED,
  type ResponseHead,
  type Upstream,
} from './wire.ts';

/** Interim answers a request may have: hints come once or twice, and what comes without end is no answer. */
const MAX_INTERIM = 20;

/** How long both ends of a tunnel have after they were told to close it. */
export const CLOSING_MS = 1_000;

export const TOO_MANY_INTERIM: Failure = {
  kind: 'failed',
  class: 'protocol',
  delivered: true,
  stale: false,
  detail: 'interim answers without end',
};

/** The bytes of an exchange, both ways and with back-pressure. What to do when it fails is not its question. */
export class Transfer {
  /** What the client has been told: 0 until a head went out. */
  status = 0;
  /** All of the answer has come; it may still be on its way to the client. */
  ended = false;
  /** Bytes of the answer's body, as far as it came. */
  bytes = 0;
  /** The client does not take the answer as fast as it comes. */
  waitsForClient = false;
  /** When something last moved, in coarse time. */
  touchedAt = 0;
  /** Undefined when the request has none. */
  readonly body: RequestBody | undefined;
  readonly #pipeline: Pipeline;
  readonly #downstream: Downstream;
  #upstream: Upstream | undefined;
  #endless = false;
  #interim = 0;
  /** Of the answer. */
  #trailers: FlatHeaders | undefined;
  #cutAt = Number.POSITIVE_INFINITY;
  #tunnel: Tunnel | undefined;

  constructor(pipeline: Pipeline, downstream: Downstream) {
    this.#pipeline = pipeline;
    this.#downstream = downstream;
    if (downstream.head.bodyLength !== 0) this.body = new RequestBody(pipeline.settings.limits.replayBytes);
  }

  /** From here on both bodies are raw bytes. */
  get isTunnel(): boolean {
    return this.status === 101;
  }

  /** A tunnel or an event stream: it ends when somebody ends it. */
  get isEndless(): boolean {
    return this.#endless;
  }

  touch(): void {
    this.touchedAt = this.#pipeline.coarseNow;
  }

  // ── client → origin ──────────────────────────────────────────────────────────────────────────────────────────

  /** What came of the body so far goes there, and the rest as it comes. */
  connect(upstream: Upstream): void {
    this.touch();
    this.ended = false;
    this.#upstream = upstream;
    const { body } = this;
    if (body === undefined) return;
    body.blocked = false;
    for (const chunk of body.kept) {
      if (upstream.write(chunk) === QUEUED) body.blocked = true;
    }
    if (body.ended) upstream.end(body.trailers);
    else if (body.blocked) this.#downstream.pause();
    else this.#downstream.resume();
  }

  /** What comes now is kept for the next one, as far as it may be. */
  disconnect(): void {
    this.#upstream = undefined;
  }

  /** False when the body has outgrown what we accept. */
  fromClient(chunk: Uint8Array): boolean {
    this.touch();
    const { body } = this;
    if (body !== undefined) {
      body.add(chunk);
      if (body.bytes > this.#pipeline.settings.limits.bodyBytes) return false;
    }
    const written =
      this.#tunnel === undefined ? this.#upstream?.write(chunk) : this.#tunnel.toOrigin.pass(chunk);
    if (written === QUEUED) {
      if (body !== undefined) body.blocked = true;
      this.#downstream.pause();
    }
    return true;
  }

  clientEnded(trailers: FlatHeaders | undefined): void {
    const passing = passingTrailers(this.#downstream.head, trailers);
    if (this.body !== undefined) {
      this.body.ended = true;
      this.body.trailers = passing;
    }
    if (this.#tunnel !== undefined) this.#tunnel.toOrigin.end();
    else this.#upstream?.end(passing);
  }

  originDrained(): void {
    this.touch();
    if (this.body !== undefined) this.body.blocked = false;
    this.#downstream.resume();
  }

  // ── origin → client ──────────────────────────────────────────────────────────────────────────────────────────

  /** A 1xx. False when there are too many. */
  inform(head: ResponseHead): boolean {
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM) return false;
    this.#downstream.inform(head);
    return true;
  }

  /** False when the head holds a value that would split the message; then nothing has been said. */
  relay(head: ResponseHead, edit: ResponseEdit): boolean {
    this.touch();
    this.body?.drop();
    if (!this.#downstream.respond(head, edit)) return false;
    this.status = head.status;
    this.#endless = head.status === 101 || head.isEventStream;
    if (this.isTunnel && this.#upstream !== undefined) {
      const { random, settings } = this.#pipeline;
      const { upgradeMs } = settings.timeouts;
      this.#tunnel = new Tunnel(this.#downstream, this.#upstream, random);
      if (upgradeMs > 0) this.#cutAt = this.touchedAt + upgradeMs;
      this.#downstream.resume();
    }
    return true;
  }

  /** Our own answer, whole. */
  say(
    status: OutageStatus,
    retryAfterS: number | undefined,
    edit: ResponseEdit,
    allow?: string,
    page?: Page,
  ): void {
    const { head, body } = outageAnswer(status, this.#downstream.head, retryAfterS, allow, page);
    this.touch();
    this.body?.drop();
    this.status = status;
    this.ended = true;
    this.bytes = body.length;
    this.#downstream.respond(head, edit);
    this.#downstream.write(body);
    this.#downstream.end(undefined);
  }

  /** After the head of an answer that was held back: what follows it. */
  release(): void {
    if (this.ended) this.#downstream.end(this.#trailers);
    else this.#upstream?.resume();
  }

  fromOrigin(chunk: Uint8Array): void {
    this.touch();
    this.bytes += chunk.length;
    const written = this.#tunnel?.toClient.pass(chunk) ?? this.#downstream.write(chunk);
    if (written === QUEUED) {
      this.waitsForClient = true;
      this.#upstream?.pause();
    } else if (written === ERR) this.#upstream?.abort();
  }

  clientDrained(): void {
    this.touch();
    this.waitsForClient = false;
    this.#upstream?.resume();
  }

  /** While nothing has been said it is the end of an answer that is held back. */
  originEnded(trailers: FlatHeaders | undefined): void {
    this.ended = true;
    this.#trailers = passingTrailers(this.#downstream.head, trailers);
    if (this.#tunnel !== undefined) this.#tunnel.toClient.end();
    else if (this.status !== 0) this.#downstream.end(this.#trailers);
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The origin has left the table: what has no end of its own lasts until then. */
  cutBy(at: number): void {
    if (this.#endless) this.#cutAt = Math.min(this.#cutAt, at);
  }

  /**
   * A tunnel is not cut without a word: both sides are told, and have a moment to end by themselves. False when there
   * is no tunnel, or it has been told already.
   */
  goAway(now: number): boolean {
    if (this.#tunnel === undefined || this.#tunnel.isClosing) return false;
    this.#tunnel.goAway();
    this.#cutAt = now + CLOSING_MS;
    return true;
  }

  isOverdue(now: number): boolean {
    if (this.#tunnel?.isClosing === true) return now >= this.#cutAt;
    return now >= this.#cutAt || now - this.touchedAt > this.#pipeline.settings.timeouts.idleMs;
  }

  /** The status for the counters: 0 when the client did not get all of an answer. */
  finalStatus(complete: boolean): number {
    return this.isTunnel || (complete && this.ended) ? this.status : 0;
  }
}
