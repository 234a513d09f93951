import type { Clock } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import { httpDate } from '../../lib/http-date.ts';
import { TurnClock } from '../../lib/turn-clock.ts';
import { ReadBuffers } from './read-buffers.ts';
import { RequestHeadReader } from './request-head.ts';
import { ResponseHeadReader } from './response-head.ts';
import { Staging } from './staging.ts';
import { Turn } from './turn.ts';

const DATE_MS = 1_000;
/** Kept for the next requests; a burst shall not leave more behind. */
const MOST_READERS = 256;

/** What all connections of a wire share. */
export class WireContext {
  settings: GatewaySettings;
  readonly turn: Turn;
  readonly buffers: ReadBuffers;
  readonly staging: Staging;
  /** Monotonic milliseconds of the last sweep: good enough for idle limits, and free. */
  coarseNow: number;
  readonly #clock: Clock;
  readonly #readers: RequestHeadReader[] = [];
  readonly #answerReaders: ResponseHeadReader[] = [];
  #date = '';
  #dateUntil = Number.NEGATIVE_INFINITY;

  constructor(settings: GatewaySettings, clock: Clock, poison: boolean, time = new TurnClock(clock)) {
    this.settings = settings;
    this.#clock = clock;
    this.turn = new Turn(time);
    this.buffers = new ReadBuffers(poison);
    this.staging = new Staging(this.turn, this.buffers);
    this.coarseNow = clock.monotonic();
  }

  /** Other settings: heads that are being read keep to the old limits, the next ones to these. */
  tune(settings: GatewaySettings): void {
    this.settings = settings;
    this.#readers.length = 0;
    this.#answerReaders.length = 0;
  }

  /** The time for a Date field, made once a second. */
  get date(): string {
    if (this.coarseNow >= this.#dateUntil) {
      this.#date = httpDate(this.#clock.now());
      this.#dateUntil = this.coarseNow + DATE_MS;
    }
    return this.#date;
  }

  takeReader(): RequestHeadReader {
    return this.#readers.pop() ?? new RequestHeadReader(this.settings.limits);
  }

  giveReader(reader: RequestHeadReader): void {
    reader.release();
    if (reader.limits === this.settings.limits && this.#readers.length < MOST_READERS)
      this.#readers.push(reader);
  }

  /** The same few serve all connections: most answers come in one piece, and what was used last is near. */
  takeAnswerReader(): ResponseHeadReader {
    return this.#answerReaders.pop() ?? new ResponseHeadReader(this.settings.limits);
  }

  giveAnswerReader(reader: ResponseHeadReader): void {
    reader.release();
    if (reader.limits === this.settings.limits && this.#answerReaders.length < MOST_READERS)
      this.#answerReaders.push(reader);
  }

  tick(): number {
    this.coarseNow = this.#clock.monotonic();
    return this.coarseNow;
  }
}
