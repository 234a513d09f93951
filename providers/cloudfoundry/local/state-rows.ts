import type { Clock } from '../../../src/core/ports.ts';

/** What every resource has. Times are epoch milliseconds here and shown to the second. */
export interface Row {
  readonly guid: string;
  readonly createdAt: number;
  updatedAt: number;
}

export interface Metadata {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export function newRow(clock: Clock, newId: () => string, guid: string = newId()): Row {
  const now = clock.now();
  return { guid, createdAt: now, updatedAt: now };
}

export function emptyMetadata(): Metadata {
  return { labels: {}, annotations: {} };
}
