import type { Socket } from 'node:net';
import { NO_RESPONSE_EDIT } from '../headers.ts';
import type { ClientPeer } from '../http1/client-peer.ts';
import { Outlet } from '../http1/outlet.ts';
import type { TurnTask } from '../http1/turn.ts';
import type { WireContext } from '../http1/wire-context.ts';
import type { Listener } from '../listeners.ts';
import { type OutageStatus, outageAnswer } from '../outage-answers.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { takeSettings } from './client-settings.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { contentEnd, contentStart, shapeFault } from './frame-shape.ts';
import { FrameWriter } from './frame-writer.ts';
import * as frames from './frames.ts';
import { HeaderBlock } from './header-block.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { Rate } from './rate.ts';
import { CONNECTION_WINDOW, ReceiveFlow } from './receive-flow.ts';
import { Http2RequestHead, readRequest, readTrailers } from './request-head.ts';
import { responseFields } from './response-fields.ts';
import { SendFlow } from './send-flow.ts';
import { StreamExchange, type StreamOwner } from './stream-exchange.ts';

/** How long we still read after our last word: closing at once would take it back from the client. */
const GOODBYE_MS = 2_000;
/** What a client does for each stream without meaning harm: it opens windows. */
const UPDATES_A_STREAM = 2;

export interface SessionOwner {
  accept(downstream: Downstream): void;
  refused(refusal: Refusal): void;
  sessionClosed(session: ClientSession): void;
}

/** `leaving`: GOAWAY is said, and what it carries goes on; `lingering`: our last word is said. */
type Phase = 'open' | 'leaving' | 'lingering' | 'closed';

/** One connection of a client by HTTP/2 (RFC 9113), and what we put up with on it. */
export class ClientSession implements FrameSink, StreamOwner, TurnTask {
  readonly listener: Listener;
  readonly #context: WireContext;
  readonly #owner: SessionOwner;
  readonly #socket: Socket;
  readonly #peer: ClientPeer;
  readonly #outlet: Outlet;
  readonly writer: FrameWriter;
  readonly flow: SendFlow;
  readonly #intake: ReceiveFlow;
  readonly #frames = new FrameReader();
  readonly #decoder: HeaderDecoder;
  readonly #block: HeaderBlock;
  readonly #streams = new Map<number, StreamExchange>();
  readonly #resets: Rate;
  readonly #control: Rate;
  #phase: Phase = 'open';
  /** Coarse; when the phase began, or since when there is no stream. */
  #since: number;
  #blockSince: number;
  #isGreeted = false;
  #lastStream = 0;
  #requests = 0;

