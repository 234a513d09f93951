import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import { NO_RESPONSE_EDIT } from '../headers.ts';
import type { ClientPeer } from '../http1/client-peer.ts';
import type { WireContext } from '../http1/wire-context.ts';
import type { Listener } from '../listeners.ts';
import { type OutageStatus, outageAnswer } from '../outage-answers.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { Rate } from './rate.ts';
import { Http2RequestHead, readRequest } from './request-head.ts';
import { responseFields } from './response-fields.ts';
import { StreamExchange, type StreamOwner } from './stream-exchange.ts';

/** How long a connection may take to end once it was told to, and carries nothing. */
const GOODBYE_MS = 2_000;

export interface SessionOwner {
  accept(downstream: Downstream): void;
  refused(refusal: Refusal): void;
  closed(session: ClientSession): void;
}

/** One connection of a client by HTTP/2, and what we put up with on it. */
export class ClientSession implements StreamOwner {
  readonly listener: Listener;
  readonly #context: WireContext;
  readonly #owner: SessionOwner;
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #peer: ClientPeer;
  readonly #streams = new Set<StreamExchange>();
  readonly #resets: Rate;
  readonly #control: Rate;
  #open = 0;
  #requests = 0;
  /** Coarse; since when there is no stream. */
  #idleSince: number;
  #saidGoodbye = false;

  constructor(
    context: WireContext,
    owner: SessionOwner,
    session: ServerHttp2Session,
    {
      socket,
      peer,
      listener,
    }: { readonly socket: Socket; readonly peer: ClientPeer; readonly listener: Listener },
  ) {
    const { resetsPerSecond, controlFramesPerSecond } = context.settings.http2;
    this.#context = context;
    this.#owner = owner;
    this.#session = session;
    this.#socket = socket;
    this.#peer = peer;
    this.listener = listener;
    this.#resets = new Rate(resetsPerSecond);
    this.#control = new Rate(controlFramesPerSecond);
    this.#idleSince = context.coarseNow;
    session.on(
      'stream',
      (stream: ServerHttp2Stream, _fields: IncomingHttpHeaders, flags: number, raw: string[]) =>
        this.#came(stream, flags, raw),
    );
    session.on('ping', () => this.#controlled());
    session.on('remoteSettings', () => this.#controlled());
    session.on('error', () => socket.destroy());
    session.on('close', () => owner.closed(this));
  }

  // ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────

  #came(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    this.#open += 1;
    this.#requests += 1;
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const reader = this.#context.takeReader();
    const refusal = readRequest(reader, { raw, endStream });
    if (refusal !== undefined) {
      this.#context.giveReader(reader);
      this.#refuse(stream, refusal, endStream);
      return;
    }
    const head = new Http2RequestHead(reader, this.#peer);
    const exchange = new StreamExchange(this.#context, this, stream, head, reader, endStream);
    this.#streams.add(exchange);
    const { turn } = this.#context;
    turn.begin();
    this.#owner.accept(exchange);
    turn.end();
    const { perConnection } = this.#context.settings.limits;
    if (perConnection > 0 && this.#requests >= perConnection) this.drain();
  }

  /** Nothing more comes of a stream, nor goes. */
  streamClosed(exchange: StreamExchange | undefined): void {
    if (exchange !== undefined) this.#streams.delete(exchange);
    this.#open -= 1;
    if (this.#open === 0) this.#idleSince = this.#context.coarseNow;
  }

  /** Answers what cannot be offered to anybody; the other streams go on. */
  #refuse(stream: ServerHttp2Stream, status: OutageStatus, endStream: boolean): void {
    this.#owner.refused({ status, why: 'a head we do not accept', peer: this.#peer });
    const { head, body } = outageAnswer(status, undefined);
    stream.on('error', () => undefined);
    stream.on('close', () => this.streamClosed(undefined));
    stream.respond(responseFields(head, NO_RESPONSE_EDIT) ?? { ':status': status });
    stream.end(body);
    if (endStream) return;
    stream.resume();
    stream.on('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  // ── what we put up with ──────────────────────────────────────────────────────────────────────────────────────

  /** Opening streams and taking them back costs the client nothing and us a request each (CVE-2023-44487). */
  wasReset(): void {
    if (this.#resets.exceeds(this.#context.coarseNow)) this.destroy();
  }

  #controlled(): void {
    if (this.#control.exceeds(this.#context.coarseNow)) this.destroy();
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** GOAWAY: what it carries goes on, and what comes after was never looked at, so that it can be sent elsewhere. */
  drain(): void {
    if (this.#saidGoodbye) return;
    this.#saidGoodbye = true;
    this.#idleSince = this.#context.coarseNow;
    if (!this.#session.destroyed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  sweep(now: number, passedMs: number): void {
    for (const stream of this.#streams) stream.sweep(passedMs);
    if (this.#open > 0) return;
    const idleMs = now - this.#idleSince;
    if (this.#saidGoodbye) {
      if (idleMs > GOODBYE_MS) this.destroy();
    } else if (idleMs > this.#context.settings.timeouts.clientKeepAliveMs) this.drain();
  }
}
