import type { Random } from '../core/ports.ts';
import { type FreshLines, FreshMarks, freshLines, GivenMarks, type RequestMarks } from './request-marks.ts';
import type { RequestHead } from './wire.ts';

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const SANE_ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;
const NO_TRACE = '0'.repeat(32);
const NO_PARENT = '0'.repeat(16);

/**
 * Ids for requests and traces, unique rather than unguessable: a part drawn when the worker starts, and a count or a
 * draw for each. A call to the system's generator for each would cost as much as the rest of the head.
 */
export class RequestIds {
  readonly #random: Random;
  /** Twelve digits. */
  readonly #worker: string;
  /** Sixteen digits, never all zeros, whatever is drawn. */
  readonly #trace: string;
  #via: string;
  #fresh: FreshLines;
  #count = 0;

  constructor(random: Random, via: string) {
    this.#random = random;
    this.#worker = `${hex(this.#draw())}${hex(this.#draw()).slice(0, 4)}`;
    this.#trace = `${hex(this.#draw())}${hex(this.#draw()).slice(0, 7)}1`;
    this.#fresh = freshLines(via, this.#worker, this.#trace);
    this.#via = via;
  }

  /** Another element of Via for what comes from now on. */
  tune(via: string): void {
    this.#via = via;
    this.#fresh = freshLines(via, this.#worker, this.#trace);
  }

  /**
   * A trusted proxy may have given the request an id already, anybody a trace: then it is continued with us as the
   * parent. A trace that is missing or malformed is begun, not sampled.
   */
  marks(head: RequestHead): RequestMarks {
    const id = givenId(head);
    const given = givenTrace(head);
    const count = this.#count + 1;
    // As integers of 32 bits: larger numbers would each be an object.
    this.#count = count | 0;
    const fresh = new FreshMarks(
      this.#via,
      this.#fresh,
      count | 0,
      this.#draw(),
      this.#draw(),
      this.#draw(),
      this.#draw(),
    );
    if (id === undefined && given === undefined) return fresh;
    const traceparent = given === undefined ? fresh.traceparent : continued(given, fresh.traceparent);
    return new GivenMarks(this.#via, id ?? fresh.requestId, traceparent, given !== undefined);
  }

  #draw(): number {
    return (this.#random() * 0x1_0000_0000) | 0;
  }
}

function givenId(head: RequestHead): string | undefined {
  if (!head.peer.trusted) return undefined;
  const given = head.field('x-request-id');
  return given !== undefined && SANE_ID.test(given) ? given : undefined;
}

function givenTrace(head: RequestHead): string | undefined {
  const given = head.field('traceparent');
  return given !== undefined && isTraceparent(given) && !repeats(head) ? given : undefined;
}

/** The trace of the one with the parent of the other. */
function continued(given: string, fresh: string): string {
  // A later version may mean more by its flags; of those we know, only `sampled` is not ours to decide.
  const flags = (Number.parseInt(given.slice(53, 55), 16) & 1) === 1 ? '01' : '00';
  return `00-${given.slice(3, 35)}-${fresh.slice(36, 52)}-${flags}`;
}

/** `version-trace-parent-flags`; only a version after 00 may say more. */
export function isTraceparent(text: string): boolean {
  if (text.length < 55 || !TRACEPARENT.test(text) || text.startsWith('ff')) return false;
  if (text.startsWith('00') && text.length !== 55) return false;
  return text.slice(3, 35) !== NO_TRACE && text.slice(36, 52) !== NO_PARENT;
}

/** Two of them cannot both be the parent. */
function repeats({ headers }: RequestHead): boolean {
  let found = 0;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length === 11 && headers[i]!.toLowerCase() === 'traceparent') found += 1;
  }
  return found > 1;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
