/**
 * How long the foundation takes for what is never instant on a real one, milliseconds. At speed 1 each is shorter
 * than in production and long enough to be seen; a real updater ticks every 5 to 30 s.
 */
export interface Delays {
  readonly upload: number;
  readonly staging: number;
  readonly job: number;
  /** What a service broker takes once it has been asked. */
  readonly service: number;
  /** A route or its destinations until the router knows. */
  readonly routePropagation: number;
  readonly updaterTick: number;
  /** Placing an instance on a cell. */
  readonly placement: number;
  /** Between leaving the router and SIGTERM. */
  readonly routerPrune: number;
  /** SIGTERM until SIGKILL; not scaled, because it is the application that needs it. */
  readonly stopGrace: number;
  readonly liveness: number;
  readonly readiness: number;
  /** First wait after three crashes in a row; doubles. */
  readonly crashBackOff: number;
  readonly longestBackOff: number;
  /** How long an empty pool answers 503 before its route is forgotten. */
  readonly emptyPool: number;
}

export function delaysAt(speed: number): Delays {
  return {
    upload: 400 * speed,
    staging: 1_500 * speed,
    job: 600 * speed,
    service: 1_500 * speed,
    routePropagation: 800 * speed,
    updaterTick: 1_000 * speed,
    placement: 150 * speed,
    routerPrune: 150 * speed,
    stopGrace: 10_000,
    liveness: 5_000 * speed,
    readiness: 1_000 * speed,
    crashBackOff: 2_000 * speed,
    longestBackOff: 60_000 * speed,
    emptyPool: 3_000 * speed,
  };
}
