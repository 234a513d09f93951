import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock, Dispose } from '../core/ports.ts';
import { type Classified, classifyError, type ProbeAnswer } from './classify.ts';
import { BODY_LIMIT, type Next, readAnswer } from './probe-answer.ts';
import { type Connected, type Connecting, connectTo } from './probe-connection.ts';
import type { ProbeTarget } from './probes.ts';

/** What is sent, and what is made of the answer. */
export interface Question {
  readonly request: string;
  readonly wantsBody: boolean;
  readonly classify: (answer: ProbeAnswer) => Classified;
}

export interface Wish {
  /** Undefined: to be let in is the answer. */
  readonly question: Question | undefined;
  readonly timeoutMs: number;
  /** May it be asked again? The request has to say the same. */
  readonly keep: boolean;
}

/** Stale: a connection that was kept ended before it answered, which says nothing of who is behind it. */
export type Outcome = Classified | 'stale';

/**
 * `asked`: somebody waits for the answer. `draining`: they have it, and the rest of it is still to come. `leaving`: never
 * to be used again, the other side is to close it.
 */
type Phase = 'asked' | 'draining' | 'free' | 'leaving' | 'closed';

/** The rest of a page that comes in more pieces or is longer than that is not worth keeping the connection for. */
const MOST_PIECES = 16;
const DRAIN_LIMIT = 16_384;
const NOTHING = Buffer.alloc(0);

/** A connection that is asked one question at a time. Its handlers stay the same however often that is. */
export class AskedConnection {
  readonly openedAt: number;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #phase: Phase = 'asked';
  #wish: Wish | undefined;
  #resolve: ((outcome: Outcome) => void) | undefined;
  #expire: Dispose = () => undefined;
  #questions = 0;
  #received: Buffer = NOTHING;
  #pieces = 0;
  #seen = 0;
  #certificateDays: number | undefined;

  constructor(target: ProbeTarget, connecting: Connecting, clock: Clock) {
    this.#clock = clock;
    this.openedAt = clock.monotonic();
    this.#socket = connectTo(target, connecting, clock.now, (how) => this.#connected(how));
    this.#socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    this.#socket.on('end', () => this.#end());
    this.#socket.on('error', (error) => this.#fail(classifyError(error)));
    this.#socket.on('close', () => this.#closed());
  }

  /** How often it was asked. */
  get questions(): number {
    return this.#questions;
  }

  /** Undefined without TLS. */
  get certificateDays(): number | undefined {
    return this.#certificateDays;
  }

  /** Open, its last answer read to the end, and the other side means to keep it too. */
  get isFree(): boolean {
    return this.#phase === 'free';
  }

  /** Never rejects. The first question waits for the connection; later ones only while it is free. */
  ask(wish: Wish): Promise<Outcome> {
    const isFirst = this.#questions++ === 0;
    this.#wish = wish;
    this.#phase = 'asked';
    this.#pieces = 0;
    this.#seen = 0;
    this.#expire = this.#clock.after(wish.timeoutMs, () => this.#timeOut());
    return new Promise((resolve) => {
      this.#resolve = resolve;
      if (isFirst || wish.question === undefined) return;
      this.#socket.ref();
      this.#socket.write(wish.question.request, 'latin1');
    });
  }

  /** At once, whatever it is about. */
  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#expire();
    this.#received = NOTHING;
    leave(this.#socket);
    this.#settle({ ok: false, detail: 'closed' });
  }

  #connected({ certificateDays, distrusted }: Connected): void {
    this.#certificateDays = certificateDays;
    const question = this.#wish?.question;
    if (distrusted === true) this.#finish({ ok: false, detail: 'tls' });
    else if (question === undefined) this.#finish({ ok: true, detail: 'ok' });
    else this.#socket.write(question.request, 'latin1');
  }

  #hear(chunk: Buffer): void {
    this.#seen += chunk.length;
    switch (this.#phase) {
      case 'asked':
      case 'draining':
        this.#received = this.#received === NOTHING ? chunk : Buffer.concat([this.#received, chunk]);
        this.#read(false);
        return;
      case 'leaving':
        if (this.#seen > BODY_LIMIT) this.close();
        return;
      default:
        // Nobody asked: what came before a question must not be taken for its answer.
        this.close();
    }
  }

  #end(): void {
    if (this.#phase === 'asked') this.#read(true);
    if (this.#phase === 'draining' || this.#phase === 'free') this.close();
  }

  #read(ended: boolean): void {
    const question = this.#wish?.question;
    if (question === undefined) return;
    const reading = readAnswer(this.#received, question.wantsBody, ended);
    if (reading.kind === 'not-http') this.#finish({ ok: false, detail: 'not HTTP' });
    else if (reading.kind === 'answer') this.#take(reading.answer, ended ? 'close' : reading.next);
    else if (ended) this.#fail('reset');
  }

  #take(answer: ProbeAnswer, next: Next): void {
    const isAsked = this.#phase === 'asked';
    // Some close what was idle with a word about it, which then looks like the answer to what we have just sent.
    if (isAsked && this.#isKept && answer.status === 408) {
      this.#finish('stale');
      return;
    }
    this.#go(this.#wish?.keep === true ? next : 'close');
    if (isAsked && this.#wish?.question !== undefined) this.#settle(this.#wish.question.classify(answer));
  }

  /** What becomes of it after an answer; the limit of time goes on until there is nothing more to come. */
  #go(next: Next): void {
    const isLong = ++this.#pieces > MOST_PIECES || this.#received.length > DRAIN_LIMIT;
    if (next === 'more' && !isLong) {
      this.#phase = 'draining';
      return;
    }
    this.#received = NOTHING;
    if (next !== 'again') {
      // The rest is let in until the other side closes, as it was asked to: who closes first keeps the port for a minute.
      this.#phase = 'leaving';
      return;
    }
    this.#expire();
    this.#phase = 'free';
  }

  #timeOut(): void {
    this.#settle({ ok: false, detail: 'timeout' });
    this.close();
  }

  #fail(detail: string): void {
    this.#finish(this.#isKept && this.#seen === 0 ? 'stale' : { ok: false, detail });
  }

  #finish(outcome: Outcome): void {
    this.#settle(outcome);
    this.close();
  }

  #closed(): void {
    this.#expire();
    this.#phase = 'closed';
    this.#fail('reset');
  }

  get #isKept(): boolean {
    return this.#questions > 1;
  }

  #settle(outcome: Outcome): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    this.#socket.unref();
    resolve(outcome);
  }
}

/** Without a port that waits for stragglers: at thousands of probes a second they would run out. */
function leave(socket: Socket): void {
  if (socket.connecting || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
