import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ResponseEdit } from '../headers.ts';
import type { Lender } from '../http1/read-buffers.ts';
import type { RequestHeadReader } from '../http1/request-head.ts';
import type { TurnTask } from '../http1/turn.ts';
import type { WireContext } from '../http1/wire-context.ts';
import {
  type Downstream,
  type DownstreamHandler,
  ERR,
  type FlatHeaders,
  QUEUED,
  type ResponseHead,
  SYNC,
  type Written,
} from '../wire.ts';
import type { Http2RequestHead } from './request-head.ts';
import { informFields, responseFields, trailerFields } from './response-fields.ts';

/** Beyond this many bytes the client has not taken we ask the origin to wait. */
const QUEUE_BYTES = 65_536;
/** Copying less than this costs less than keeping its memory. */
const SMALL_BYTES = 8_192;
/** Before this age a body is not asked how fast it comes: networks stumble. */
const RATE_AFTER_MS = 5_000;

const ENDS_HERE = { endStream: true } as const;
const TRAILERS_FOLLOW = { waitForTrailers: true } as const;

/** What an exchange needs of its connection. */
export interface StreamOwner {
  /** The client ended it before its answer was whole. */
  wasReset(): void;
  /** Nothing more comes of it, nor goes. */
  streamClosed(exchange: StreamExchange): void;
}

/** One stream (RFC 9113 §8.1): a request of a client and the way back to it. */
export class StreamExchange implements Downstream, TurnTask {
  readonly head: Http2RequestHead;
  readonly #context: WireContext;
  readonly #owner: StreamOwner;
  readonly #stream: ServerHttp2Stream;
  readonly #reader: RequestHeadReader;
  #handler: DownstreamHandler | undefined = undefined;
  #owesContinue: boolean;
  #paused = true;
  #bodyEnded: boolean;
  #trailers: FlatHeaders | undefined = undefined;
  /** Of the body: what came, and how long we stood there with open hands. */
  #bodyBytes = 0;
  #bodyMs = 0;

  /** Not yet handed over. */
  #fields: OutgoingHttpHeaders | undefined = undefined;
  #chunks: Uint8Array[] = [];
  #lenders: Lender[] = [];
  #pendingBytes = 0;
  #isArmed = false;
  #answerBegan = false;
  /** What the answer said its length is, less what came of it; undefined: it did not say. */
  #left: number | undefined = undefined;
  #isBodyless = false;
  #ended = false;
  #answerTrailers: FlatHeaders | undefined = undefined;
  #isWaiting = false;
  #isAborted = false;
  #isOver = false;

  constructor(
    context: WireContext,
    owner: StreamOwner,
    stream: ServerHttp2Stream,
    head: Http2RequestHead,
    reader: RequestHeadReader,
    endStream: boolean,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#stream = stream;
    this.head = head;
    this.#reader = reader;
    this.#owesContinue = reader.expectsContinue;
    this.#bodyEnded = endStream;
  }

