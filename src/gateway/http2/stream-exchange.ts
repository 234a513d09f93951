import type { ResponseEdit } from '../headers.ts';
import type { RequestHeadReader } from '../http1/request-head.ts';
import type { TurnTask } from '../http1/turn.ts';
import type { WireContext } from '../http1/wire-context.ts';
import {
  CHUNKED,
  type Downstream,
  type DownstreamHandler,
  ERR,
  type FlatHeaders,
  QUEUED,
  type ResponseHead,
  SYNC,
  type Written,
} from '../wire.ts';
import type { FrameWriter } from './frame-writer.ts';
import { INITIAL_WINDOW, INTERNAL_ERROR, MAX_WINDOW, NO_ERROR, PROTOCOL_ERROR } from './frames.ts';
import type { Http2RequestHead } from './request-head.ts';
import { passingFields, responseFields } from './response-fields.ts';
import type { SendFlow } from './send-flow.ts';

/** Before this age a body is not asked how fast it comes: networks stumble. */
const RATE_AFTER_MS = 5_000;
/** So much of the window is used up before the client gets it back. */
const WINDOW_STEP = INITIAL_WINDOW >> 1;
const NONE: FlatHeaders = [];
const NOTHING = new Uint8Array(0);

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly writer: FrameWriter;
  readonly flow: SendFlow;
  /** So much of what came by the connection has been dealt with. */
  consumed(bytes: number): void;
  /** Nothing more is sent or wanted. */
  streamClosed(stream: StreamExchange): void;
}

/** One stream (RFC 9113 §5, §8.1): a request of a client and the way back to it. */
export class StreamExchange implements Downstream, TurnTask {
  readonly id: number;
  readonly head: Http2RequestHead;
  /** Bytes the client still takes; below 0 after it made its windows smaller. */
  window: number;
  readonly #context: WireContext;
  readonly #owner: StreamOwner;
  readonly #reader: RequestHeadReader;
  #handler: DownstreamHandler | undefined = undefined;

  // The request's body.
  #owesContinue: boolean;
  #paused = true;
  #isDelivering = false;
  /** END_STREAM came. */
  #remoteEnded: boolean;
  #endIsTold: boolean;
  #isFaulty = false;
  #trailers: FlatHeaders | undefined = undefined;
  /** Came during a pause. */
  #held: Buffer[] = [];
  /** Of the client's window: used up, and of that dealt with and not yet given back. */
  #used = 0;
  #taken = 0;
  #bodyBytes = 0;
  #bodyMs = 0;

  // The answer.
  #answerBegan = false;
  #isBodyless = false;
  /** What the answer said its length is, less what came of it; undefined: it did not say. */
  #left: number | undefined = undefined;
  #queue: Uint8Array[] = [];
  #queuedFrom = 0;
  #isWaiting = false;
  #ended = false;
  #answerTrailers: FlatHeaders | undefined = undefined;
  /** We sent END_STREAM. */
  #localEnded = false;
  /** Nothing more will be said; it may still be on its way. */
  #isClosed = false;
  #isAborted = false;
  #isOver = false;

  constructor(
    context: WireContext,
    owner: StreamOwner,
    { id, window, endStream }: { readonly id: number; readonly window: number; readonly endStream: boolean },
    head: Http2RequestHead,
    reader: RequestHeadReader,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.id = id;
    this.window = window;
    this.head = head;
    this.#reader = reader;
    this.#owesContinue = reader.expectsContinue;
    this.#remoteEnded = endStream;
    // Announced as empty: there is nothing to tell when its end comes in a frame of its own.
    this.#endIsTold = endStream || head.bodyLength === 0;
  }

  attach(handler: DownstreamHandler): void {
    this.#handler = handler;
  }

  // ── the request's body ───────────────────────────────────────────────────────────────────────────────────────

  get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  /** A frame of DATA has come, this long with its padding. False when it is more than the client may send. */
  receives(bytes: number): boolean {
    this.#used += bytes;
    return this.#used <= INITIAL_WINDOW;
  }

  /** Padding: nothing to deal with. */
  skip(bytes: number): void {
    this.#owner.consumed(bytes);
    this.#giveBack(bytes);
  }

