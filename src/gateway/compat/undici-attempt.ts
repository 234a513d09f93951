import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { afterPoll } from '../after-poll.ts';
import { editRequest } from '../headers.ts';
import { plainHead } from '../outage-answers.ts';
import {
  type AttemptRequest,
  COMPLETED,
  ERR,
  type Failure,
  QUEUED,
  SYNC,
  type Upstream,
  type UpstreamHandler,
  type Written,
} from '../wire.ts';
import { connectFailure, failureAfterSending, protocolFailure } from './failures.ts';
import type { OriginPool, PooledClient } from './pool.ts';

/** One request on one of undici's clients, with the raw-header interface it keeps for proxies. */
export class UndiciAttempt implements Upstream, Dispatcher.DispatchHandler {
  readonly #handler: UpstreamHandler;
  readonly #pool: OriginPool;
  readonly #pooled: PooledClient;
  readonly #body: RequestBody | undefined;
  delivered = false;
  #over = false;
  #reused = false;
  #answerBegan = false;
  #paused = false;
  #abort: ((error?: Error) => void) | undefined;
  #resumeParser: (() => void) | undefined;

  constructor(request: AttemptRequest, handler: UpstreamHandler, pool: OriginPool) {
    const { head, origin, edit, stamp, fresh } = request;
    this.#handler = handler;
    this.#pool = pool;
    this.#pooled = pool.take(fresh);
    this.#body = head.bodyLength === 0 ? undefined : new RequestBody(() => this.#drained());
    const headers = editRequest(head, edit, stamp);
    headers.push('host', edit.host ?? head.host);
    if (head.bodyLength > 0) headers.push('content-length', String(head.bodyLength));
    const options = {
      // The methods are the client's; undici sends any token.
      method: head.method as Dispatcher.HttpMethod,
      path: head.target,
      headers,
      body: this.#body ?? null,
      ...(origin.sni === undefined ? {} : { servername: origin.sni }),
    };
    if (!request.once || this.#pooled.served === 0) this.#pooled.client.dispatch(options, this);
    else {
      // Whose connection has ended meanwhile opens another by itself.
      afterPoll(() => {
        if (!this.#over) this.#pooled.client.dispatch(options, this);
      });
    }
  }

  // ── Upstream ───────────────────────────────────────────────────────────────────────────────────────────────────

  write(chunk: Uint8Array): Written {
    const body = this.#body;
    if (body === undefined || body.destroyed || this.#over) return ERR;
    const room = body.push(chunk);
    // Until we are connected the client is asked for no more than we could send again.
    if (room && this.delivered) return SYNC;
    body.full = true;
    return QUEUED;
  }

  /** undici cannot send trailers. */
  end(): void {
    this.#body?.push(null);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#resumeParser?.();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#body?.destroy();
    this.#abort?.();
    this.#pool.discard(this.#pooled);
  }

  #drained(): void {
    if (!this.#over && this.delivered) this.#handler.onOriginDrain();
  }

  // ── undici ─────────────────────────────────────────────────────────────────────────────────────────────────────

  onConnect(abort: (error?: Error) => void): void {
    if (this.#over) {
      abort();
      return;
    }
    this.#abort = abort;
    this.#reused = this.#pooled.served > 0;
    this.#pooled.served += 1;
    this.delivered = true;
    this.#body?.wake();
  }

  onRequestSent(): void {
    if (!this.#over) this.#handler.onSent();
  }

  onResponseStarted(): void {
    this.#answerBegan = true;
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, reason: string): boolean {
    if (this.#over) return true;
    const headers = raw.map((part) => part.toString('latin1'));
    const head = plainHead(status, reason, headers);
    if (status < 200) {
      // A switch of protocols nobody asked for leaves no HTTP to go on with.
      if (status === 101) this.#fail(protocolFailure('a 101 nobody asked for'));
      else this.#handler.onInform(head);
      return true;
    }
    const coding = head.field('transfer-encoding');
    if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
      // undici takes off the chunks only; what is left would be taken for the content.
      this.#fail(protocolFailure('a transfer coding we do not know'));
      return true;
    }
    this.#resumeParser = resume;
    this.#handler.onHead(head);
    return !this.#paused;
  }

  onData(chunk: Buffer): boolean {
    if (!this.#over) this.#handler.onChunk(chunk);
    return !this.#paused;
  }

  onComplete(trailers: string[] | null): void {
    if (this.#over) return;
    this.#over = true;
    const flat = trailers === null || trailers.length === 0 ? undefined : trailers.map(latin1);
    this.#handler.onEnd(flat);
    this.#handler.onOutcome(COMPLETED);
    // A body that is still on its way makes undici close the connection.
    if (this.#body === undefined || this.#body.readableEnded) this.#pool.give(this.#pooled);
    else this.#pool.discard(this.#pooled);
  }

  onError(error: Error): void {
    if (this.#over) return;
    if (this.delivered) {
      this.#fail(failureAfterSending(error, this.#reused && !this.#answerBegan));
      return;
    }
    // undici may refuse a request at once, while the exchange is still setting the attempt up.
    queueMicrotask(() => {
      if (!this.#over) this.#fail(connectFailure(error));
    });
  }

  #fail(failure: Failure): void {
    this.#over = true;
    this.#body?.destroy();
    this.#abort?.();
    this.#pool.discard(this.#pooled);
    this.#handler.onOutcome(failure);
  }
}

function latin1(part: string | Buffer): string {
  return typeof part === 'string' ? part : part.toString('latin1');
}

/** What undici pulls the request body from. */
class RequestBody extends Readable {
  /** Somebody was told to stop writing. */
  full = false;
  readonly #onDrain: () => void;
  #awake = false;
  #wanted = false;

  constructor(onDrain: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#onDrain = onDrain;
    // Its end is the exchange's business; undici reports what matters.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#awake) this.#drain();
  }

  /** Connected: from now on what is read goes out. */
  wake(): void {
    this.#awake = true;
    if (this.#wanted || this.readableLength < this.readableHighWaterMark) this.#drain();
  }

  #drain(): void {
    if (!this.full) return;
    this.full = false;
    queueMicrotask(this.#onDrain);
  }
}
