import type { Socket } from 'node:net';
import { NO_RESPONSE_EDIT } from '../headers.ts';
import type { Listener } from '../listeners.ts';
import { type OutageStatus, outageAnswer } from '../outage-answers.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { BodyReader } from './body.ts';
import { ClientExchange, type ExchangeOwner } from './client-exchange.ts';
import type { ClientPeer } from './client-peer.ts';
import { HeadIntake } from './head-intake.ts';
import { Http1RequestHead } from './message-head.ts';
import { Outlet } from './outlet.ts';
import type { RequestHeadReader } from './request-head.ts';
import { writeResponseHead } from './response-writer.ts';
import type { TurnTask } from './turn.ts';
import type { WireContext } from './wire-context.ts';

/** Before this age a head or a body is not asked how fast it comes: networks stumble. */
const RATE_AFTER_MS = 5_000;
/** How long, and how much, we still read after our last word: closing at once would take it back from the client. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 1_048_576;
/** What may lie here unread before the client has to wait. */
const READ_AHEAD_BYTES = 16_384;

/**
 * `idle`: between requests; `head`: a part of one has come; `exchange`: one is being served, and what follows waits;
 * `lingering`: our last word is said; `closed`.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'lingering' | 'closed';

export interface ConnectionOwner {
  accept(downstream: Downstream): void;
  refused(refusal: Refusal): void;
  closed(connection: ClientConnection): void;
}

/** One connection of a client: requests one after the other, answers in their order (RFC 9112 §9.3). */
export class ClientConnection implements ExchangeOwner, TurnTask {
  readonly outlet: Outlet;
  /** By which it came. */
  readonly listener: Listener;
  readonly #context: WireContext;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #peer: ClientPeer;
  readonly #intake = new HeadIntake();
  readonly #body = new BodyReader();
  #phase: Phase = 'idle';
  /** Coarse; when the phase began. */
  #since: number;
  #reader: RequestHeadReader | undefined = undefined;
  #exchange: ClientExchange | undefined = undefined;
  /** What has come and not been read yet; the first of them from `#at` on. */
  readonly #unread: Buffer[] = [];
  #at = 0;
  #unreadBytes = 0;
  #isReading = false;
  #isHeldBack = false;
  #clientEnded = false;
  #endIsDue = false;
  #lingered = 0;
  /** Requests so far. */
  #requests = 0;
  /** Of the present body: what came, and how long we stood there with open hands. */
  #bodyBytes = 0;
  #bodyMs = 0;
  #sweptAt: number;

