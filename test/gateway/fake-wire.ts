import type { Clock, Random } from '../../src/core/ports.ts';
import { plainHead } from '../../src/gateway/outage-answers.ts';
import {
  type AttemptRequest,
  COMPLETED,
  type Downstream,
  type DownstreamHandler,
  type FailureClass,
  type RequestHead,
  type ResponseHead,
  SYNC,
  type Upstream,
  type UpstreamHandler,
  type Wire,
  type WireOrigin,
  type Written,
} from '../../src/gateway/wire.ts';

/** What an attempt meets. Those in `PROVABLY_NOTHING` executed nothing; any other one may have. */
export const FATES = [
  'refused',
  'connect-reset',
  'connect-timeout',
  'tls',
  'unknown_route',
  'no_endpoints',
  'stale',
  'reset',
  'protocol',
  'hang',
  'cut',
  '200',
  '500',
  '502',
  '503',
  '504',
] as const;
export type Fate = (typeof FATES)[number];

export const PROVABLY_NOTHING: ReadonlySet<Fate> = new Set([
  'refused',
  'connect-reset',
  'connect-timeout',
  'tls',
  'unknown_route',
  'no_endpoints',
]);

export interface Wish {
  readonly method: string;
  readonly key: boolean;
  readonly bodyBytes: number;
  /** Milliseconds after which the client goes away; undefined: stays. */
  readonly abortAt: number | undefined;
  /** Default `/`. */
  readonly target?: string;
}

/** A client in memory: what became of its one request. */
export class FakeClient implements Downstream {
  readonly head: RequestHead;
  /** 0: no head yet. */
  status = 0;
  heads = 0;
  answer: ResponseHead | undefined;
  over = false;
  complete = false;
  /** Of the attempts that reached somebody. */
  readonly fates: Fate[] = [];
  attemptsAfterHead = 0;
  /** Attempts that were given less or more of the body than it has. */
  crippled = 0;
  readonly #clock: Clock;
  #handler: DownstreamHandler | undefined;
  #left: number;
  #flowing = false;
  #scheduled = false;

  constructor(wish: Wish, clock: Clock) {
    this.#clock = clock;
    this.#left = wish.bodyBytes;
    const headers = ['host', 'x', ...(wish.key ? ['idempotency-key', '1'] : [])];
    const { field } = plainHead(0, '', headers);
    this.head = {
      method: wish.method,
      target: wish.target ?? '/',
      host: 'x',
      bodyLength: wish.bodyBytes,
      upgrade: undefined,
      headers,
      peer: { address: '127.0.0.1', trusted: false, encrypted: false, localPort: 80, identity: undefined },
      field,
    };
    if (wish.abortAt !== undefined) clock.after(wish.abortAt, () => this.#close(false));
  }

  attach(handler: DownstreamHandler): void {
    this.#handler = handler;
  }

  resume(): void {
    this.#flowing = true;
    this.#flow();
  }

  pause(): void {
    this.#flowing = false;
  }

  inform(): void {}

  respond(head: ResponseHead): boolean {
    this.heads += 1;
    this.status = head.status;
    this.answer = head;
    return true;
  }

  write(): Written {
    return SYNC;
  }

  end(): void {
    this.#clock.after(1, () => this.#close(true));
  }

  abort(): void {
    this.#clock.after(1, () => this.#close(false));
  }

  #flow(): void {
    if (this.#scheduled || this.#left === 0) return;
    this.#scheduled = true;
    this.#clock.after(1, () => {
      this.#scheduled = false;
      if (!this.#flowing || this.over) return;
      const size = Math.min(this.#left, 40_000);
      this.#left -= size;
      this.#handler?.onBody(new Uint8Array(size));
      if (this.#left === 0) this.#handler?.onBodyEnd(undefined);
      else this.#flow();
    });
  }

  #close(complete: boolean): void {
    if (this.over) return;
    this.over = true;
    this.complete = complete;
    this.#handler?.onClose(complete);
  }
}

interface Script {
  readonly fate: Fate;
  readonly after: (run: () => void) => void;
  readonly onDelivered: () => void;
  readonly onEnded: (bytes: number) => void;
}

class FakeUpstream implements Upstream {
  delivered = false;
  over = false;
  readonly #handler: UpstreamHandler;
  readonly #bodyless: boolean;
  readonly #onEnded: (bytes: number) => void;
  #bytes = 0;
  #ended = false;
  #paused = false;
  #rest: (() => void)[] = [];

