import { NO_RESPONSE_EDIT, type ResponseEdit } from '../headers.ts';
import {
  type Downstream,
  type DownstreamHandler,
  ERR,
  type FlatHeaders,
  type ResponseHead,
  SYNC,
  type Written,
} from '../wire.ts';
import type { BodyReader, BodySink } from './body.ts';
import { type Http1RequestHead, Http1ResponseHead } from './message-head.ts';
import type { Outlet } from './outlet.ts';
import type { RequestHeadReader } from './request-head.ts';
import { writeLastChunk, writeResponseHead } from './response-writer.ts';
import type { TurnTask } from './turn.ts';
import type { WireContext } from './wire-context.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** How the end of the answer's body is told: not at all (`bodyless`), by length, in chunks, by closing; or raw bytes. */
type AnswerFraming = 'none-yet' | 'bodyless' | 'length' | 'chunked' | 'until-close' | 'tunnel';

/** What an exchange needs of its connection. */
export interface ExchangeOwner {
  readonly outlet: Outlet;
  /** Its listener takes nobody any more. */
  readonly isClosing: boolean;
  /** The connection has carried as many requests as it may. */
  readonly isLastExchange: boolean;
  /** The client takes its body from now on, or for the moment no more. */
  wantsBody(wanted: boolean): void;
  /** The answer has been handed over; the connection carries another request unless `closes`. */
  answered(exchange: ClientExchange, closes: boolean): void;
  /** From here on both directions are raw bytes. */
  becomeTunnel(): void;
  endTunnel(): void;
  cut(reset: boolean): void;
}

/** One request of a client, as long as it lasts. */
export class ClientExchange implements Downstream, BodySink, TurnTask {
  readonly head: Http1RequestHead;
  readonly body: BodyReader;
  paused = true;
  readonly #context: WireContext;
  readonly #reader: RequestHeadReader;
  /** Undefined once it is over. */
  #owner: ExchangeOwner | undefined;
  #handler: DownstreamHandler | undefined = undefined;
  #owesContinue: boolean;
  #framing: AnswerFraming = 'none-yet';
  #left = 0;
  #closes = false;
  #ended = false;

  constructor(
    context: WireContext,
    owner: ExchangeOwner,
    head: Http1RequestHead,
    reader: RequestHeadReader,
    body: BodyReader,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.head = head;
    this.#reader = reader;
    this.body = body;
    this.#owesContinue = reader.expectsContinue;
  }

  get reader(): RequestHeadReader {
    return this.#reader;
  }

  get isTunnel(): boolean {
    return this.#framing === 'tunnel';
  }

  /** The client has been told a status. */
  get hasBegunAnswer(): boolean {
    return this.#framing !== 'none-yet';
  }

