/** Keeps the first success; a failure is forgotten, so that the next caller tries again. */
export function once<T>(work: () => Promise<T>): { (): Promise<T>; forget(): void } {
  let kept: Promise<T> | undefined;
  function get(): Promise<T> {
    kept ??= work().catch((error: unknown) => {
      kept = undefined;
      throw error;
    });
    return kept;
  }
  return Object.assign(get, {
    forget() {
      kept = undefined;
    },
  });
}

/** Ends with the signal although the work, which others may share, goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    throw signal.reason;
  }
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}
