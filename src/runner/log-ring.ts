/** The last `capacity` entries of a stream that never ends. */
export interface LogRing<T> {
  push(entry: T): void;
  /** At most `count` of the newest, oldest first. */
  last(count: number): readonly T[];
  /** How many were ever pushed. */
  readonly total: number;
  clear(): void;
}

export function logRing<T>(capacity: number): LogRing<T> {
  let entries: T[] = [];
  let next = 0;
  let total = 0;

  return {
    push(entry) {
      entries[next] = entry;
      next = (next + 1) % capacity;
      total += 1;
    },
    get total() {
      return total;
    },
    last(count) {
      const inOrder =
        entries.length < capacity ? entries.slice() : [...entries.slice(next), ...entries.slice(0, next)];
      return count <= 0 ? [] : inOrder.slice(-count);
    },
    clear() {
      entries = [];
      next = 0;
    },
  };
}