  constructor(
    { head }: AttemptRequest,
    handler: UpstreamHandler,
    { fate, after, onDelivered, onEnded }: Script,
  ) {
    this.#onEnded = onEnded;
    this.#handler = handler;
    this.#bodyless = head.bodyLength === 0;
    after(() => {
      if (this.over) return;
      if (fate === 'refused' || fate === 'connect-reset' || fate === 'connect-timeout' || fate === 'tls') {
        this.#fail(fate, false);
        return;
      }
      this.delivered = true;
      onDelivered();
      handler.onOriginDrain();
      if (this.#bodyless || this.#ended) handler.onSent();
      after(() => this.#meet(fate));
    });
  }

  write(chunk: Uint8Array): Written {
    this.#bytes += chunk.length;
    return SYNC;
  }

  end(): void {
    this.#ended = true;
    this.#onEnded(this.#bytes);
    if (this.delivered && !this.over) this.#handler.onSent();
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

  #meet(fate: Fate): void {
    if (this.over || fate === 'hang') return;
    if (fate === 'stale' || fate === 'reset' || fate === 'protocol') {
      this.#fail(fate === 'protocol' ? fate : 'reset', true, fate === 'stale');
      return;
    }
    const isRouter = fate === 'unknown_route' || fate === 'no_endpoints';
    const status = isRouter ? (fate === 'unknown_route' ? 404 : 503) : fate === 'cut' ? 200 : Number(fate);
    this.#rest = [
      () => this.#handler.onChunk(new Uint8Array(3)),
      ...(fate === 'cut'
        ? [() => this.#fail('reset', true)]
        : [() => this.#handler.onEnd(undefined), () => this.#complete()]),
    ];
    this.#handler.onHead(plainHead(status, '', isRouter ? ['x-cf-routererror', fate] : []));
    this.#flow();
  }

  #flow(): void {
    while (!this.#paused && !this.over) {
      const next = this.#rest.shift();
      if (next === undefined) return;
      next();
    }
  }

  #complete(): void {
    this.over = true;
    this.#handler.onOutcome(COMPLETED);
  }

  #fail(why: FailureClass, delivered: boolean, stale = false): void {
    this.over = true;
    this.#handler.onOutcome({ kind: 'failed', class: why, delivered, stale, detail: why });
  }
}

export interface FakeWire extends Wire {
  send(wish: Wish): FakeClient;
  /** Attempts that nobody has ended. */
  readonly open: number;
  /** The most of them that one origin ever had. */
  readonly crowd: number;
}

/** No sockets: attempts meet their fates in turn, after some milliseconds of the clock. */
export function createFakeWire(
  clock: Clock,
  random: Random,
  fates: readonly Fate[],
  fateAt: (origin: WireOrigin) => Fate | undefined = () => undefined,
): FakeWire {
  const clients = new Map<RequestHead, FakeClient>();
  const attempts: FakeUpstream[] = [];
  const origins: WireOrigin[] = [];
  let crowd = 0;
  let accept: (downstream: Downstream) => void = () => undefined;
  return {
    async listen(_at, acceptor) {
      accept = acceptor;
      return [80];
    },
    relisten: async () => [80],
    attempt(request, handler) {
      const fate = fateAt(request.origin) ?? fates[attempts.length % fates.length] ?? '200';
      const client = clients.get(request.head);
      if (client !== undefined && client.heads > 0) client.attemptsAfterHead += 1;
      const upstream = new FakeUpstream(request, handler, {
        fate,
        after: (run) => void clock.after(1 + Math.floor(random() * 30), run),
        onDelivered: () => client?.fates.push(fate),
        onEnded(bytes) {
          if (client !== undefined && bytes !== request.head.bodyLength) client.crippled += 1;
        },
      });
      attempts.push(upstream);
      origins.push(request.origin);
      const here = attempts.filter(({ over }, i) => !over && origins[i] === request.origin);
      crowd = Math.max(crowd, here.length);
      return upstream;
    },
    send(wish) {
      const client = new FakeClient(wish, clock);
      clients.set(client.head, client);
      accept(client);
      return client;
    },
    get crowd() {
      return crowd;
    },
    get open() {
      return attempts.filter(({ over }) => !over).length;
    },
    retire() {},
    drain() {},
    async close() {},
  };
}
