import type { Socket } from 'node:net';
import { NO_RESPONSE_EDIT } from '../headers.ts';
import type { ClientPeer } from '../http1/client-peer.ts';
import { Outlet } from '../http1/outlet.ts';
import type { TurnTask } from '../http1/turn.ts';
import type { WireContext } from '../http1/wire-context.ts';
import type { Listener } from '../listeners.ts';
import { type OutageStatus, outageAnswer } from '../outage-answers.ts';
import { type Downstream, type FlatHeaders, QUEUED, type Refusal } from '../wire.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import * as frames from './frames.ts';
import { HeaderBlock } from './header-block.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { HeaderEncoder } from './header-encoder.ts';
import { Rate } from './rate.ts';
import { Http2RequestHead, readRequest, readTrailers } from './request-head.ts';
import { responseFields } from './response-fields.ts';
import { StreamExchange, type StreamOwner } from './stream-exchange.ts';

/** Of the whole connection; each stream has its own 64 KB within it. */
const CONNECTION_WINDOW = 1_048_576;
const WINDOW_STEP = CONNECTION_WINDOW >> 1;
/** How long we still read after our last word: closing at once would take it back from the client. */
const GOODBYE_MS = 2_000;
/** Before others have a turn. */
const FRAMES_A_TURN = 4;
/** What a client does for each stream and each frame of ours without meaning harm: it opens windows. */
const UPDATES_A_STREAM = 2;
const UPDATES_A_FRAME = 4;

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
  readonly #frames = new FrameReader();
  readonly #decoder: HeaderDecoder;
  readonly #encoder = new HeaderEncoder();
  readonly #block: HeaderBlock;
  readonly #streams = new Map<number, StreamExchange>();
  /** With something to send, in the order of their turns. */
  readonly #blocked = new Set<StreamExchange>();
  /** All said, and not all with the system yet. */
  #uncleared: StreamExchange[] = [];
  readonly #resets: Rate;
  readonly #control: Rate;
  #phase: Phase = 'open';
  /** Coarse; when the phase began, or since when there is no stream. */
  #since: number;
  #blockSince: number;
  #isGreeted = false;
  #lastStream = 0;
  #requests = 0;
  /** The socket has more than it can take. */
  #isCongested = false;
  #isPumping = false;
  // What the client takes.
  #window = frames.INITIAL_WINDOW;
  #streamWindow = frames.INITIAL_WINDOW;
  #frameBytes = frames.MAX_FRAME_BYTES;
  // What we take.
  #received = 0;
  #consumed = 0;

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
    socket.on('data', (chunk: Buffer) => this.#came(chunk));
    socket.on('end', () => this.#ended());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
    this.#greet();
  }

  #greet(): void {
    const { maxConcurrentStreams, headerListBytes } = this.#context.settings.http2;
    const settings =
      setting(frames.SETTINGS_MAX_CONCURRENT_STREAMS, maxConcurrentStreams) +
      setting(frames.SETTINGS_MAX_HEADER_LIST_SIZE, headerListBytes);
    this.#say(frames.SETTINGS, 0, 0, settings);
    this.#say(frames.WINDOW_UPDATE, 0, 0, frames.word(CONNECTION_WINDOW - frames.INITIAL_WINDOW));
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
    if (this.#streams.size === 0 && this.#uncleared.length === 0) this.#socket.end();
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
      case frames.PRIORITY:
        if (stream === 0) this.#fail(frames.PROTOCOL_ERROR);
        else if (to - from !== 5) this.#fail(frames.FRAME_SIZE_ERROR);
        else this.#controlled();
        break;
      case frames.RST_STREAM:
        this.#reset(stream, to - from);
        break;
      case frames.SETTINGS:
        this.#settings(flags, stream, bytes, from, to);
        break;
      case frames.PING:
        this.#ping(flags, stream, bytes, from, to);
        break;
      case frames.GOAWAY:
        if (stream !== 0) this.#fail(frames.PROTOCOL_ERROR);
        else if (to - from < 8) this.#fail(frames.FRAME_SIZE_ERROR);
        else this.drain();
        break;
      case frames.WINDOW_UPDATE:
        this.#windowUpdate(stream, bytes, from, to);
        break;
      case frames.PUSH_PROMISE:
        this.#fail(frames.PROTOCOL_ERROR);
        break;
      default:
        this.#controlled();
    }
  }

  #data(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id === 0 || this.#isIdle(id)) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    this.#received += to - from;
    if (this.#received > CONNECTION_WINDOW) {
      this.#fail(frames.FLOW_CONTROL_ERROR);
      return;
    }
    const content = unpadded(flags, bytes, from, to);
    if (content < 0) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    const endStream = (flags & frames.FLAG_END_STREAM) !== 0;
    const contentFrom = (flags & frames.FLAG_PADDED) === 0 ? from : from + 1;
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
    // Clients open streams with odd numbers (RFC 9113 §5.1.1).
    if ((id & 1) === 0) {
      this.#fail(frames.PROTOCOL_ERROR);
      return;
    }
    const end = unpadded(flags, bytes, from, to);
    let at = (flags & frames.FLAG_PADDED) === 0 ? from : from + 1;
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
      this.sendReset(id, frames.REFUSED_STREAM);
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
        { id, window: this.#streamWindow, endStream },
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
    this.sendHead(id, status, responseFields(head, NO_RESPONSE_EDIT, this.#context.date) ?? [], false);
    // Shorter than any window a client sets, or it does without.
    if (body.length <= Math.min(this.#window, this.#streamWindow)) {
      this.#window -= body.length;
      this.#sayData(id, body, true);
    } else this.sendReset(id, frames.PROTOCOL_ERROR);
    if (!endStream) this.sendReset(id, frames.NO_ERROR);
  }

  // ── control ──────────────────────────────────────────────────────────────────────────────────────────────────

  #reset(id: number, length: number): void {
    if (length !== 4) this.#fail(frames.FRAME_SIZE_ERROR);
    else if (id === 0 || this.#isIdle(id)) this.#fail(frames.PROTOCOL_ERROR);
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

  #settings(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    const isAck = (flags & frames.FLAG_ACK) !== 0;
    if (stream !== 0) this.#fail(frames.PROTOCOL_ERROR);
    else if ((to - from) % 6 !== 0 || (isAck && to > from)) this.#fail(frames.FRAME_SIZE_ERROR);
    else {
      this.#controlled();
      if (isAck) return;
      for (let at = from; at < to && !this.isOver; at += 6) {
        this.#setting((bytes[at]! << 8) | bytes[at + 1]!, frames.uint32(bytes, at + 2));
      }
      if (!this.isOver) this.#say(frames.SETTINGS, frames.FLAG_ACK, 0, '');
    }
  }

  #setting(name: number, value: number): void {
    switch (name) {
      case frames.SETTINGS_HEADER_TABLE_SIZE:
        this.#encoder.limitTable(value);
        break;
      case frames.SETTINGS_ENABLE_PUSH:
        if (value > 1) this.#fail(frames.PROTOCOL_ERROR);
        break;
      case frames.SETTINGS_INITIAL_WINDOW_SIZE: {
        if (value > frames.MAX_WINDOW) {
          this.#fail(frames.FLOW_CONTROL_ERROR);
          return;
        }
        const more = value - this.#streamWindow;
        this.#streamWindow = value;
        // Streams that are open get the difference, which may be negative (RFC 9113 §6.9.2).
        for (const stream of this.#streams.values()) {
          if (!stream.widen(more)) this.#fail(frames.FLOW_CONTROL_ERROR);
        }
        break;
      }
      case frames.SETTINGS_MAX_FRAME_SIZE:
        if (value < frames.MAX_FRAME_BYTES || value > 0xffffff) this.#fail(frames.PROTOCOL_ERROR);
        // Bigger ones than everybody takes gain nothing.
        break;
    }
  }

  #ping(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    if (stream !== 0) this.#fail(frames.PROTOCOL_ERROR);
    else if (to - from !== 8) this.#fail(frames.FRAME_SIZE_ERROR);
    else {
      this.#controlled();
      if ((flags & frames.FLAG_ACK) !== 0 || this.isOver) return;
      this.#say(frames.PING, frames.FLAG_ACK, 0, bytes.toString('latin1', from, to));
    }
  }

  #windowUpdate(id: number, bytes: Buffer, from: number, to: number): void {
    if (to - from !== 4) {
      this.#fail(frames.FRAME_SIZE_ERROR);
      return;
    }
    this.#controlled();
    const more = frames.uint32(bytes, from) & frames.MAX_WINDOW;
    if (id === 0) {
      this.#window += more;
      if (more === 0) this.#fail(frames.PROTOCOL_ERROR);
      else if (this.#window > frames.MAX_WINDOW) this.#fail(frames.FLOW_CONTROL_ERROR);
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

  #say(type: number, flags: number, stream: number, payload: string): void {
    const text = frames.frameHead(payload.length, type, flags, stream) + payload;
    this.#outlet.stage(text.length).text(text);
  }

  #sayData(stream: number, chunk: Uint8Array, isLast: boolean): void {
    const flags = isLast ? frames.FLAG_END_STREAM : 0;
    const head = frames.frameHead(chunk.length, frames.DATA, flags, stream);
    this.#outlet.stage(head.length + Math.min(chunk.length, SMALL_BYTES)).text(head);
    if (chunk.length === 0) return;
    if (this.#outlet.send(chunk) === QUEUED) this.#isCongested = true;
  }

  sendHead(stream: number, status: number, fields: FlatHeaders, endStream: boolean): void {
    const encoder = this.#encoder;
    encoder.begin();
    if (status !== 0) encoder.status(status);
    for (let i = 0; i + 1 < fields.length; i += 2) encoder.field(fields[i]!, fields[i + 1]!);
    const { bytes, length } = encoder;
    let type = frames.HEADERS;
    let at = 0;
    do {
      const to = Math.min(length, at + this.#frameBytes);
      let flags = to === length ? frames.FLAG_END_HEADERS : 0;
      if (type === frames.HEADERS && endStream) flags |= frames.FLAG_END_STREAM;
      const head = frames.frameHead(to - at, type, flags, stream);
      const staging = this.#outlet.stage(head.length + to - at);
      staging.text(head);
      staging.octets(bytes, at, to);
      type = frames.CONTINUATION;
      at = to;
    } while (at < length);
  }

  sendData(stream: StreamExchange, chunk: Uint8Array, from: number, isLast: boolean): number {
    const room = Math.min(this.#window, stream.window, this.#frameBytes);
    const left = chunk.length - from;
    const length = Math.min(room, left);
    if (left > 0 && (length <= 0 || this.#isCongested)) return 0;
    const part = length === chunk.length ? chunk : chunk.subarray(from, from + Math.max(length, 0));
    this.#window -= part.length;
    stream.window -= part.length;
    this.#control.expect(UPDATES_A_FRAME);
    this.#sayData(stream.id, part, isLast && part.length === left);
    return part.length;
  }

  sendReset(stream: number, code: number): void {
    if (!this.isOver) this.#say(frames.RST_STREAM, 0, stream, frames.word(code));
  }

  sendWindow(stream: number, bytes: number): void {
    if (!this.isOver) this.#say(frames.WINDOW_UPDATE, 0, stream, frames.word(bytes));
  }

  consumed(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < WINDOW_STEP) return;
    this.sendWindow(0, this.#consumed);
    this.#received -= this.#consumed;
    this.#consumed = 0;
  }

  blocked(stream: StreamExchange): void {
    this.#blocked.add(stream);
  }

  awaitClear(stream: StreamExchange): void {
    if (this.#outlet.awaitClear()) stream.cleared();
    else this.#uncleared.push(stream);
  }

  #drained(): void {
    const { turn } = this.#context;
    turn.begin();
    this.#isCongested = false;
    const uncleared = this.#uncleared;
    this.#uncleared = [];
    for (const stream of uncleared) stream.cleared();
    this.#settle();
    turn.end();
  }

  /** After anything that may have made room or ended the last stream. */
  #settle(): void {
    this.#pump();
    if (this.#phase === 'leaving' && this.#streams.size === 0 && this.#uncleared.length === 0) this.#linger();
  }

  /** A few frames of each stream in turn, as long as there is room. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let moves = true;
    while (moves && this.#blocked.size > 0 && this.#window > 0 && !this.#isCongested && !this.isOver) {
      moves = false;
      for (const stream of [...this.#blocked]) {
        const before = stream.window;
        if (stream.window > 0 && stream.pump(FRAMES_A_TURN)) this.#blocked.delete(stream);
        moves ||= stream.window !== before;
        if (this.#window <= 0 || this.#isCongested) {
          // Whoever had a turn goes behind the others.
          if (this.#blocked.delete(stream)) this.#blocked.add(stream);
          break;
        }
      }
    }
    this.#isPumping = false;
  }

  streamClosed(stream: StreamExchange): void {
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
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
    this.#goAway(frames.NO_ERROR);
    this.#settle();
    turn.end();
  }

  #goAway(code: number): void {
    this.#say(frames.GOAWAY, 0, 0, frames.word(this.#lastStream) + frames.word(code));
  }

  /** What cannot be understood ends the connection, and says why (RFC 9113 §5.4.1). */
  #fail(code: number): void {
    if (this.isOver) return;
    this.#goAway(code);
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
    this.#outlet.flush();
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#enter('closed');
    this.#socket.destroy();
    this.#dropStreams();
  }

  #dropStreams(): void {
    const streams = [...this.#streams.values(), ...this.#uncleared];
    this.#streams.clear();
    this.#blocked.clear();
    this.#uncleared = [];
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
  }
}

const SMALL_BYTES = 8_192;

function setting(name: number, value: number): string {
  return String.fromCharCode(name >> 8, name & 0xff) + frames.word(value);
}

/** Where the content ends and padding begins; -1 when there is more padding than payload (RFC 9113 §6.1). */
function unpadded(flags: number, bytes: Buffer, from: number, to: number): number {
  if ((flags & frames.FLAG_PADDED) === 0) return to;
  const end = to - (from < to ? bytes[from]! : to);
  return from < to && end > from ? end : -1;
}
