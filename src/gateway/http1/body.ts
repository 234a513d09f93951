import { CHUNKED, type FlatHeaders } from '../wire.ts';
import { ChunkLine } from './chunk-line.ts';
import { HOST, TE } from './field-names.ts';
import { FieldSection, INCOMPLETE } from './field-section.ts';
import { HeadBuffer } from './head-buffer.ts';
import { partOf } from './octet-scan.ts';
import { CR, LF } from './octets.ts';
import { UNTIL_CLOSE } from './response-head.ts';

const MAX_TRAILERS = 32;
const MAX_TRAILER_BYTES = 8_192;

export interface BodySink {
  /** Once it is true nothing more is handed over until somebody reads on. */
  readonly paused: boolean;
  takeBody(chunk: Buffer): void;
}

/** `broken`: what came cannot be a body of this kind; where it ends nobody knows. */
export type BodyState = 'reading' | 'complete' | 'broken';

type ChunkPart = 'line' | 'data' | 'data-cr' | 'data-lf' | 'trailers';

/** Takes a message body out of what comes behind its head (RFC 9112 §6, §7). */
export class BodyReader {
  state: BodyState = 'complete';
  trailers: FlatHeaders | undefined = undefined;
  #length = 0;
  /** Of the body, or of the present chunk. */
  #left = 0;
  #part: ChunkPart = 'line';
  readonly #line = new ChunkLine();
  #trailerBytes: HeadBuffer | undefined = undefined;
  #trailerFields: FieldSection | undefined = undefined;

  /** Bytes, CHUNKED or UNTIL_CLOSE. */
  begin(length: number): void {
    this.#length = length;
    this.trailers = undefined;
    this.state = length === 0 ? 'complete' : 'reading';
    this.#left = length;
    if (length !== CHUNKED) return;
    this.#part = 'line';
    this.#line.begin();
    this.#trailerBytes = undefined;
    this.#trailerFields = undefined;
  }

  /** Reads on from `at`; returns where it stopped: at `end`, at the end of the body, at a fault, or on a pause. */
  read(bytes: Buffer, at: number, end: number, sink: BodySink): number {
    if (this.#length === CHUNKED) return this.#readChunks(bytes, at, end, sink);
    if (this.state !== 'reading' || at === end || sink.paused) return at;
    const to = this.#length === UNTIL_CLOSE ? end : Math.min(end, at + this.#left);
    if (this.#length !== UNTIL_CLOSE) {
      this.#left -= to - at;
      if (this.#left === 0) this.state = 'complete';
    }
    sink.takeBody(at === 0 && to === bytes.length ? bytes : partOf(bytes, at, to));
    return to;
  }

  /** The connection has ended: true when that is how this body ends. */
  endsWithConnection(): boolean {
    if (this.#length === UNTIL_CLOSE && this.state === 'reading') this.state = 'complete';
    return this.state === 'complete';
  }

  #readChunks(bytes: Buffer, from: number, end: number, sink: BodySink): number {
    let at = from;
    while (at < end && this.state === 'reading' && !sink.paused) {
      switch (this.#part) {
        case 'line': {
          const over = this.#line.take(bytes[at]!);
          at += 1;
          if (over === undefined) this.state = 'broken';
          else if (over) this.#beginChunk();
          break;
        }
        case 'data': {
          const to = Math.min(end, at + this.#left);
          this.#left -= to - at;
          if (this.#left === 0) this.#part = 'data-cr';
          sink.takeBody(partOf(bytes, at, to));
          at = to;
          break;
        }
        case 'data-cr':
          if (bytes[at] === CR) this.#part = 'data-lf';
          else this.state = 'broken';
          at += 1;
          break;
        case 'data-lf':
          if (bytes[at] === LF) {
            this.#part = 'line';
            this.#line.begin();
          } else this.state = 'broken';
          at += 1;
          break;
        case 'trailers':
          at = this.#readTrailers(bytes, at, end);
          break;
      }
    }
    return at;
  }

  #beginChunk(): void {
    this.#left = this.#line.size;
    this.#part = this.#left > 0 ? 'data' : 'trailers';
  }

  /** Almost always there are none, and all that comes is an empty line. */
  #readTrailers(bytes: Buffer, at: number, end: number): number {
    if (this.#trailerBytes === undefined && end - at >= 2 && bytes[at] === CR && bytes[at + 1] === LF) {
      this.state = 'complete';
      return at + 2;
    }
    this.#trailerBytes ??= new HeadBuffer(256);
    const kept = this.#trailerBytes;
    const before = kept.length;
    kept.append(bytes, at, Math.min(end, at + MAX_TRAILER_BYTES + 1));
    if (this.#trailerFields === undefined) {
      this.#trailerFields = new FieldSection(MAX_TRAILERS);
      this.#trailerFields.begin(0);
    }
    // A line is looked at when it is whole.
    if (kept.length <= MAX_TRAILER_BYTES && !kept.holds(LF, before)) return end;
    const scanned = this.#trailerFields.scan(kept.bytes, kept.length, MAX_TRAILER_BYTES);
    if (scanned === INCOMPLETE) return end;
    if (scanned < 0 || this.#trailerFields.kinds.subarray(0, this.#trailerFields.count).some(isFraming)) {
      this.state = 'broken';
      return at;
    }
    if (this.#trailerFields.count > 0) this.trailers = this.#trailerFields.flat();
    this.state = 'complete';
    return at + scanned - before;
  }
}

/** In trailers these are forbidden (RFC 9110 §6.5.1), and Node's parser lets them change how it reads on. */
function isFraming(kind: number): boolean {
  return kind >= HOST && kind <= TE;
}