  /** The answer is complete; it may still be on its way. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  attach(handler: DownstreamHandler): void {
    this.#handler = handler;
  }

  // ── the request's body ───────────────────────────────────────────────────────────────────────────────────────

  resume(): void {
    if (this.#owner === undefined) return;
    if (this.#owesContinue) {
      this.#owesContinue = false;
      if (this.#framing === 'none-yet') this.#owner.outlet.stage(CONTINUE.length).text(CONTINUE);
    }
    if (!this.paused) return;
    this.paused = false;
    this.#owner.wantsBody(true);
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.#owner?.wantsBody(false);
  }

  takeBody(chunk: Buffer): void {
    this.#handler?.onBody(chunk);
  }

  bodyEnded(): void {
    this.#handler?.onBodyEnd(this.isTunnel ? undefined : this.body.trailers);
  }

  /** Once all of the answer has been said it makes no difference any more: its connection closes anyway. */
  bodyFailed(status: 400 | 408, why: string): void {
    if (!this.#ended) this.#handler?.onBodyFault(status, why);
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  inform(head: ResponseHead): void {
    // A 100 is ours to say; HTTP/1.0 knows none of them.
    if (this.#owner === undefined || head.status === 100 || this.#reader.isHttp10) return;
    if (this.#framing !== 'none-yet') return;
    writeResponseHead(this.#owner.outlet, head, NO_RESPONSE_EDIT, { lines: '', date: undefined });
  }

  respond(head: ResponseHead, edit: ResponseEdit): boolean {
    const owner = this.#owner;
    if (owner === undefined) return true;
    const framing = this.#framingFor(head);
    const closes = this.#mustClose(framing);
    let lines = '';
    if (framing === 'chunked') lines += 'transfer-encoding: chunked\r\n';
    if (framing === 'tunnel') lines += `connection: Upgrade\r\nupgrade: ${this.head.upgrade}\r\n`;
    else if (closes) lines += 'connection: close\r\n';
    else if (this.#reader.isHttp10) lines += 'connection: keep-alive\r\n';
    const date = framing === 'tunnel' ? undefined : this.#context.date;
    if (!writeResponseHead(owner.outlet, head, edit, { lines, date })) return false;
    this.#framing = framing;
    this.#closes = closes;
    if (framing === 'tunnel') owner.becomeTunnel();
    return true;
  }

  #framingFor(head: ResponseHead): AnswerFraming {
    const { status } = head;
    if (status === 101) return 'tunnel';
    if (this.head.method === 'HEAD' || status === 204 || status === 304) return 'bodyless';
    const length = announcedLength(head);
    if (length !== undefined) {
      this.#left = length;
      return 'length';
    }
    return this.#reader.isHttp10 ? 'until-close' : 'chunked';
  }

  #mustClose(framing: AnswerFraming): boolean {
    return (
      framing === 'until-close' ||
      !this.#reader.keepAlive ||
      this.#owner?.isClosing === true ||
      this.#owner?.isLastExchange === true ||
      // An unread body would be taken for the next request, and so would what follows a switch that did not happen.
      this.body.state !== 'complete' ||
      this.head.upgrade !== undefined
    );
  }

  write(chunk: Uint8Array): Written {
    const owner = this.#owner;
    if (owner === undefined || this.#ended) return ERR;
    switch (this.#framing) {
      case 'bodyless':
        return SYNC;
      case 'chunked':
        return owner.outlet.sendChunk(chunk);
      case 'length':
        this.#left -= chunk.length;
        if (this.#left >= 0) return owner.outlet.send(chunk);
        // More than was announced would be the beginning of the next answer.
        this.abort();
        return ERR;
      default:
        return owner.outlet.send(chunk);
    }
  }

  end(trailers: FlatHeaders | undefined): void {
    const owner = this.#owner;
    if (owner === undefined || this.#ended) return;
    if (this.#framing === 'length' && this.#left > 0) {
      this.abort();
      return;
    }
    this.#ended = true;
    if (this.#framing === 'tunnel') {
      owner.endTunnel();
      return;
    }
    if (this.#framing === 'chunked') writeLastChunk(owner.outlet, trailers);
    this.#context.turn.atEnd(this);
  }

  abort(): void {
    // Without a length or chunks only a reset tells the client that this was not the end.
    this.#owner?.cut(this.#framing === 'until-close');
  }

  // ── the connection ───────────────────────────────────────────────────────────────────────────────────────────

  turnEnded(): void {
    if (this.#owner?.outlet.awaitClear() === true) this.#finish();
  }

  drained(): void {
    if (!this.#ended) this.#handler?.onClientDrain();
    else if (!this.isTunnel) this.#finish();
  }

  #finish(): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.#owner = undefined;
    this.#handler?.onClose(true);
    this.head.release();
    owner.answered(this, this.#closes || this.body.state !== 'complete');
  }

  /** The connection is closed. A tunnel is complete when the origin's half had ended. */
  gone(): void {
    if (this.#owner === undefined) return;
    this.#owner = undefined;
    this.#handler?.onClose(this.isTunnel && this.#ended);
    this.head.release();
  }
}

function announcedLength(head: ResponseHead): number | undefined {
  const reader = head instanceof Http1ResponseHead ? head.reader : undefined;
  if (reader !== undefined) return reader.lengthField >= 0 ? reader.bodyLength : undefined;
  const text = head.field('content-length');
  return text === undefined ? undefined : Number(text);
}
