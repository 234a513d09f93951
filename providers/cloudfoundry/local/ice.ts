import type { Readable, Writable } from 'node:stream';

/** Stops bytes where they are and lets them go on: how a router looks that accepts and never answers. */
export interface Ice {
  freeze(): void;
  thaw(): void;
  /** Resolves at once unless frozen. */
  passable(): Promise<void>;
  /** Like `from.pipe(to)`, held while frozen. */
  pipe(from: Readable, to: Writable): void;
}

export function createIce(): Ice {
  let frozen = false;
  let waiting: (() => void)[] = [];
  const pipes = new Set<{ readonly from: Readable; readonly to: Writable }>();

  function join(pair: { readonly from: Readable; readonly to: Writable }): void {
    if (!pair.to.destroyed) pair.from.pipe(pair.to);
  }

  return {
    freeze() {
      frozen = true;
      for (const { from, to } of pipes) {
        from.unpipe(to);
        from.pause();
      }
    },
    thaw() {
      frozen = false;
      for (const pair of pipes) join(pair);
      const released = waiting;
      waiting = [];
      for (const release of released) release();
    },
    passable: () => (frozen ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    pipe(from, to) {
      const pair = { from, to };
      pipes.add(pair);
      const over = (): void => void pipes.delete(pair);
      from.once('close', over);
      to.once('close', over);
      if (!frozen) join(pair);
    },
  };
}
