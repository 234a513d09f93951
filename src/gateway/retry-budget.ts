/** Somebody who waits for a slot; called once, with the slot already taken. */
export interface BudgetWaiter {
  onBudget(): void;
}

/**
 * How many requests may be in a replay at one time: a part of the active ones, and always a few. An outage must not
 * multiply the load on what is left. Whoever finds it used up may wait his turn: replays take milliseconds, and a
 * burst of failures at one instant is no storm yet.
 */
export class RetryBudget {
  active = 0;
  #retrying = 0;
  #ratio: number;
  #min: number;
  readonly #waiting = new Set<BudgetWaiter>();

  constructor(rules: { readonly ratio: number; readonly min: number }) {
    this.#ratio = rules.ratio;
    this.#min = rules.min;
  }

  /** Other rules: what is under way stays. */
  tune(rules: { readonly ratio: number; readonly min: number }): void {
    this.#ratio = rules.ratio;
    this.#min = rules.min;
  }

  get retrying(): number {
    return this.#retrying;
  }

  get limit(): number {
    return Math.max(this.#min, Math.floor(this.#ratio * this.active));
  }

  acquire(): boolean {
    if (this.#retrying >= this.limit) return false;
    this.#retrying += 1;
    return true;
  }

  release(): void {
    this.#retrying -= 1;
    for (const next of this.#waiting) {
      if (!this.acquire()) return;
      this.#waiting.delete(next);
      next.onBudget();
    }
  }

  wait(waiter: BudgetWaiter): void {
    this.#waiting.add(waiter);
  }

  cancel(waiter: BudgetWaiter): void {
    this.#waiting.delete(waiter);
  }
}
