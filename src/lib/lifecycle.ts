import type { Runnable } from '../core/ports.ts';

/** Starts in order; when one fails, closes those already started in reverse and throws the first error. */
export async function startAll(parts: readonly Runnable[]): Promise<void> {
  const started: Runnable[] = [];
  try {
    for (const part of parts) {
      started.push(part);
      await part.start();
    }
  } catch (error) {
    await closeAll(started).catch(() => undefined);
    throw error;
  }
}

/** Closes in reverse order, all of them whatever happens, then throws what failed. */
export async function closeAll(parts: readonly Runnable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of [...parts].reverse()) {
    try {
      await part.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, 'several parts did not close cleanly');
}
