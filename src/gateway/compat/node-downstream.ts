import type { IncomingMessage, ServerResponse } from 'node:http';
import { editResponse, type ResponseEdit } from '../headers.ts';
import {
  type Downstream,
  type DownstreamHandler,
  ERR,
  type FlatHeaders,
  QUEUED,
  type RequestHead,
  type ResponseHead,
  SYNC,
  type Written,
} from '../wire.ts';

/** One request of node:http's server. */
export class NodeDownstream implements Downstream {
  readonly head: RequestHead;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #draining: () => boolean;
  #handler: DownstreamHandler | undefined;
  #expectsContinue: boolean;
  #bodyBegan = false;

  constructor(
    head: RequestHead,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
    draining: () => boolean,
  ) {
    this.head = head;
    this.#request = request;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
    this.#draining = draining;
  }

  attach(handler: DownstreamHandler): void {
    const request = this.#request;
    const response = this.#response;
    this.#handler = handler;
    response.on('drain', () => handler.onClientDrain());
    let isOver = false;
    const close = (): void => {
      if (isOver) return;
      isOver = true;
      request.socket.off('close', close);
      handler.onClose(response.writableFinished);
    };
    response.on('close', close);
    // Answers that wait for others on their connection are told nothing when it closes.
    request.socket.setMaxListeners(0).on('close', close);
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    if (this.head.bodyLength === 0) return;
    request.pause();
    request.on('data', (chunk: Buffer) => handler.onBody(chunk));
    request.on('end', () => {
      const trailers = request.rawTrailers;
      handler.onBodyEnd(trailers.length === 0 ? undefined : trailers);
    });
  }

  /** node's parser gave up. False when that is not about this request's body, or too late to be said. */
  bodyBroke(): boolean {
    if (this.#request.complete || this.head.bodyLength === 0 || this.#response.headersSent) return false;
    this.#handler?.onBodyFault(400, 'a malformed body');
    return true;
  }

  resume(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      this.#response.writeContinue();
    }
    this.#request.resume();
  }

  pause(): void {
    this.#request.pause();
  }

  inform(head: ResponseHead): void {
    // node:http can send 103 with links; other 1xx carry nothing a client needs.
    const link = head.status === 103 ? head.field('link') : undefined;
    if (link === undefined || this.#request.httpVersion === '1.0' || this.#response.headersSent) return;
    try {
      this.#response.writeEarlyHints({ link });
    } catch {
      // A Link that node finds malformed is only a hint lost.
    }
  }

  respond(head: ResponseHead, edit: ResponseEdit): boolean {
    const response = this.#response;
    const headers = editResponse(head, edit);
    // An unread body would be taken for the next request, or drained for ever.
    if (this.#draining() || (this.head.bodyLength !== 0 && !this.#request.complete)) {
      headers.push('connection', 'close');
    }
    response.sendDate = head.field('date') === undefined;
    try {
      response.writeHead(head.status, head.reason, headers);
      // One packet for head and body when the body is at hand, and no waiting for it when it is not.
      queueMicrotask(() => {
        if (!this.#bodyBegan) response.flushHeaders();
      });
    } catch {
      return false;
    }
    return true;
  }

  write(chunk: Uint8Array): Written {
    if (this.#response.destroyed) return ERR;
    this.#bodyBegan = true;
    return this.#response.write(chunk) ? SYNC : QUEUED;
  }

  end(trailers: FlatHeaders | undefined): void {
    if (trailers !== undefined && this.#response.chunkedEncoding) {
      try {
        this.#response.addTrailers(pairs(trailers));
      } catch {
        // A value node would not send: the answer is whole without it.
      }
    }
    this.#bodyBegan = true;
    this.#response.end();
  }

  abort(): void {
    const { socket } = this.#response;
    // Without a length or chunks only a reset tells the client that this was not the end.
    // TLS has an end of its own, which destroying it does not say.
    const isBare = socket !== null && !this.head.peer.encrypted;
    if (isBare && !this.#response.chunkedEncoding && !this.#response.hasHeader('content-length')) {
      socket.resetAndDestroy();
    } else this.#response.destroy();
    this.#request.destroy();
  }
}

function pairs(flat: FlatHeaders): [string, string][] {
  const all: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) all.push([flat[i]!, flat[i + 1]!]);
  return all;
}
