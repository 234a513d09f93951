import type { Clock } from '../../core/ports.ts';
import type { GatewaySettings, LimitSettings } from '../../core/settings.ts';
import { httpDate } from '../../lib/http-date.ts';
import { TurnClock } from '../../lib/turn-clock.ts';
import { ReadBuffers } from './read-buffers.ts';
import { RequestHeadReader } from './request-head.ts';
import { ResponseHeadReader } from './response-head.ts';
import { SpareReaders } from './spare-readers.ts';
import { Staging } from './staging.ts';
import { Turn } from './turn.ts';

const DATE_MS = 1_000;

/** What all connections of a wire share. */
export class WireContext {
  settings: GatewaySettings;
  readonly turn: Turn;
  readonly buffers: ReadBuffers;
  readonly staging: Staging;
  /** Monotonic milliseconds of the last sweep: good enough for idle limits, and free. */
  coarseNow: number;
  readonly #clock: Clock;
  readonly #readers = new SpareReaders((limits: LimitSettings) => new RequestHeadReader(limits));
  /** The same few serve all connections: most answers come in one piece. */
  readonly #answerReaders = new SpareReaders((limits: LimitSettings) => new ResponseHeadReader(limits));
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
    this.#readers.clear();
    this.#answerReaders.clear();
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
    return this.#readers.take(this.settings.limits);
  }

  giveReader(reader: RequestHeadReader): void {
    this.#readers.give(reader, this.settings.limits);
  }

  takeAnswerReader(): ResponseHeadReader {
    return this.#answerReaders.take(this.settings.limits);
  }

  giveAnswerReader(reader: ResponseHeadReader): void {
    this.#answerReaders.give(reader, this.settings.limits);
  }

  tick(): number {
    this.coarseNow = this.#clock.monotonic();
    return this.coarseNow;
  }
}
