import type { Clock } from '../core/ports.ts';

/**
 * Monotonic time that is read once for all that one callback leads to: its steps follow each other sooner than anybody
 * measures, and reading the clock for each of them is what a request would spend much of its time with. Between turns
 * it is the clock itself.
 */
export class TurnClock {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #inTurn = false;
  #isRead = false;
  #now = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** A callback of the system begins; turns do not nest. */
  begin(): void {
    this.#inTurn = true;
    this.#isRead = false;
  }

  end(): void {
    this.#inTurn = false;
  }

  monotonic(): number {
    if (!this.#inTurn) return this.#clock.monotonic();
    if (!this.#isRead) {
      this.#isRead = true;
      this.#now = this.#clock.monotonic();
    }
    return this.#now;
  }
}
