import type { Clock } from '../../src/core/ports.ts';
import { plainHead } from '../../src/gateway/outage-answers.ts';
import {
  type AttemptRequest,
  COMPLETED,
  type Downstream,
  type Failure,
  SYNC,
  type Upstream,
  type UpstreamHandler,
  type Wire,
} from '../../src/gateway/wire.ts';
import { FakeClient, type Wish } from './fake-wire.ts';

/** An attempt that goes as the test says, when it says so. */
export class HeldAttempt implements Upstream {
  readonly request: AttemptRequest;
  delivered = false;
  over = false;
  readonly #handler: UpstreamHandler;
  #paused = false;
  #rest: (() => void)[] = [];

  constructor(request: AttemptRequest, handler: UpstreamHandler) {
    this.request = request;
    this.#handler = handler;
  }

  /** It is connected and the request has gone out, whole if it has no body. */
  send(): this {
    this.delivered = true;
    if (this.request.head.bodyLength === 0) this.#handler.onSent();
    else this.#handler.onOriginDrain();
    return this;
  }

  answer(status = 200): void {
    if (!this.delivered) this.send();
    this.#rest = [
      () => this.#handler.onEnd(undefined),
      () => {
        this.over = true;
        this.#handler.onOutcome(COMPLETED);
      },
    ];
    this.begin(status);
    this.#flow();
  }

  /** The head alone: what follows never ends. */
  begin(status = 200, headers: readonly string[] = []): void {
    if (!this.delivered) this.send();
    this.#handler.onHead(plainHead(status, '', headers));
  }

  fail(failure: Partial<Failure>): void {
    this.over = true;
    const whole: Failure = {
      kind: 'failed',
      class: 'refused',
      delivered: this.delivered,
      stale: false,
      detail: '',
    };
    this.#handler.onOutcome({ ...whole, ...failure });
  }

  write(): typeof SYNC {
    return SYNC;
  }

  end(): void {
    if (this.delivered) this.#handler.onSent();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  abort(): void {
    this.over = true;
  }

  #flow(): void {
    while (!this.#paused && !this.over) {
      const next = this.#rest.shift();
      if (next === undefined) return;
      next();
    }
  }
}

export interface HeldWire extends Wire {
  readonly attempts: readonly HeldAttempt[];
  /** Those under way there, by the host of the origin. */
  at(hostname: string): readonly HeldAttempt[];
  send(wish?: Partial<Wish>): FakeClient;
}

export function createHeldWire(clock: Clock): HeldWire {
  const attempts: HeldAttempt[] = [];
  let accept: (downstream: Downstream) => void = () => undefined;
  return {
    attempts,
    at: (hostname) => attempts.filter(({ over, request }) => !over && request.origin.hostname === hostname),
    async listen(_at, acceptor) {
      accept = acceptor;
      return [80];
    },
    async relisten() {
      return [80];
    },
    attempt(request, handler) {
      const attempt = new HeldAttempt(request, handler);
      attempts.push(attempt);
      return attempt;
    },
    send(wish = {}) {
      const client = new FakeClient(
        { method: 'GET', key: false, bodyBytes: 0, abortAt: undefined, ...wish },
        clock,
      );
      accept(client);
      return client;
    },
    retire() {},
    drain() {},
    async close() {},
  };
}
