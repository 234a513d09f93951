/** Plain numbers since the worker started, except the two gauges `active` and `upgrades`. */
export interface GatewayCounters {
  readonly requests: Readonly<Record<StatusClass, number>>;
  readonly replays: number;
  readonly evacuations: number;
  readonly refusedByBudget: number;
  readonly active: number;
  readonly upgrades: number;
}

/** `aborted`: the client went away, or its answer had to be cut. */
export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'aborted';

const CLASSES = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export class Counters {
  replays = 0;
  evacuations = 0;
  refusedByBudget = 0;
  upgrades = 0;
  readonly #byClass = new Float64Array(CLASSES.length);

  /** Status 0: no whole answer went out. */
  finished(status: number): void {
    const index = status === 0 ? 0 : Math.min(5, Math.max(1, Math.floor(status / 100)));
    this.#byClass[index] = (this.#byClass[index] ?? 0) + 1;
  }

  read(active: number): GatewayCounters {
    const count = (name: StatusClass): number => this.#byClass[CLASSES.indexOf(name)] ?? 0;
    return {
      requests: {
        '1xx': count('1xx'),
        '2xx': count('2xx'),
        '3xx': count('3xx'),
        '4xx': count('4xx'),
        '5xx': count('5xx'),
        aborted: count('aborted'),
      },
      replays: this.replays,
      evacuations: this.evacuations,
      refusedByBudget: this.refusedByBudget,
      active,
      upgrades: this.upgrades,
    };
  }
}
