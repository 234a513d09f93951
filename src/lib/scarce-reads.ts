/** Of what an account has in a window, readings may use up so much of the last tenth. */
const SHARE_OF_LIMIT = 1 / 20;
/** Where the API does not say what the limit is. */
const UNKNOWN_LIMIT_PER_MS = 1 / 5_000;
/** About one reading: it is paid for after it was made. */
const MOST_SAVED = 8;

/** How often readings may go on while an account has next to nothing left: spread over what is left of its window. */
export class ScarceReads {
  #perMs = 0;
  #until = Number.NEGATIVE_INFINITY;
  #saved = 0;
  #at = 0;

  isScarce(now: number): boolean {
    return now < this.#until;
  }

  /** `limit`: of the whole window, if the API told it. */
  enter(now: number, untilMs: number, limit: number | undefined): void {
    const until = now + untilMs;
    if (!this.isScarce(now)) {
      this.#saved = MOST_SAVED;
      this.#at = now;
      this.#perMs =
        limit === undefined ? UNKNOWN_LIMIT_PER_MS : (limit * SHARE_OF_LIMIT) / Math.max(1, untilMs);
    }
    this.#until = until;
  }

  leave(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /** How long until another reading may begin; 0: now. Never longer than the window. */
  waitMs(now: number): number {
    if (!this.isScarce(now)) return 0;
    this.#save(now);
    if (this.#saved >= 1) return 0;
    return Math.min(this.#until - now, Math.ceil((1 - this.#saved) / this.#perMs));
  }

  /** A call of a reading was made. */
  spend(now: number): void {
    if (!this.isScarce(now)) return;
    this.#save(now);
    this.#saved -= 1;
  }

  #save(now: number): void {
    this.#saved = Math.min(MOST_SAVED, this.#saved + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
