import type { Socket } from 'node:net';
import { NO_RESPONSE_EDIT } from '../headers.ts';
import type { Listener } from '../listeners.ts';
import { type OutageStatus, outageAnswer } from '../outage-answers.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { BodyReader } from './body.ts';
import { ClientExchange, type ExchangeOwner } from './client-exchange.ts';
import { ClientInput, type InputReader } from './client-input.ts';
import type { ClientPeer } from './client-peer.ts';
import { ClientSource } from './client-source.ts';
import { HeadIntake } from './head-intake.ts';
import { Http1RequestHead } from './message-head.ts';
import { Outlet } from './outlet.ts';
import { BodyPace, isTooSlow } from './pace.ts';
import type { RequestHeadReader } from './request-head.ts';
import { writeResponseHead } from './response-writer.ts';
import type { TurnTask } from './turn.ts';
import type { WireContext } from './wire-context.ts';

/** How long, and how much, we still read after our last word: closing at once would take it back from the client. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 1_048_576;

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
export class ClientConnection implements ExchangeOwner, InputReader, TurnTask {
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
  readonly #input: ClientInput;
  #clientEnded = false;
  #endIsDue = false;
  #lingered = 0;
  /** Requests so far. */
  #requests = 0;
  readonly #bodyPace = new BodyPace();
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
    this.#input = new ClientInput(new ClientSource(socket, (chunk) => this.#came(chunk)), this);
    this.outlet = new Outlet(socket, context, () => this.#drained());
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
      this.#input.add(chunk);
      this.#read();
    }
    turn.end();
    buffers.lending = undefined;
  }

  #read(): void {
    this.#input.read();
    if (this.#endIsDue && this.#input.isEmpty) this.#endReached();
  }

  take(chunk: Buffer, at: number): number {
    switch (this.#phase) {
      case 'idle':
      case 'head':
        return this.#readHead(chunk, at);
      case 'exchange':
        return this.#readBody(chunk, at, this.#exchange!);
      default:
        return chunk.length;
    }
  }

  #readHead(chunk: Buffer, from: number): number {
    this.#reader ??= this.#context.takeReader();
    const reader = this.#reader;
    const to = this.#intake.take(reader, chunk, from, chunk.length);
    if (reader.state === 'complete') this.#begin(reader);
    else if (reader.state === 'refused') this.#refuse(reader.refusal, 'a head we do not accept');
    else if (this.#phase === 'idle') this.#enter('head');
    return to;
  }

  #begin(reader: RequestHeadReader): void {
    this.#enter('exchange');
    this.#requests += 1;
    this.#bodyPace.begin();
    this.#body.begin(reader.bodyLength);
    const head = new Http1RequestHead(reader, this.#peer);
    this.#exchange = new ClientExchange(this.#context, this, head, reader, this.#body);
    this.#owner.accept(this.#exchange);
  }

  #readBody(chunk: Buffer, from: number, exchange: ClientExchange): number {
    if (exchange.paused) return from;
    if (!exchange.isTunnel && this.#body.state !== 'reading') return from;
    const { buffers } = this.#context;
    let to = chunk.length;
    buffers.lendOwn(chunk);
    if (exchange.isTunnel) exchange.takeBody(from === 0 ? chunk : chunk.subarray(from));
    else to = this.#body.read(chunk, from, chunk.length, exchange);
    this.#bodyPace.came(to - from);
    buffers.finishedOwn(chunk, from, to);
    if (exchange.isTunnel) return to;
    if (this.#body.state === 'broken') exchange.bodyFailed(400, 'a malformed chunked body');
    else if (this.#body.state === 'complete' && this.#exchange === exchange) exchange.bodyEnded();
    return to;
  }

  #ended(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#clientEnded = true;
    this.#endIsDue = true;
    // A tunnel's bytes go before its end; anything else ends here and now.
    if (this.#input.isEmpty || this.#exchange?.isTunnel !== true) this.#endReached();
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
    this.outlet.end();
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
    this.#input.drop();
    this.outlet.end(this.#clientEnded);
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
    const { timeouts, limits } = this.#context.settings;
    switch (this.#phase) {
      case 'idle':
        if (age > timeouts.clientKeepAliveMs) this.#socket.destroy();
        break;
      case 'head':
        if (age > timeouts.headerMs) this.#refuse(408, 'no whole head in time');
        else if (isTooSlow(this.#intake.waiting, age, limits.minRate)) this.#refuse(408, 'a head too slow');
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
    this.#bodyPace.waited(passedMs);
    if (this.#bodyPace.isBelow(this.#context.settings.limits.minRate))
      exchange.bodyFailed(408, 'a body too slow');
  }

  #gone(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#enter('closed');
    this.outlet.gone();
    this.#input.drop();
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

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#context.coarseNow;
  }
}
