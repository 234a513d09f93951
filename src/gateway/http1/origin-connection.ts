import { Buffer } from 'node:buffer';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { TrustOptions } from '../../lib/tls-trust.ts';
import type { WireOrigin } from '../wire.ts';
import { BodyReader } from './body.ts';
import { HeadIntake } from './head-intake.ts';
import { COPY_BYTES, Outlet } from './outlet.ts';
import type { ReadBuffer } from './read-buffers.ts';
import type { ResponseHeadReader } from './response-head.ts';
import type { WireContext } from './wire-context.ts';

/** What a connection tells the exchange it carries. */
export interface ConnectionUser {
  connected(): void;
  /** Bytes of the read buffer, valid until this returns. */
  came(bytes: Buffer, end: number): void;
  ended(): void;
  drained(): void;
  /** It is closed, with the error if there was one. */
  gone(error: Error | undefined): void;
  /** It streams, so that it should read into a buffer of its own. */
  readonly isStreaming: boolean;
}

/** What the connections to one origin have in common. */
export interface Handshake {
  readonly trust: TrustOptions;
  /** Of the last connection that proved itself: the next one need not do so again. */
  session: Buffer | undefined;
}

/** One connection to an origin. It carries one exchange at a time, or waits in its pool. */
export class OriginConnection {
  readonly socket: Socket;
  readonly outlet: Outlet;
  #reader: ResponseHeadReader | undefined = undefined;
  readonly intake = new HeadIntake();
  readonly body = new BodyReader();
  isConnected = false;
  /** False from the moment somebody ends it; asking the socket takes several look-ups. */
  isOpen = true;
  /** Exchanges it has carried to their end. */
  served = 0;
  /** Coarse; when it was opened or put back last. */
  since: number;
  user: ConnectionUser | undefined = undefined;
  readonly #context: WireContext;
  readonly #onClose: (connection: OriginConnection) => void;
  readonly #handshake: Handshake;
  #buffer: ReadBuffer;
  /** Heads are kept here, out of the way of the next read. */
  #headBytes = Buffer.alloc(0);
  #lastLength = 0;
  #error: Error | undefined = undefined;

  constructor(
    context: WireContext,
    origin: WireOrigin,
    handshake: Handshake,
    onClose: (connection: OriginConnection) => void,
  ) {
    this.#context = context;
    this.#onClose = onClose;
    this.#handshake = handshake;
    this.since = context.coarseNow;
    this.#buffer = context.buffers.shared;
    this.socket = this.#connect(origin);
    this.outlet = new Outlet(this.socket, context, () => this.#drained());
    this.socket.on(origin.secure ? 'secureConnect' : 'connect', () => this.#connected());
    this.socket.on('end', () => this.#ended());
    this.socket.on('error', (error) => {
      this.#error ??= error;
      this.isOpen = false;
    });
    this.socket.on('close', () => this.#closed());
  }

  #connect({ hostname, port, secure, sni }: WireOrigin): Socket {
    const options = {
      host: hostname,
      port,
      noDelay: true,
      // Each half of a tunnel ends on its own.
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#nextBuffer(),
        callback: (length: number) => {
          this.#came(length);
          return true;
        },
      },
    };
    if (!secure) return net.connect(options);
    const { trust, session } = this.#handshake;
    const socket = tls.connect({
      ...{ ...options, ...trust },
      ...(sni === undefined ? {} : { servername: sni }),
      ...(session === undefined ? {} : { session }),
    });
    // Node tells of it only when the other side has proved itself, which a resumed session need not do again.
    socket.on('session', (given) => {
      this.#handshake.session = given;
    });
    return socket;
  }

  /** Of the answer that is being read, from its first bytes on; `toHead`: it answers a HEAD. */
  readerFor(toHead: boolean): ResponseHeadReader {
    if (this.#reader === undefined) {
      this.#reader = this.#context.takeAnswerReader();
      this.#reader.toHead = toHead;
    }
    return this.#reader;
  }

  /** The answer has come to its end, and nobody looks at its head any more. */
  letReaderGo(): void {
    if (this.#reader !== undefined) this.#context.giveAnswerReader(this.#reader);
    this.#reader = undefined;
  }

  /** Copies the head that was just read, if it still stands in the read buffer. */
  keepHead(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const source = reader.fields.bytes;
    if (source !== this.#buffer.bytes) return;
    const length = reader.end - reader.start;
    if (this.#headBytes.length < length)
      this.#headBytes = Buffer.allocUnsafeSlow(Math.max(1_024, 2 * length));
    source.copy(this.#headBytes, 0, reader.start, reader.end);
    reader.moveTo(this.#headBytes);
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.isOpen = false;
    this.socket.destroy();
  }

  // ── the socket ───────────────────────────────────────────────────────────────────────────────────────────────

  #connected(): void {
    const { turn } = this.#context;
    turn.begin();
    this.isConnected = true;
    this.user?.connected();
    turn.end();
  }

  #came(length: number): void {
    const { turn, buffers } = this.#context;
    const buffer = this.#buffer;
    this.#lastLength = length;
    turn.begin();
    buffers.lending = buffer;
    // Nobody has asked: whatever it is, the next exchange must not take it for its answer.
    if (this.user === undefined) this.destroy();
    else this.user.came(buffer.bytes, length);
    buffers.finished(buffer, length);
    turn.end();
  }

  /** Node asks after each read where the next one shall go. */
  #nextBuffer(): Buffer {
    const { buffers } = this.#context;
    const buffer = this.#buffer;
    // Small reads are copied into what is written anyway.
    const wantsOwn = this.#lastLength > COPY_BYTES && this.user?.isStreaming === true && this.isOpen;
    if (wantsOwn ? buffer.isShared || buffer.holds > 0 : !buffer.isShared) {
      buffers.giveBack(buffer);
      this.#buffer = wantsOwn ? buffers.borrow() : buffers.shared;
    }
    return this.#buffer.bytes;
  }

  #ended(): void {
    const { turn } = this.#context;
    turn.begin();
    if (this.user === undefined) this.destroy();
    else this.user.ended();
    turn.end();
  }

  #drained(): void {
    const { turn } = this.#context;
    turn.begin();
    this.user?.drained();
    turn.end();
  }

  #closed(): void {
    const { turn, buffers } = this.#context;
    turn.begin();
    // Whatever it was, the next handshake shall not fail of it.
    if (!this.isConnected) this.#handshake.session = undefined;
    this.isConnected = false;
    this.isOpen = false;
    this.outlet.gone();
    buffers.giveBack(this.#buffer);
    this.#buffer = buffers.shared;
    this.#onClose(this);
    const { user } = this;
    this.user = undefined;
    user?.gone(this.#error);
    turn.end();
  }
}
