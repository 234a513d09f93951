/**
 * An open loop: requests fall due by the clock, whatever became of the earlier ones. One that finds every connection
 * busy waits for the next free one, and its wait counts: a slow answer may not hide what it keeps others waiting
 * (Tene's "coordinated omission").
 */
export interface Pacer {
  /** Sends what has fallen due; to be called about once a millisecond and whenever a connection becomes free. */
  turn(nowMillis: number): void;
  /** Nothing falls due any more; what waits is still sent. */
  readonly over: boolean;
  readonly waiting: number;
  /** Sends no more; answers how long each request that never found a connection has waited, in milliseconds. */
  giveUp(nowMillis: number): readonly number[];
}

export interface PacerOptions {
  readonly startMillis: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** By how much the generator itself turned to a request too late. */
  readonly late: (micros: number) => void;
  /** Sends one request now if a connection is free; its latency counts from `sinceMillis`. */
  readonly send: (sinceMillis: number) => boolean;
}

/**
 * Latency counts from the turn in which a request fell due and not from its exact due time: the millisecond of a timer
 * would otherwise hide the microseconds that proxies differ in. How late the turns were is told apart.
 */
export function pacer({ startMillis, perSecond, seconds, late, send }: PacerOptions): Pacer {
  const total = Math.round(perSecond * seconds);
  const queue: number[] = [];
  let due = 0;
  return {
    turn(nowMillis) {
      const until = Math.min(total, Math.floor(((nowMillis - startMillis) / 1000) * perSecond) + 1);
      for (; due < until; due++) {
        late((nowMillis - startMillis - (due / perSecond) * 1000) * 1000);
        queue.push(nowMillis);
      }
      while (queue.length > 0 && send(queue[0]!)) queue.shift();
    },
    get over() {
      return due >= total;
    },
    get waiting() {
      return queue.length;
    },
    giveUp(nowMillis) {
      due = total;
      return queue.splice(0).map((since) => nowMillis - since);
    },
  };
}