  constructor(
    context: WireContext,
    owner: ConnectionOwner,
    socket: Socket,
    peer: ClientPeer,
    listener: Listener,
  ) {
    this.listener = listener;
    this.#context = context;
    this.#owner = owner;
    this.#socket = socket;
    this.#peer = peer;
    this.#since = context.coarseNow;
    this.#sweptAt = context.coarseNow;
    this.outlet = new Outlet(socket, context, () => this.#drained());
    socket.on('data', (chunk: Buffer) => this.#came(chunk));
    socket.on('end', () => this.#ended());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
  }

  // ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────

  #came(chunk: Buffer): void {
    const { turn, buffers } = this.#context;
    turn.begin();
    if (this.#phase === 'lingering') {
      this.#lingered += chunk.length;
      if (this.#lingered > LINGER_BYTES) this.#socket.destroy();
    } else {
      this.#unread.push(chunk);
      this.#unreadBytes += chunk.length;
      this.#read();
    }
    turn.end();
    buffers.lending = undefined;
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    let goesOn = true;
    while (goesOn && this.#unread.length > 0) {
      const chunk = this.#unread[0]!;
      const from = this.#at;
      goesOn = this.#step(chunk);
      this.#unreadBytes -= this.#at - from;
      if (this.#at < chunk.length) continue;
      this.#unread.shift();
      this.#at = 0;
    }
    this.#isReading = false;
    if (this.#endIsDue && this.#unread.length === 0) this.#endReached();
    this.#holdBack(this.#unreadBytes >= READ_AHEAD_BYTES);
  }

  /** Reads from the chunk as far as the phase wants it; false when it wants nothing more at the moment. */
  #step(chunk: Buffer): boolean {
    switch (this.#phase) {
      case 'idle':
      case 'head':
        this.#readHead(chunk);
        return true;
      case 'exchange':
        return this.#readBody(chunk, this.#exchange!);
      default:
        this.#at = chunk.length;
        return true;
    }
  }

  #readHead(chunk: Buffer): void {
    this.#reader ??= this.#context.takeReader();
    const reader = this.#reader;
    this.#at = this.#intake.take(reader, chunk, this.#at, chunk.length);
    if (reader.state === 'complete') this.#begin(reader);
    else if (reader.state === 'refused') this.#refuse(reader.refusal, 'a head we do not accept');
    else if (this.#phase === 'idle') this.#enter('head');
  }

  #begin(reader: RequestHeadReader): void {
    this.#enter('exchange');
    this.#requests += 1;
    this.#bodyBytes = 0;
    this.#bodyMs = 0;
    this.#body.begin(reader.bodyLength);
    const head = new Http1RequestHead(reader, this.#peer);
    this.#exchange = new ClientExchange(this.#context, this, head, reader, this.#body);
    this.#owner.accept(this.#exchange);
  }

  #readBody(chunk: Buffer, exchange: ClientExchange): boolean {
    if (exchange.paused) return false;
    if (!exchange.isTunnel && this.#body.state !== 'reading') return false;
    const from = this.#at;
    const { buffers } = this.#context;
    buffers.lendOwn(chunk);
    if (exchange.isTunnel) {
      this.#at = chunk.length;
      exchange.takeBody(from === 0 ? chunk : chunk.subarray(from));
    } else this.#at = this.#body.read(chunk, from, chunk.length, exchange);
    this.#bodyBytes += this.#at - from;
    buffers.finishedOwn(chunk, from, this.#at);
    if (exchange.isTunnel) return true;
    if (this.#body.state === 'broken') {
      exchange.bodyFailed(400, 'a malformed chunked body');
      return true;
    }
    if (this.#body.state === 'complete' && this.#exchange === exchange) exchange.bodyEnded();
    return true;
  }

  #holdBack(held: boolean): void {
    if (held === this.#isHeldBack || this.#phase === 'closed') return;
    this.#isHeldBack = held;
    if (held) this.#socket.pause();
    else this.#socket.resume();
  }

  #ended(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#clientEnded = true;
    this.#endIsDue = true;
    // A tunnel's bytes go before its end; anything else ends here and now.
    if (this.#unread.length === 0 || this.#exchange?.isTunnel !== true) this.#endReached();
    turn.end();
  }

  /** The client will say no more. Somebody who has asked and then goes is gone, as for nginx and Node. */
  #endReached(): void {
    const exchange = this.#exchange;
    this.#endIsDue = false;
    if (exchange === undefined) this.#socket.destroy();
    else if (exchange.isTunnel) exchange.bodyEnded();
    else if (!exchange.hasEnded) this.#socket.destroy();
  }

  /** The next answer is the last. */
  get isClosing(): boolean {
    return this.listener.isClosing;
  }

  get isLastExchange(): boolean {
    const { perConnection } = this.#context.settings.limits;
    return perConnection > 0 && this.#requests >= perConnection;
  }

  // ── the exchange ─────────────────────────────────────────────────────────────────────────────────────────────

  wantsBody(wanted: boolean): void {
    if (wanted) this.#read();
  }

  becomeTunnel(): void {
    this.#read();
  }

  endTunnel(): void {
    this.outlet.flush();
    this.#socket.end();
  }

  cut(reset: boolean): void {
    // TLS has an end of its own, which destroying it does not say.
    if (reset && !this.#peer.encrypted) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  answered(exchange: ClientExchange, closes: boolean): void {
    this.#exchange = undefined;
    this.#letReaderGo(exchange.reader);
    if (this.#phase === 'closed') return;
    if (closes || this.isClosing || this.#clientEnded) this.#linger();
    else {
      this.#enter('idle');
      this.#read();
    }
  }

  #drained(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#exchange?.drained();
    turn.end();
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers what cannot be offered to anybody, and takes nothing more from this client. */
  #refuse(status: OutageStatus, why: string): void {
    this.#owner.refused({ status, why, peer: this.#peer });
    const { head, body } = outageAnswer(status, undefined);
    const { date } = this.#context;
    writeResponseHead(this.outlet, head, NO_RESPONSE_EDIT, { lines: 'connection: close\r\n', date });
    this.outlet.send(body);
    this.#enter('lingering');
    this.#context.turn.atEnd(this);
  }

  turnEnded(): void {
    this.#linger();
  }

  #linger(): void {
    this.#enter('lingering');
    this.outlet.flush();
    this.#dropUnread();
    if (this.#clientEnded) this.#socket.destroySoon();
    else {
      this.#socket.end();
      this.#holdBack(false);
    }
  }

  /** Idle ones close now, the others say `connection: close` with their answer. */
  drain(): void {
    if (this.#phase === 'idle') this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  sweep(now: number): void {
    const age = now - this.#since;
    const { timeouts } = this.#context.settings;
    switch (this.#phase) {
      case 'idle':
        if (age > timeouts.clientKeepAliveMs) this.#socket.destroy();
        break;
      case 'head':
        if (age > timeouts.headerMs) this.#refuse(408, 'no whole head in time');
        else if (this.#isTooSlow(this.#intake.waiting, age)) this.#refuse(408, 'a head too slow');
        break;
      case 'exchange':
        this.#sweepBody(now - this.#sweptAt);
        break;
      case 'lingering':
        if (age > LINGER_MS) this.#socket.destroy();
        break;
    }
    this.#sweptAt = now;
  }

  /** Only the time counts that the client kept us waiting. Once there is an answer both may talk as slowly as they like. */
  #sweepBody(passedMs: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.paused || exchange.hasBegunAnswer) return;
    if (this.#body.state !== 'reading') return;
    this.#bodyMs += passedMs;
    if (this.#isTooSlow(this.#bodyBytes, this.#bodyMs)) exchange.bodyFailed(408, 'a body too slow');
  }

  #isTooSlow(bytes: number, ms: number): boolean {
    return ms > RATE_AFTER_MS && bytes * 1_000 < this.#context.settings.limits.minRate * ms;
  }

  #gone(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#enter('closed');
    this.outlet.gone();
    this.#dropUnread();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.gone();
    if (this.#reader !== undefined) this.#letReaderGo(this.#reader);
    this.#owner.closed(this);
    turn.end();
  }

  #letReaderGo(reader: RequestHeadReader): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#context.buffers.spoil(reader.fields.bytes, reader.start, reader.end);
    this.#context.giveReader(reader);
    this.#intake.release();
  }

  #dropUnread(): void {
    this.#unread.length = 0;
    this.#at = 0;
    this.#unreadBytes = 0;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#context.coarseNow;
  }
}
