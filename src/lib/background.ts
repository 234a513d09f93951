import { AsyncLocalStorage } from 'node:async_hooks';

/** One reading of a platform, whatever number of calls it takes. */
export interface BackgroundRead {
  /** Somebody waits for it: it goes last as every reading, and is never put off. */
  readonly urgent: boolean;
  /** Budgets that have let it begin: one that has begun is carried on to its end. */
  readonly begun: WeakSet<object>;
}

const background = new AsyncLocalStorage<BackgroundRead>();

/** Marks all that `work` asks of platforms as what can wait: reading how things are, as opposed to changing them. */
export function inBackground<T>(work: () => Promise<T>, { urgent = false } = {}): Promise<T> {
  return background.run({ urgent, begun: new WeakSet() }, work);
}

export function isBackground(): boolean {
  return background.getStore() !== undefined;
}

/** The reading that this call is part of. */
export function backgroundRead(): BackgroundRead | undefined {
  return background.getStore();
}
