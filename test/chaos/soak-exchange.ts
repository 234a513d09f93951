import { createConnection, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

/** When a client gives up on purpose. */
export type GivesUp =
  | { readonly when: 'never' }
  /** After the request was sent: before the head, or anywhere in the answer. */
  | { readonly when: 'after'; readonly ms: number }
  /** Once so many bytes of the answer's body came. */
  | { readonly when: 'reading'; readonly bytes: number }
  /** Once so many bytes of the request's body were written. */
  | { readonly when: 'uploading'; readonly bytes: number };

export interface SoakRequest {
  readonly head: string;
  /** Bytes of the body, sent piece by piece. */
  readonly upload: number;
  readonly givesUp: GivesUp;
}

/** `failed` with the reason: a status, or that there was no answer. */
export type SoakOutcome =
  | { readonly kind: 'done' | 'aborted' | 'cut' }
  | { readonly kind: 'failed'; readonly why: string };

const PIECE = Buffer.alloc(16_384, 'x');
const PIECE_EVERY_MS = 1;
const TIMEOUT_MS = 20_000;

/** A client's connection; opened by its first request, and again after each that left it unusable. */
export class SoakClient {
  readonly #port: number;
  #socket: Socket | undefined;
  /** Of this connection. */
  #error: string | undefined;
  /** Requests on this connection before. */
  #served = 0;

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  exchange({ head, upload, givesUp }: SoakRequest): Promise<SoakOutcome> {
    const socket = this.#connected();
    const reader = new AnswerReader();
    const startedAt = performance.now();
    return new Promise((resolve) => {
      let isOver = false;
      let sent = 0;
      const timers = new Set<NodeJS.Timeout>();
      const settle = (outcome: SoakOutcome, keeps: boolean): void => {
        if (isOver) return;
        isOver = true;
        for (const timer of timers) clearTimeout(timer);
        socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
        this.#served += 1;
        // What was announced and never sent would be taken out of the next request.
        if (!keeps || sent < upload) this.close();
        resolve(outcome);
      };
      const giveUp = (): void => settle({ kind: 'aborted' }, false);
      const whole = (): void => {
        const { status } = reader;
        if (status === 200) settle({ kind: 'done' }, !reader.closes);
        else settle({ kind: 'failed', why: `status ${status}` }, !reader.closes);
      };
      const broken = (how: string): void => {
        const ms = Math.round(performance.now() - startedAt);
        const where = `${head.slice(0, head.indexOf(' HTTP'))}, request ${this.#served + 1} of its connection`;
        const why = `no answer after ${ms} ms, ${how}: ${where}`;
        settle(reader.begun ? { kind: 'cut' } : { kind: 'failed', why }, false);
      };

      socket.on('data', (bytes) => {
        try {
          if (reader.push(bytes)) whole();
          else if (givesUp.when === 'reading' && reader.bodyBytes >= givesUp.bytes) giveUp();
        } catch (error) {
          settle({ kind: 'failed', why: (error as Error).message }, false);
        }
      });
      socket.on('end', () => (reader.ended() ? whole() : broken('an end')));
      socket.on('close', () => broken(this.#error ?? 'closed'));
      timers.add(setTimeout(() => settle({ kind: 'failed', why: 'timeout' }, false), TIMEOUT_MS));
      socket.write(head);
      if (givesUp.when === 'after') timers.add(setTimeout(giveUp, givesUp.ms));

      const send = (): void => {
        if (isOver || sent >= upload) return;
        if (givesUp.when === 'uploading' && sent >= givesUp.bytes) {
          giveUp();
          return;
        }
        const size = Math.min(PIECE.length, upload - sent);
        socket.write(PIECE.subarray(0, size));
        sent += size;
        timers.add(setTimeout(send, PIECE_EVERY_MS));
      };
      send();
    });
  }

  /** Upgrades, sends a frame every now and then, and leaves after `ms`: politely or not. */
  upgrade(head: string, ms: number, politely: boolean): Promise<SoakOutcome> {
    this.close();
    const socket = this.#connected();
    return new Promise((resolve) => {
      let text = '';
      let isOpen = false;
      const timers = new Set<NodeJS.Timeout>();
      const settle = (outcome: SoakOutcome): void => {
        for (const timer of timers) clearTimeout(timer);
        // Its end comes later, when there may be another connection already.
        socket.removeAllListeners('data').removeAllListeners('close');
        this.close();
        resolve(outcome);
      };
      socket.on('data', (bytes: Buffer) => {
        if (isOpen) return;
        text += bytes.toString('latin1');
        if (!text.includes('\r\n\r\n')) return;
        isOpen = text.startsWith('HTTP/1.1 101');
        if (!isOpen) {
          settle({ kind: 'failed', why: text.slice(0, text.indexOf('\r\n')) });
          return;
        }
        timers.add(setInterval(() => socket.write(TICK), FRAME_EVERY_MS));
        timers.add(setTimeout(() => (politely ? socket.end() : settle({ kind: 'done' })), ms));
      });
      // After our polite end the other half ends too; before it, somebody died.
      socket.on('close', () => settle(isOpen ? { kind: 'done' } : { kind: 'failed', why: 'no answer' }));
      timers.add(setTimeout(() => settle({ kind: 'failed', why: 'timeout' }), TIMEOUT_MS));
      socket.write(head);
    });
  }

  #connected(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.readyState !== 'writeOnly') {
      return this.#socket;
    }
    const socket = createConnection({ host: '127.0.0.1', port: this.#port, noDelay: true });
    this.#error = undefined;
    // 'close' follows.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = `${error.syscall ?? ''} ${error.code ?? error.message}`.trim();
    });
    this.#socket = socket;
    this.#served = 0;
    return socket;
  }
}

const FRAME_EVERY_MS = 50;
/** A text frame of a client, RFC 6455 5.2: final, masked with zeros, "tick". */
const TICK = Buffer.concat([Buffer.from([0x81, 0x84, 0, 0, 0, 0]), Buffer.from('tick')]);
