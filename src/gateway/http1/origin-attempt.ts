import { Buffer } from 'node:buffer';
import { afterPoll } from '../after-poll.ts';
import {
  type AttemptRequest,
  CHUNKED,
  COMPLETED,
  ERR,
  type Failure,
  type FlatHeaders,
  QUEUED,
  type Upstream,
  type UpstreamHandler,
  type Written,
} from '../wire.ts';
import type { BodySink } from './body.ts';
import { connectFailure, protocolFailure, resetFailure, unsendable } from './failures.ts';
import { Http1ResponseHead } from './message-head.ts';
import type { ConnectionUser, OriginConnection } from './origin-connection.ts';
import type { OriginPool } from './origin-pool.ts';
import { writeRequestHead } from './request-writer.ts';
import type { ResponseHeadReader } from './response-head.ts';
import { writeLastChunk } from './response-writer.ts';
import { provesSwitch } from './switch-proof.ts';
import type { TurnTask } from './turn.ts';
import type { WireContext } from './wire-context.ts';

/**
 * Where the answer is: `head`, `body`; `tunnel` after a switch; `over`: complete, failed or abandoned, and its handler
 * hears nothing more.
 */
type Stage = 'head' | 'body' | 'tunnel' | 'over';

/** One request on one connection to an origin. */
export class OriginAttempt implements Upstream, ConnectionUser, BodySink, TurnTask {
  delivered = false;
  paused = false;
  readonly #context: WireContext;
  readonly #request: AttemptRequest;
  readonly #handler: UpstreamHandler;
  readonly #pool: OriginPool;
  #connection: OriginConnection;
  #stage: Stage = 'head';
  #head: Http1ResponseHead | undefined = undefined;
  /** What the client sent before there was a connection. */
  #early: Buffer[] | undefined = undefined;
  #requestEnded: boolean;
  #trailers: FlatHeaders | undefined = undefined;
  #sentTold = false;
  #isUnsendable = false;
  #answerBegan = false;
  /** What came during a pause. */
  #unread: Buffer | undefined = undefined;
  #originEnded = false;
  #tunnelEnded = false;
  #isReading = false;
  /** The connection was kept, and it is not sure yet that it is still one. */
  #isChecking = false;
  /** By the answer's head. */
  #keepsAlive = false;
  /** The connection holds bytes behind the answer. */
  #hasMore = false;

