import type { Clock } from '../core/ports.ts';

/** Keeps what arrives until somebody is there to read it: node drops a message that finds no listener of its own. */
export interface Mailbox<T> {
  /** The first one of its kind, which stays in the box; undefined when none came in time. */
  first(isIt: (message: T) => boolean, clock: Clock, withinMs: number): Promise<T | undefined>;
  /** Everything so far, and from then on each message as it comes. */
  open(reader: (message: T) => void): void;
}

export function createMailbox<T>(listen: (listener: (message: T) => void) => void): Mailbox<T> {
  const kept: T[] = [];
  const waiting = new Set<(message: T) => void>();
  let read: ((message: T) => void) | undefined;

  listen((message) => {
    if (read !== undefined) return read(message);
    kept.push(message);
    for (const look of waiting) look(message);
  });

  return {
    first(isIt, clock, withinMs) {
      const found = kept.find(isIt);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((settle) => {
        const giveUp = clock.after(withinMs, () => finish(undefined));
        function look(message: T): void {
          if (isIt(message)) finish(message);
        }
        function finish(message: T | undefined): void {
          giveUp();
          waiting.delete(look);
          settle(message);
        }
        waiting.add(look);
      });
    },
    open(reader) {
      read = reader;
      for (const message of kept.splice(0)) reader(message);
    },
  };
}