  attach(handler: DownstreamHandler): void {
    this.#handler = handler;
    const stream = this.#stream;
    stream.on('error', () => undefined);
    stream.on('finish', () => this.#finished());
    stream.on('close', () => this.#closed());
    if (this.#bodyEnded) return;
    stream.on('end', () => this.#bodyCame());
    // Announced as empty, and its end comes in a frame of its own.
    if (this.head.bodyLength === 0) stream.resume();
    else stream.on('trailers', (fields: Record<string, unknown>) => this.#trailersCame(fields));
  }

  // ── the request's body ───────────────────────────────────────────────────────────────────────────────────────

  resume(): void {
    if (this.#isOver) return;
    if (this.#owesContinue) {
      this.#owesContinue = false;
      if (!this.#answerBegan && !this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 });
    }
    if (!this.#paused || this.head.bodyLength === 0) return;
    this.#paused = false;
    // What nobody reads stays in the client's window (RFC 9113 §5.2).
    if (this.#stream.listenerCount('data') === 0) {
      this.#stream.on('data', (chunk: Buffer) => this.#dataCame(chunk));
    } else this.#stream.resume();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #dataCame(chunk: Buffer): void {
    if (this.#isOver) return;
    const { turn, buffers } = this.#context;
    this.#bodyBytes += chunk.length;
    turn.begin();
    buffers.lendOwn(chunk);
    this.#handler?.onBody(chunk);
    buffers.finishedOwn(chunk, 0, chunk.length);
    turn.end();
  }

  #trailersCame(fields: Record<string, unknown>): void {
    const flat: string[] = [];
    for (const [name, value] of Object.entries(fields)) {
      for (const one of Array.isArray(value) ? value : [value]) flat.push(name, String(one));
    }
    this.#trailers = flat;
  }

  #bodyCame(): void {
    this.#bodyEnded = true;
    if (this.#isOver || this.head.bodyLength === 0) return;
    const { turn } = this.#context;
    turn.begin();
    this.#handler?.onBodyEnd(this.#trailers);
    turn.end();
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  inform(head: ResponseHead): void {
    // A 100 is ours to say.
    if (this.#answerBegan || this.#isOver || this.#stream.destroyed || head.status === 100) return;
    const fields = informFields(head);
    if (fields !== undefined) this.#stream.additionalHeaders(fields);
  }

  respond(head: ResponseHead, edit: ResponseEdit): boolean {
    if (this.#isOver) return true;
    const fields = responseFields(head, edit);
    if (fields === undefined) return false;
    this.#answerBegan = true;
    this.#fields = fields;
    this.#isBodyless = this.head.method === 'HEAD' || head.status === 204 || head.status === 304;
    const length = fields['content-length'];
    if (!this.#isBodyless && length !== undefined) this.#left = Number(length);
    this.#arm();
    return true;
  }

  write(chunk: Uint8Array): Written {
    if (this.#isOver || this.#ended || this.#stream.destroyed) return ERR;
    if (this.#isBodyless || chunk.length === 0) return SYNC;
    if (this.#left !== undefined) {
      this.#left -= chunk.length;
      if (this.#left < 0) {
        this.abort();
        return ERR;
      }
    }
    this.#chunks.push(this.#keep(chunk));
    this.#pendingBytes += chunk.length;
    this.#arm();
    if (this.#pendingBytes + this.#stream.writableLength < QUEUE_BYTES) return SYNC;
    this.#isWaiting = true;
    return QUEUED;
  }

  end(trailers: FlatHeaders | undefined): void {
    if (this.#isOver || this.#ended) return;
    if (this.#left !== undefined && this.#left > 0) {
      this.abort();
      return;
    }
    this.#ended = true;
    this.#answerTrailers = trailers;
    this.#arm();
  }

  /** What is said in one turn goes out together, so that a small answer is one frame of HEADERS and one of DATA. */
  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#context.turn.atEnd(this);
  }

  turnEnded(): void {
    this.#isArmed = false;
    const stream = this.#stream;
    if (this.#isAborted || stream.destroyed) {
      this.#letGo();
      return;
    }
    if (this.#isBodyless && !this.#ended) return;
    const chunks = this.#chunks;
    if (this.#fields !== undefined) {
      const isWhole = this.#ended && chunks.length === 0 && this.#answerTrailers === undefined;
      // Whether there will be trailers nobody knows before the end; an answer of known length has none.
      const waits =
        this.#left === undefined && !isWhole && !(this.#ended && this.#answerTrailers === undefined);
      stream.respond(this.#fields, isWhole ? ENDS_HERE : waits ? TRAILERS_FOLLOW : undefined);
      this.#fields = undefined;
      if (waits) stream.on('wantTrailers', () => this.#sendTrailers());
      if (isWhole) return;
    }
    this.#chunks = [];
    this.#pendingBytes = 0;
    const bytes = chunks.length === 1 ? chunks[0]! : chunks.length === 0 ? undefined : Buffer.concat(chunks);
    const lenders = this.#lenders;
    const written = lenders.length === 0 ? undefined : () => releaseAll(lenders);
    if (written !== undefined) this.#lenders = [];
    if (this.#ended) stream.end(bytes, written);
    else if (bytes !== undefined && !stream.write(bytes, written)) stream.once('drain', this.#drained);
  }

  #sendTrailers(): void {
    const { destroyed, closed } = this.#stream;
    if (!destroyed && !closed) this.#stream.sendTrailers(trailerFields(this.#answerTrailers ?? []));
  }

  readonly #drained = (): void => {
    if (!this.#isWaiting || this.#isOver) return;
    this.#isWaiting = false;
    const { turn } = this.#context;
    turn.begin();
    this.#handler?.onClientDrain();
    turn.end();
  };

  /** The chunk itself if its memory can be had for as long as the write takes, else a copy. */
  #keep(chunk: Uint8Array): Uint8Array {
    const lender = this.#context.buffers.lending;
    if (chunk.length < SMALL_BYTES || lender?.lends(chunk) !== true) return Buffer.from(chunk);
    lender.hold();
    this.#lenders.push(lender);
    return chunk;
  }

  /** RST_STREAM, whatever was said so far: the client must not take it for a whole answer. */
  abort(): void {
    if (this.#isOver || this.#isAborted) return;
    this.#isAborted = true;
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Only the time counts that the client kept us waiting. Once there is an answer both may talk as slowly as they like. */
  sweep(passedMs: number): void {
    if (this.#paused || this.#bodyEnded || this.#answerBegan) return;
    this.#bodyMs += passedMs;
    const { minRate } = this.#context.settings.limits;
    if (this.#bodyMs > RATE_AFTER_MS && this.#bodyBytes * 1_000 < minRate * this.#bodyMs) {
      this.#handler?.onBodyFault(408, 'a body too slow');
    }
  }

  /** All of the answer is with the system. What of the request is still to come nobody wants (RFC 9113 §8.1). */
  #finished(): void {
    if (this.#isAborted) return;
    this.#over(true);
    if (this.#bodyEnded) return;
    this.#stream.resume();
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #closed(): void {
    if (!this.#isOver && !this.#isAborted) this.#owner.wasReset();
    this.#over(false);
    this.#owner.streamClosed(this);
  }

  #over(complete: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { turn } = this.#context;
    turn.begin();
    this.#letGo();
    this.#handler?.onClose(complete);
    this.head.release();
    this.#context.giveReader(this.#reader);
    turn.end();
  }

  #letGo(): void {
    this.#chunks = [];
    releaseAll(this.#lenders);
    this.#lenders = [];
  }
}

function releaseAll(lenders: readonly Lender[]): void {
  for (const lender of lenders) lender.release();
}
