import { HeadBuffer } from './head-buffer.ts';
import { LF } from './octets.ts';
import type { HeadState } from './request-head.ts';

/** So much tells whether this is HTTP at all. */
const BEGINNING_BYTES = 8;

/** What the readers of both directions have in common. */
export interface HeadReader {
  readonly state: HeadState;
  readonly end: number;
  readonly headBytes: number;
  begin(at: number): void;
  read(bytes: Buffer, end: number): HeadState;
}

/**
 * Gets a head read however its bytes are cut. A head that comes whole, as nearly all do, is read where it stands; of
 * one in pieces the pieces are gathered.
 */
export class HeadIntake {
  /** Some of a head has come, and not all. */
  partial = false;
  #gathered: HeadBuffer | undefined = undefined;

  /** Reads from `chunk[at..end)`; returns how far the head reached, which is `end` unless it is complete. */
  take(reader: HeadReader, chunk: Buffer, at: number, end: number): number {
    if (this.partial) return this.#takeMore(reader, chunk, at, end);
    reader.begin(at);
    const state = reader.read(chunk, end);
    if (state === 'complete') return reader.end;
    if (state === 'refused') return end;
    this.#gathered ??= new HeadBuffer(1_024);
    this.#gathered.clear();
    this.#gathered.append(chunk, at, end);
    this.partial = true;
    reader.begin(0);
    reader.read(this.#gathered.bytes, this.#gathered.length);
    return end;
  }

  #takeMore(reader: HeadReader, chunk: Buffer, at: number, end: number): number {
    const gathered = this.#gathered!;
    const before = gathered.length;
    gathered.append(chunk, at, end);
    // Nothing new can be said of a line before it ends; looking at it again for each byte is what a slow sender wants.
    if (before >= BEGINNING_BYTES && !gathered.holds(LF, before) && gathered.length <= reader.headBytes)
      return end;
    const state = reader.read(gathered.bytes, gathered.length);
    if (state === 'incomplete') return end;
    this.partial = false;
    return state === 'complete' ? at + reader.end - before : end;
  }

  /** Bytes of a head that has not come whole. */
  get waiting(): number {
    return this.partial ? (this.#gathered?.length ?? 0) : 0;
  }

  /** Gives the memory back, for connections that wait long. */
  release(): void {
    this.partial = false;
    this.#gathered = undefined;
  }
}
