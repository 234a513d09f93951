import type { Exchange } from './exchange.ts';

/**
 * The exchanges under way, in no order. A Set would do, but one that thousands pass through each second lays out its
 * table anew all the time, and each old table refers to the next: as soon as one of them is old, V8's quick collections
 * keep all that follow, with every exchange in them.
 */
export class OpenExchanges {
  readonly #all: Exchange[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(exchange: Exchange): void {
    exchange.slot = this.#all.length;
    this.#all.push(exchange);
  }

  /** The last one takes its place. Once for each that was added. */
  delete(exchange: Exchange): void {
    const last = this.#all.pop();
    if (last === undefined || last === exchange) return;
    this.#all[exchange.slot] = last;
    last.slot = exchange.slot;
  }

  /** A copy: whoever is told something may end on the spot. */
  snapshot(): readonly Exchange[] {
    return this.#all.slice();
  }
}
