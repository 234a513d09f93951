/** Being a little late is how event loops are. */
const WORTH_NOTING_MS = 10;
/** Of this many episodes the newest are kept: more than fit into any latency that matters. */
const KEPT = 64;

/**
 * When this process itself stood still: an answer that lay in the socket meanwhile was not late. Told by a timer that
 * should come every `everyMs`.
 */
export class OwnLateness {
  readonly #everyMs: number;
  readonly #from = new Float64Array(KEPT);
  readonly #to = new Float64Array(KEPT);
  #next = 0;
  #tickAt: number;

  constructor(everyMs: number, now: number) {
    this.#everyMs = everyMs;
    this.#tickAt = now;
  }

  /** The timer came. */
  tick(now: number): void {
    const dueAt = this.#tickAt + this.#everyMs;
    this.#tickAt = now;
    if (now - dueAt < WORTH_NOTING_MS) return;
    this.#from[this.#next] = dueAt;
    this.#to[this.#next] = now;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Milliseconds of this span in which we stood still, also when the timer has yet to find out. */
  within(from: number, now: number): number {
    let late = overlap(from, now, this.#tickAt + this.#everyMs + WORTH_NOTING_MS, now);
    for (let i = 0; i < KEPT; i += 1) late += overlap(from, now, this.#from[i] ?? 0, this.#to[i] ?? 0);
    return late;
  }
}

function overlap(from: number, to: number, otherFrom: number, otherTo: number): number {
  return Math.max(0, Math.min(to, otherTo) - Math.max(from, otherFrom));
}
