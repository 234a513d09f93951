import type { Event } from '../core/ports.ts';

/** One event: `event` is handed out, `fire` stays with the owner. */
export interface Emitter<T> {
  readonly event: Event<T>;
  fire(value: T): void;
}

export function emitter<T>(): Emitter<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    event(listener) {
      // A wrapper of its own, so that one listener subscribed twice has two subscriptions.
      const own = (value: T): void => listener(value);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    fire(value) {
      for (const listener of [...listeners]) listener(value);
    },
  };
}