  constructor(
    context: WireContext,
    owner: SessionOwner,
    socket: Socket,
    peer: ClientPeer,
    listener: Listener,
  ) {
    const { http2 } = context.settings;
    this.#context = context;
    this.#owner = owner;
    this.#socket = socket;
    this.#peer = peer;
    this.listener = listener;
    this.#since = context.coarseNow;
    this.#blockSince = context.coarseNow;
    this.#resets = new Rate(http2.resetsPerSecond);
    this.#control = new Rate(http2.controlFramesPerSecond);
    this.#decoder = new HeaderDecoder(http2.headerListBytes);
    this.#block = new HeaderBlock(http2.headerListBytes);
    this.#outlet = new Outlet(socket, context, () => this.#drained());
    this.writer = new FrameWriter(this.#outlet);
    this.flow = new SendFlow(this.#outlet, this.writer, this.#control);
    this.#intake = new ReceiveFlow(this.writer);
    socket.on('data', (chunk: Buffer) => this.#came(chunk));
    socket.on('end', () => this.#ended());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
    this.#greet();
  }

  #greet(): void {
    const { maxConcurrentStreams, headerListBytes } = this.#context.settings.http2;
    this.writer.settings([
      [frames.SETTINGS_MAX_CONCURRENT_STREAMS, maxConcurrentStreams],
      [frames.SETTINGS_MAX_HEADER_LIST_SIZE, headerListBytes],
    ]);
    this.writer.widen(0, CONNECTION_WINDOW - frames.INITIAL_WINDOW);
  }

  // ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────

  get isOver(): boolean {
    return this.#phase === 'lingering' || this.#phase === 'closed';
  }

  #came(chunk: Buffer): void {
    if (this.isOver) return;
    const { turn, buffers } = this.#context;
    turn.begin();
    this.#frames.read(chunk, this);
    this.#settle();
    turn.end();
    buffers.lending = undefined;
  }

  /** A client that ends its half has gone, as for HTTP/1.1. */
  #ended(): void {
    if (this.#isEmpty) this.#outlet.end();
    else this.#socket.destroy();
  }

  noPreface(): void {
    this.#fail(frames.PROTOCOL_ERROR);
  }

  oversized(): void {
    this.#fail(frames.FRAME_SIZE_ERROR);
  }

  frame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    // The first is SETTINGS, and nothing comes between the pieces of a header block (RFC 9113 §3.4, §6.10).
    if (this.#isGreeted ? this.#block.isOpen !== (type === frames.CONTINUATION) : type !== frames.SETTINGS) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    this.#isGreeted = true;
    const fault = shapeFault(type, flags, stream, to - from);
    if (fault === frames.NO_ERROR) this.#take(type, flags, stream, bytes, from, to);
    else this.#fail(fault);
  }

  #take(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    switch (type) {
      case frames.DATA:
        this.#data(flags, stream, bytes, from, to);
        break;
      case frames.HEADERS:
        this.#headers(flags, stream, bytes, from, to);
        break;
      case frames.CONTINUATION:
        this.#continuation(flags, stream, bytes, from, to);
        break;
      case frames.RST_STREAM:
        this.#reset(stream);
        break;
      case frames.SETTINGS:
        this.#settings(flags, bytes, from, to);
        break;
      case frames.PING:
        this.#ping(flags, bytes, from, to);
        break;
      case frames.GOAWAY:
        this.drain();
        break;
      case frames.WINDOW_UPDATE:
        this.#windowUpdate(stream, bytes, from);
        break;
      default:
        this.#controlled();
    }
  }

