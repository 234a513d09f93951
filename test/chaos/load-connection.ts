import { createConnection, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import { monotonicMs } from './monotonic.ts';
import type { OutcomeName, Side } from './samples.ts';

/** A request and, in the end, what became of it. */
export interface Pending {
  readonly dueAt: number;
  readonly unsafe: number;
  readonly outcome: OutcomeName;
  readonly side: Side;
}

const LAST_BYTE = 'z'.charCodeAt(0);

/** One connection of the load to a proxy: one request at a time. It never sends anything again by itself. */
export class LoadConnection {
  /** When the request that is under way was due. */
  dueAt = 0;
  /** Idle since then. */
  since = 0;
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  readonly #bodyBytes: number;
  readonly #done: (connection: LoadConnection, pending: Pending) => void;
  #unsafe = -1;
  #isBusy = false;
  #isOpen = true;

  constructor(port: number, bodyBytes: number, done: (connection: LoadConnection, pending: Pending) => void) {
    this.#bodyBytes = bodyBytes;
    this.#done = done;
    this.#socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (bytes) => this.#came(bytes));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('error', () => this.#lost());
    this.#socket.on('close', () => this.#lost());
  }

  get isReusable(): boolean {
    return this.#isOpen && !this.#isBusy;
  }

  send(request: string, dueAt: number, unsafe: number): void {
    this.dueAt = dueAt;
    this.#unsafe = unsafe;
    this.#isBusy = true;
    this.#reader.reset();
    this.#socket.write(request, 'latin1');
  }

  giveUp(): void {
    this.close();
    this.#finish('timeout');
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  #came(bytes: Buffer): void {
    // Nobody has asked: what comes now must not be taken for the next answer.
    if (!this.#isBusy) {
      this.close();
      return;
    }
    try {
      if (!this.#reader.push(bytes)) return;
    } catch {
      // Not HTTP any more, or more than was asked for: nobody may take that for an answer.
      this.close();
      this.#finish('forged');
      return;
    }
    if (this.#reader.closes) this.close();
    this.#finish(this.#verdict());
  }

  #ended(): void {
    const whole = this.#reader.ended();
    this.close();
    this.#finish(whole ? this.#verdict() : this.#broken());
  }

  #lost(): void {
    this.close();
    if (this.#isBusy) this.#finish(this.#broken());
  }

  /** Of an answer that claims to be whole. */
  #verdict(): OutcomeName {
    const { status, bodyBytes, lastByte } = this.#reader;
    if (status !== 200) return 'status';
    return bodyBytes === this.#bodyBytes && lastByte === LAST_BYTE ? 'ok' : 'forged';
  }

  #broken(): OutcomeName {
    return this.#reader.begun ? 'cut' : 'failed';
  }

  #finish(outcome: OutcomeName): void {
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.since = monotonicMs();
    const { origin } = this.#reader;
    const side = origin === 'primary' || origin === 'secondary' ? origin : 'nobody';
    this.#done(this, { dueAt: this.dueAt, unsafe: this.#unsafe, outcome, side });
  }
}