  constructor(context: WireContext, request: AttemptRequest, handler: UpstreamHandler, pool: OriginPool) {
    this.#context = context;
    this.#request = request;
    this.#handler = handler;
    this.#pool = pool;
    this.#requestEnded = request.head.bodyLength === 0;
    // A switch takes the connection out of use for anything else.
    this.#connection = pool.take(request.fresh || request.head.upgrade !== undefined);
    if (request.once && this.#connection.isConnected) {
      this.#isChecking = true;
      afterPoll(() => this.#checked());
      return;
    }
    this.#connection.user = this;
    if (this.#connection.isConnected) this.#send();
  }

  /**
   * Had the origin closed the connection before we asked, we know by now: without a user it is gone then. What may be
   * sent only once goes to a fresh one instead of into the void.
   */
  #checked(): void {
    const { turn } = this.#context;
    this.#isChecking = false;
    if (this.#stage === 'over') return;
    turn.begin();
    if (!this.#connection.isOpen) this.#connection = this.#pool.take(true);
    this.#connection.user = this;
    if (this.#connection.isConnected) this.connected();
    turn.end();
  }

  /** More of the answer's body is to come. */
  get isStreaming(): boolean {
    return this.#stage === 'body';
  }

  // ── the request ──────────────────────────────────────────────────────────────────────────────────────────────

  connected(): void {
    const hadEarly = this.#early !== undefined;
    this.#send();
    if (hadEarly) this.#handler.onOriginDrain();
  }

  #send(): void {
    const { head, edit, stamp } = this.#request;
    const { outlet } = this.#connection;
    if (!writeRequestHead(outlet, head, edit, stamp)) {
      this.#isUnsendable = true;
      this.#context.turn.atEnd(this);
      return;
    }
    this.delivered = true;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) for (const chunk of early) this.write(chunk);
    if (this.#requestEnded) this.#endRequest();
  }

  write(chunk: Uint8Array): Written {
    const connection = this.#connection;
    if (this.#stage === 'over' || (!connection.isOpen && !this.#isChecking)) return ERR;
    if (this.#stage === 'tunnel') return connection.outlet.send(chunk);
    if (!connection.isConnected || this.#isChecking) {
      // Until we are connected the client is asked for no more than we could send again.
      this.#early ??= [];
      this.#early.push(Buffer.from(chunk));
      return QUEUED;
    }
    return this.#request.head.bodyLength === CHUNKED
      ? connection.outlet.sendChunk(chunk)
      : connection.outlet.send(chunk);
  }

  end(trailers: FlatHeaders | undefined): void {
    if (this.#stage === 'tunnel') {
      this.#connection.outlet.end();
      return;
    }
    if (this.#stage === 'over' || this.#requestEnded) return;
    this.#requestEnded = true;
    this.#trailers = trailers;
    if (this.#connection.isConnected && !this.#isChecking) this.#endRequest();
  }

  #endRequest(): void {
    if (this.#request.head.bodyLength === CHUNKED) writeLastChunk(this.#connection.outlet, this.#trailers);
    this.#context.turn.atEnd(this);
  }

  turnEnded(): void {
    if (this.#stage === 'over') return;
    if (this.#isUnsendable) this.#fail(unsendable('a field that HTTP/1.1 cannot say'));
    else if (this.#connection.outlet.awaitClear()) this.#tellSent();
  }

  drained(): void {
    if (this.#stage === 'over') return;
    if (this.#requestEnded && this.#stage !== 'tunnel') this.#tellSent();
    else this.#handler.onOriginDrain();
  }

  #tellSent(): void {
    if (this.#sentTold) return;
    this.#sentTold = true;
    this.#handler.onSent();
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  came(bytes: Buffer, end: number): void {
    this.#answerBegan = true;
    this.#read(bytes, end);
    // What comes next is read over it.
    if (this.#head !== undefined && this.#stage !== 'over') this.#connection.keepHead();
  }

  #read(bytes: Buffer, end: number): void {
    let at = 0;
    this.#isReading = true;
    while (at < end && !this.#isOver()) {
      if (this.paused) {
        this.#keepUnread(bytes.subarray(at, end));
        break;
      }
      if (this.#stage === 'body' && this.#connection.body.state === 'complete') {
        this.#hasMore = true;
        break;
      }
      at = this.#step(bytes, at, end);
    }
    this.#isReading = false;
    this.#settle();
  }

  /** TLS hands over what it has decrypted even after a pause, so there may be some already. */
  #keepUnread(bytes: Uint8Array): void {
    this.#unread = this.#unread === undefined ? Buffer.from(bytes) : Buffer.concat([this.#unread, bytes]);
  }

  #isOver(): boolean {
    return this.#stage === 'over';
  }

  #step(bytes: Buffer, at: number, end: number): number {
    if (this.#stage === 'tunnel') {
      this.#handler.onChunk(bytes.subarray(at, end));
      return end;
    }
    const { intake, body } = this.#connection;
    if (this.#stage === 'body') {
      const to = body.read(bytes, at, end, this);
      if (body.state === 'broken') this.#fail(protocolFailure('a malformed chunked body'));
      return to;
    }
    const reader = this.#connection.readerFor(this.#request.head.method === 'HEAD');
    const to = intake.take(reader, bytes, at, end);
    if (reader.state === 'refused') this.#fail(protocolFailure(reader.detail));
    else if (reader.state === 'complete') this.#headCame(reader);
    return to;
  }

  #headCame(reader: ResponseHeadReader): void {
    this.#keepsAlive = reader.keepAlive;
    const head = new Http1ResponseHead(reader);
    if (reader.status === 101) {
      if (!provesSwitch(this.#request.head, head)) {
        this.#fail(protocolFailure('a 101 that proves nothing'));
        return;
      }
      this.#stage = 'tunnel';
    } else if (reader.status < 200) {
      this.#handler.onInform(head);
      head.release();
      return;
    } else {
      this.#stage = 'body';
      this.#connection.body.begin(reader.bodyLength);
    }
    this.#head = head;
    this.#handler.onHead(head);
  }

  takeBody(chunk: Buffer): void {
    if (!this.#isOver()) this.#handler.onChunk(chunk);
  }

  pause(): void {
    if (this.paused || this.#stage === 'over') return;
    this.paused = true;
    this.#connection.socket.pause();
  }

  resume(): void {
    if (!this.paused || this.#stage === 'over') return;
    this.paused = false;
    this.#connection.socket.resume();
    if (this.#isReading) return;
    const unread = this.#unread;
    this.#unread = undefined;
    if (unread === undefined) this.#settle();
    else this.#read(unread, unread.length);
  }

  ended(): void {
    this.#originEnded = true;
    this.#settle();
  }

  /** Looks whether the answer has come to its end, one way or the other. */
  #settle(): void {
    // A pause holds the end back too; `resume` comes here again.
    if (this.#stage === 'over' || this.paused || this.#unread !== undefined) return;
    const { body } = this.#connection;
    if (this.#stage === 'tunnel') this.#settleTunnel();
    else if (
      this.#stage === 'body' &&
      (body.state === 'complete' || (this.#originEnded && body.endsWithConnection()))
    )
      this.#complete();
    else if (this.#originEnded) this.#cutOff('the origin closed the connection');
  }

  #settleTunnel(): void {
    if (!this.#originEnded) return;
    this.#originEnded = false;
    this.#tunnelEnded = true;
    this.#handler.onEnd(undefined);
  }

  #complete(): void {
    this.#stage = 'over';
    this.#handler.onEnd(this.#connection.body.trailers);
    this.#handler.onOutcome(COMPLETED);
    this.#head?.release();
    this.#connection.letReaderGo();
    const { outlet } = this.#connection;
    // An early answer leaves the origin with half a request, and bytes behind an answer belong to nobody.
    const isReusable =
      this.#keepsAlive &&
      this.#requestEnded &&
      !this.#hasMore &&
      !this.#originEnded &&
      this.#request.head.upgrade === undefined &&
      outlet.awaitClear();
    if (isReusable) this.#pool.give(this.#connection);
    else this.#letGo();
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  abort(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#letGo();
  }

  gone(error: Error | undefined): void {
    if (this.#stage === 'over') return;
    if (!this.delivered) {
      this.#fail(
        connectFailure(error ?? new Error('closed before it was open'), this.#request.origin.secure),
      );
    } else if (this.#tunnelEnded) {
      this.#stage = 'over';
      this.#handler.onOutcome(COMPLETED);
    } else this.#cutOff(error?.message ?? 'the connection was closed');
  }

  #cutOff(detail: string): void {
    const stale = this.#connection.served > 0 && !this.#answerBegan;
    this.#fail(resetFailure(detail, stale));
  }

  #fail(failure: Failure): void {
    this.#stage = 'over';
    this.#letGo();
    this.#handler.onOutcome(failure);
    this.#head?.release();
  }

  #letGo(): void {
    this.#early = undefined;
    this.#unread = undefined;
    this.#connection.user = undefined;
    this.#connection.destroy();
  }
}