  #data(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (this.#isIdle(id)) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    if (!this.#intake.receives(to - from)) {
      this.#fail(frames.FLOW_CONTROL_ERROR);
      return;
    }
    const content = contentEnd(flags, bytes, from, to);
    if (content < 0) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    const endStream = (flags & frames.FLAG_END_STREAM) !== 0;
    const contentFrom = contentStart(flags, from);
    if (to === from && !endStream) this.#controlled();
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.remoteEnded) {
      // It has been ended or reset; what was on its way then counts for nothing.
      this.consumed(to - from);
      if (stream !== undefined) stream.reset(frames.STREAM_CLOSED);
      return;
    }
    if (!stream.receives(to - from)) {
      this.#fail(frames.FLOW_CONTROL_ERROR);
      return;
    }
    const padding = to - from - (content - contentFrom);
    if (padding > 0) stream.skip(padding);
    if (content > contentFrom) stream.data(bytes, contentFrom, content);
    if (endStream && !this.isOver) stream.remoteEnd(undefined);
  }

  // ── heads ────────────────────────────────────────────────────────────────────────────────────────────────────

  #headers(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const end = contentEnd(flags, bytes, from, to);
    let at = contentStart(flags, from);
    if ((flags & frames.FLAG_PRIORITY) !== 0) at += 5;
    if (end < at) {
      this.#fail(frames.FRAME_SIZE_ERROR);
      return;
    }
    const endStream = (flags & frames.FLAG_END_STREAM) !== 0;
    if ((flags & frames.FLAG_END_HEADERS) !== 0) this.#blockCame(id, endStream, bytes, at, end);
    else {
      this.#blockSince = this.#context.coarseNow;
      this.#block.open(id, endStream, bytes, at, end);
    }
  }

  #continuation(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const block = this.#block;
    if (id !== block.stream) this.#fail(frames.PROTOCOL_ERROR);
    else if (!block.append(bytes, from, to)) this.#flooded('a header block without end');
    else if ((flags & frames.FLAG_END_HEADERS) !== 0) {
      const whole = block.close();
      this.#blockCame(id, block.endStream, whole, 0, whole.length);
    }
  }

  #blockCame(id: number, endStream: boolean, bytes: Buffer, from: number, to: number): void {
    const decoder = this.#decoder;
    // Also of a stream nobody wants: the next block builds on this one.
    if (!decoder.decode(bytes, from, to)) this.#fail(frames.COMPRESSION_ERROR);
    else if (!this.#isIdle(id)) this.#trailers(this.#streams.get(id), endStream);
    else if (this.#phase === 'open') this.#open(id, endStream);
    // It came after GOAWAY: never looked at, so that the client can send it elsewhere.
    else this.#lastStream = id;
  }

  #isIdle(id: number): boolean {
    return id > this.#lastStream;
  }

  #trailers(stream: StreamExchange | undefined, endStream: boolean): void {
    if (stream === undefined) {
      this.#controlled();
      return;
    }
    const trailers = endStream && !this.#decoder.isTooLarge ? readTrailers(this.#decoder.raw) : undefined;
    if (stream.remoteEnded) stream.reset(frames.STREAM_CLOSED);
    else if (trailers === undefined) stream.reset(frames.PROTOCOL_ERROR);
    else stream.remoteEnd(trailers);
  }

  #open(id: number, endStream: boolean): void {
    const { settings } = this.#context;
    this.#lastStream = id;
    if (this.#streams.size >= settings.http2.maxConcurrentStreams) {
      this.#controlled();
      this.writer.reset(id, frames.REFUSED_STREAM);
      return;
    }
    this.#requests += 1;
    this.#control.expect(UPDATES_A_STREAM);
    const reader = this.#context.takeReader();
    const { raw, isTooLarge } = this.#decoder;
    const refusal = isTooLarge ? 431 : readRequest(reader, { raw, endStream });
    if (refusal !== undefined) {
      this.#context.giveReader(reader);
      this.#refuse(id, refusal, endStream);
    } else {
      const head = new Http2RequestHead(reader, this.#peer);
      const stream = new StreamExchange(
        this.#context,
        this,
        { id, window: this.flow.streamWindow, endStream },
        head,
        reader,
      );
      this.#streams.set(id, stream);
      this.#owner.accept(stream);
    }
    const { perConnection } = settings.limits;
    if (perConnection > 0 && this.#requests >= perConnection) this.drain();
  }

  /** Answers what cannot be offered to anybody; the other streams go on. */
  #refuse(id: number, status: OutageStatus, endStream: boolean): void {
    this.#owner.refused({ status, why: 'a head we do not accept', peer: this.#peer });
    const { head, body } = outageAnswer(status, undefined);
    this.writer.head(id, status, responseFields(head, NO_RESPONSE_EDIT, this.#context.date) ?? [], false);
    // Shorter than any window a client sets, or it does without.
    if (!this.flow.sendWhole(id, body)) this.writer.reset(id, frames.PROTOCOL_ERROR);
    if (!endStream) this.writer.reset(id, frames.NO_ERROR);
  }

  // ── control ──────────────────────────────────────────────────────────────────────────────────────────────────

  #reset(id: number): void {
    if (this.#isIdle(id)) this.#fail(frames.PROTOCOL_ERROR);
    else if (this.#resets.exceeds(this.#context.coarseNow)) {
      // Opening streams and taking them back costs the client nothing and us a request each (CVE-2023-44487).
      this.#flooded('too many streams reset');
    } else {
      const stream = this.#streams.get(id);
      if (stream === undefined) return;
      this.streamClosed(stream);
      stream.gone();
    }
  }

  #settings(flags: number, bytes: Buffer, from: number, to: number): void {
    this.#controlled();
    if ((flags & frames.FLAG_ACK) !== 0 || this.isOver) return;
    const { writer, flow } = this;
    const fault = takeSettings(bytes, from, to, { writer, flow, streams: this.#streams.values() });
    if (fault === frames.NO_ERROR) writer.settingsTaken();
    else this.#fail(fault);
  }

  #ping(flags: number, bytes: Buffer, from: number, to: number): void {
    this.#controlled();
    if ((flags & frames.FLAG_ACK) !== 0 || this.isOver) return;
    this.writer.pong(bytes.toString('latin1', from, to));
  }

  #windowUpdate(id: number, bytes: Buffer, from: number): void {
    this.#controlled();
    const more = frames.uint32(bytes, from) & frames.MAX_WINDOW;
    if (id === 0) {
      const fits = this.flow.widen(more);
      if (more === 0) this.#fail(frames.PROTOCOL_ERROR);
      else if (!fits) this.#fail(frames.FLOW_CONTROL_ERROR);
      return;
    }
    if (this.#isIdle(id)) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    // Faults of the client that make us reset streams are worth as much to it as its own resets (CVE-2025-8671).
    if (more > 0 && stream.widen(more)) return;
    if (this.#resets.exceeds(this.#context.coarseNow)) this.#flooded('too many streams made us reset them');
    else stream.reset(more === 0 ? frames.PROTOCOL_ERROR : frames.FLOW_CONTROL_ERROR);
  }

  #controlled(): void {
    if (this.#control.exceeds(this.#context.coarseNow)) this.#flooded('too many control frames');
  }

  // ── what goes ────────────────────────────────────────────────────────────────────────────────────────────────

  consumed(bytes: number): void {
    this.#intake.consumed(bytes);
  }

  #drained(): void {
    const { turn } = this.#context;
    turn.begin();
    this.flow.drained();
    this.#settle();
    turn.end();
  }

  /** After anything that may have made room or ended the last stream. */
  #settle(): void {
    this.flow.pump();
    if (this.#phase === 'leaving' && this.#isEmpty) this.#linger();
  }

  get #isEmpty(): boolean {
    return this.#streams.size === 0 && this.flow.isClear;
  }

  streamClosed(stream: StreamExchange): void {
    this.#streams.delete(stream.id);
    this.flow.forget(stream);
    if (this.#streams.size > 0) return;
    if (this.#phase === 'open') this.#since = this.#context.coarseNow;
    else if (this.#phase === 'leaving') this.#context.turn.atEnd(this);
  }

  turnEnded(): void {
    this.#settle();
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** GOAWAY: what it carries goes on, and what comes after was never looked at, so that it can be sent elsewhere. */
  drain(): void {
    if (this.#phase !== 'open') return;
    this.#enter('leaving');
    const { turn } = this.#context;
    turn.begin();
    this.writer.goAway(this.#lastStream, frames.NO_ERROR);
    this.#settle();
    turn.end();
  }

  /** What cannot be understood ends the connection, and says why (RFC 9113 §5.4.1). */
  #fail(code: number): void {
    if (this.isOver) return;
    this.writer.goAway(this.#lastStream, code);
    this.#linger();
    this.#dropStreams();
  }

  /** Who means harm is not owed an explanation, and a GOAWAY would leave it its connection. */
  #flooded(why: string): void {
    if (this.isOver) return;
    this.#owner.refused({ status: 429, why, peer: this.#peer });
    this.destroy();
  }

  #linger(): void {
    this.#enter('lingering');
    this.#outlet.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#enter('closed');
    this.#socket.destroy();
    this.#dropStreams();
  }

  #dropStreams(): void {
    const streams = [...this.#streams.values(), ...this.flow.drop()];
    this.#streams.clear();
    for (const stream of streams) stream.gone();
  }

  sweep(now: number, passedMs: number): void {
    const { timeouts } = this.#context.settings;
    for (const stream of [...this.#streams.values()]) stream.sweep(passedMs);
    const age = now - this.#since;
    if (this.#phase === 'lingering') {
      if (age > GOODBYE_MS) this.#socket.destroy();
    } else if (this.#block.isOpen && now - this.#blockSince > timeouts.headerMs) this.destroy();
    else if (this.#phase === 'open' && this.#streams.size === 0) {
      if (age > (this.#isGreeted ? timeouts.clientKeepAliveMs : timeouts.headerMs)) this.drain();
    }
  }

  #gone(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#enter('closed');
    this.#outlet.gone();
    this.#dropStreams();
    this.#owner.sessionClosed(this);
    turn.end();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#context.coarseNow;
    this.writer.isSilent = this.isOver;
  }
}