  /** DATA has come: `bytes[from..to)` of it is content, on loan. */
  data(bytes: Buffer, from: number, to: number): void {
    const length = to - from;
    this.#bodyBytes += length;
    const { bodyLength } = this.head;
    if (this.#isOver || this.#isFaulty || this.#isAborted || this.#ended) this.#owner.consumed(length);
    else if (bodyLength !== CHUNKED && this.#bodyBytes > bodyLength) {
      this.#owner.consumed(length);
      this.#fault('more content than announced');
    } else if (this.#paused || this.#held.length > 0) this.#held.push(Buffer.from(bytes.subarray(from, to)));
    else this.#deliver(bytes.subarray(from, to));
  }

  /** END_STREAM has come, with DATA or with trailers. */
  remoteEnd(trailers: FlatHeaders | undefined): void {
    this.#remoteEnded = true;
    this.#trailers = trailers;
    const { bodyLength } = this.head;
    if (bodyLength !== CHUNKED && this.#bodyBytes < bodyLength) this.#fault('less content than announced');
    this.#tellEnd();
  }

  resume(): void {
    if (this.#isOver || this.#isAborted) return;
    if (this.#owesContinue) {
      this.#owesContinue = false;
      if (!this.#answerBegan) this.#owner.writer.head(this.id, 100, NONE, false);
    }
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#isDelivering) return;
    while (this.#held.length > 0 && !this.#paused) this.#deliver(this.#held.shift()!);
    this.#tellEnd();
  }

  pause(): void {
    this.#paused = true;
  }

  #deliver(chunk: Buffer): void {
    const { buffers } = this.#context;
    this.#isDelivering = true;
    buffers.lendOwn(chunk);
    this.#handler?.onBody(chunk);
    buffers.finishedOwn(chunk, 0, chunk.length);
    this.#isDelivering = false;
    this.#owner.consumed(chunk.length);
    this.#giveBack(chunk.length);
  }

  #giveBack(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < WINDOW_STEP || this.#remoteEnded || this.#isClosed) return;
    this.#owner.writer.widen(this.id, this.#taken);
    this.#used -= this.#taken;
    this.#taken = 0;
  }

  #tellEnd(): void {
    if (!this.#remoteEnded || this.#endIsTold || this.#isFaulty || this.#held.length > 0) return;
    this.#endIsTold = true;
    if (!this.#isOver) this.#handler?.onBodyEnd(this.#trailers);
  }

  /** Where this request ends nobody knows: neither side may take it for a whole one (RFC 9113 §8.1.1). */
  #fault(why: string): void {
    if (this.#isFaulty) return;
    this.#isFaulty = true;
    this.#dropHeld();
    if (this.#answerBegan) this.reset(PROTOCOL_ERROR);
    else this.#handler?.onBodyFault(400, why);
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  inform(head: ResponseHead): void {
    // A 100 is ours to say.
    if (this.#answerBegan || this.#isOver || this.#isAborted || head.status === 100) return;
    this.#owner.writer.head(this.id, head.status, passingFields(head.headers), false);
  }

  respond(head: ResponseHead, edit: ResponseEdit): boolean {
    if (this.#isOver || this.#isAborted) return true;
    const fields = responseFields(head, edit, this.#context.date);
    if (fields === undefined) return false;
    const { status } = head;
    this.#answerBegan = true;
    this.#isBodyless = this.head.method === 'HEAD' || status === 204 || status === 304;
    const length = this.#isBodyless ? undefined : head.field('content-length');
    if (length !== undefined) this.#left = Number(length);
    this.#localEnded = this.#isBodyless || this.#left === 0;
    this.#owner.writer.head(this.id, status, fields, this.#localEnded);
    return true;
  }

  write(chunk: Uint8Array): Written {
    if (this.#isOver || this.#ended || this.#isAborted) return ERR;
    if (this.#isBodyless || chunk.length === 0) return SYNC;
    if (this.#left !== undefined) {
      this.#left -= chunk.length;
      if (this.#left < 0) {
        this.abort();
        return ERR;
      }
    }
    const sent = this.#queue.length === 0 ? this.#send(chunk, 0, this.#left === 0) : 0;
    if (sent === chunk.length) return SYNC;
    this.#queue.push(Buffer.from(sent === 0 ? chunk : chunk.subarray(sent)));
    this.#owner.flow.block(this);
    this.#isWaiting = true;
    return QUEUED;
  }

  /** Up to where it went. */
  #send(chunk: Uint8Array, from: number, isLast: boolean, most = Number.POSITIVE_INFINITY): number {
    let at = from;
    for (let i = 0; at < chunk.length && i < most; i += 1) {
      const sent = this.#owner.flow.send(this, chunk, at, isLast);
      if (sent === 0) break;
      at += sent;
    }
    if (isLast && at === chunk.length) this.#localEnded = true;
    return at;
  }

  end(trailers: FlatHeaders | undefined): void {
    if (this.#isOver || this.#ended || this.#isAborted) return;
    if (this.#left !== undefined && this.#left > 0) {
      this.abort();
      return;
    }
    this.#ended = true;
    this.#answerTrailers = trailers;
    if (this.#queue.length === 0) this.#sayEnd();
  }

  /** The windows or the socket have room again, for this many frames at most. True when all that waited has gone. */
  pump(frames: number): boolean {
    while (this.#queue.length > 0) {
      const chunk = this.#queue[0]!;
      const isLast = this.#left === 0 && this.#queue.length === 1;
      this.#queuedFrom = this.#send(chunk, this.#queuedFrom, isLast, frames);
      if (this.#queuedFrom < chunk.length) return false;
      this.#queue.shift();
      this.#queuedFrom = 0;
    }
    if (this.#ended) this.#sayEnd();
    else if (this.#isWaiting) {
      this.#isWaiting = false;
      this.#handler?.onClientDrain();
    }
    return this.#queue.length === 0;
  }

  #sayEnd(): void {
    if (!this.#localEnded) {
      this.#localEnded = true;
      const trailers = this.#answerTrailers === undefined ? NONE : passingFields(this.#answerTrailers);
      if (trailers.length > 0) this.#owner.writer.head(this.id, 0, trailers, true);
      else this.#owner.flow.send(this, NOTHING, 0, true);
    }
    // What of the request is still to come nobody wants (RFC 9113 §8.1).
    if (!this.#remoteEnded) this.#owner.writer.reset(this.id, NO_ERROR);
    this.#isClosed = true;
    this.#context.turn.atEnd(this);
    this.#owner.streamClosed(this);
  }

  /** RST_STREAM, whatever was said so far: the client must not take it for a whole answer. */
  abort(): void {
    this.reset(INTERNAL_ERROR);
  }

  reset(code: number): void {
    if (this.#isOver || this.#isAborted) return;
    this.#isAborted = true;
    this.#queue = [];
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#owner.writer.reset(this.id, code);
      this.#owner.streamClosed(this);
    }
    this.#context.turn.atEnd(this);
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  turnEnded(): void {
    if (this.#isAborted) this.#over(false);
    else this.#owner.flow.awaitClear(this);
  }

  /** The system has all of the answer. */
  cleared(): void {
    this.#over(true);
  }

  /** The client took it back, or its connection has gone. */
  gone(): void {
    this.#over(false);
  }

  /** Grows by what WINDOW_UPDATE says; false when that is more than there can be. */
  widen(bytes: number): boolean {
    this.window += bytes;
    return this.window <= MAX_WINDOW;
  }

  /** Only the time counts that the client kept us waiting. Once there is an answer both may talk as slowly as they like. */
  sweep(passedMs: number): void {
    if (this.#paused || this.#remoteEnded || this.#answerBegan) return;
    this.#bodyMs += passedMs;
    const { minRate } = this.#context.settings.limits;
    if (this.#bodyMs > RATE_AFTER_MS && this.#bodyBytes * 1_000 < minRate * this.#bodyMs) {
      this.#handler?.onBodyFault(408, 'a body too slow');
    }
  }

  #over(complete: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue = [];
    this.#dropHeld();
    this.#handler?.onClose(complete);
    this.head.release();
    const reader = this.#reader;
    this.#context.buffers.spoil(reader.fields.bytes, reader.start, reader.end);
    this.#context.giveReader(this.#reader);
  }

  #dropHeld(): void {
    for (const chunk of this.#held) this.#owner.consumed(chunk.length);
    this.#held = [];
  }
}
