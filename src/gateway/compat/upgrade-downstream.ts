import type { Duplex } from 'node:stream';
import { editResponse, type ResponseEdit } from '../headers.ts';
import {
  type Downstream,
  type DownstreamHandler,
  ERR,
  QUEUED,
  type RequestHead,
  type ResponseHead,
  SYNC,
  type Written,
} from '../wire.ts';

const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A client that asked to switch protocols: node has taken its parser away and we hold the bare socket. */
export class UpgradeDownstream implements Downstream {
  readonly head: RequestHead;
  readonly #socket: Duplex;
  #switched = false;

  constructor(head: RequestHead, socket: Duplex, first: Buffer) {
    this.head = head;
    this.#socket = socket;
    socket.pause();
    if (first.length > 0) socket.unshift(first);
  }

  attach(handler: DownstreamHandler): void {
    const socket = this.#socket;
    let finished = false;
    socket.on('data', (chunk: Buffer) => handler.onBody(chunk));
    socket.on('end', () => handler.onBodyEnd(undefined));
    socket.on('drain', () => handler.onClientDrain());
    socket.on('finish', () => {
      finished = true;
      // A refused upgrade ends the connection; the client may never send its own end.
      if (!this.#switched) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => handler.onClose(finished));
    // Paused as it is it would not notice that its client has gone; this reads into the buffer and no further.
    socket.read(0);
  }

  resume(): void {
    this.#socket.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  inform(): void {
    // Nothing useful can be said before a switch.
  }

  respond(head: ResponseHead, edit: ResponseEdit): boolean {
    this.#switched = head.status === 101;
    const headers = editResponse(head, edit);
    if (this.#switched) headers.push('connection', 'Upgrade', 'upgrade', this.head.upgrade ?? 'websocket');
    // Close-delimited, unless it has a length: the body comes without its chunks.
    else headers.push('connection', 'close');
    let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      if (!FIELD_VALUE.test(headers[i + 1]!)) return false;
      text += `${headers[i]}: ${headers[i + 1]}\r\n`;
    }
    this.#socket.write(`${text}\r\n`, 'latin1');
    return true;
  }

  write(chunk: Uint8Array): Written {
    if (this.#socket.destroyed) return ERR;
    return this.#socket.write(chunk) ? SYNC : QUEUED;
  }

  end(): void {
    this.#socket.end();
  }

  abort(): void {
    this.#socket.destroy();
  }
}
