import type { Random } from '../core/ports.ts';
import type { RequestHead } from './wire.ts';

/** Of `traceparent` (W3C Trace Context): what is sent on, and whether it continues what came. */
export interface TraceStep {
  readonly traceparent: string;
  /** A new trace knows nothing of the old one's `tracestate`. */
  readonly continues: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const SANE_ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;
const NO_TRACE = '0'.repeat(32);
const NO_PARENT = '0'.repeat(16);
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, '0'),
);

/**
 * Ids for requests and traces, unique rather than unguessable: a part drawn when the worker starts, and a count or a
 * draw for each. A call to the system's generator for each would cost as much as the rest of the head.
 */
export class RequestIds {
  readonly #random: Random;
  readonly #worker: string;
  readonly #trace: string;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#worker = `${this.#draw()}${this.#draw().slice(0, 4)}`;
    // Never all zeros, whatever is drawn.
    this.#trace = `${this.#draw()}${this.#draw().slice(0, 7)}1`;
  }

  /** Twelve digits of the worker and eight that count. Kept when a trusted proxy has given it one already. */
  requestId(head: RequestHead): string {
    if (head.peer.trusted) {
      const given = head.field('x-request-id');
      if (given !== undefined && SANE_ID.test(given)) return given;
    }
    this.#count = (this.#count + 1) >>> 0;
    return this.#worker + hex(this.#count);
  }

  /** The same trace with us as the parent; a new one, not sampled, when there is none or it is malformed. */
  trace(head: RequestHead): TraceStep {
    const given = head.field('traceparent');
    const parent = `${this.#draw().slice(0, 7)}1${this.#draw()}`;
    if (given !== undefined && isTraceparent(given) && !repeats(head)) {
      // A later version may mean more by its flags; of those we know, only `sampled` is not ours to decide.
      const flags = (Number.parseInt(given.slice(53, 55), 16) & 1) === 1 ? '01' : '00';
      return { traceparent: `00-${given.slice(3, 35)}-${parent}-${flags}`, continues: true };
    }
    return { traceparent: `00-${this.#trace}${this.#draw()}${this.#draw()}-${parent}-00`, continues: false };
  }

  #draw(): string {
    return hex((this.#random() * 0x1_0000_0000) >>> 0);
  }
}

/** The trace's id, for logs. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
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
  return PAIRS[word >>> 24]! + PAIRS[(word >>> 16) & 255]! + PAIRS[(word >>> 8) & 255]! + PAIRS[word & 255]!;
}
