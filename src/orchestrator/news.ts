import type { ApplicationName } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';

/** Changes come in bursts: what they came to is worth asking for, not each of them. */
const SETTLE_MS = 50;

export interface News {
  /** What was heard so far is about to be asked for. */
  forget(): void;
  /** For so long, or until something happened since. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Hears of changes where the platform tells of them; where it does not, waiting is waiting. */
export function hearNews(clock: Clock, provider: PlatformProvider, application: ApplicationName): News {
  let isNews = false;
  let wake: () => void = () => undefined;
  const close = provider.changes?.(application, () => {
    isNews = true;
    wake();
  });

  return {
    forget() {
      isNews = false;
    },
    async wait(ms, signal) {
      const early = new AbortController();
      const stop = (): void => early.abort(signal.reason);
      wake = () => early.abort();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      else if (isNews) wake();
      try {
        await clock.sleep(ms, early.signal);
      } catch {
        signal.throwIfAborted();
        await clock.sleep(Math.min(ms, SETTLE_MS), signal);
      } finally {
        wake = () => undefined;
        signal.removeEventListener('abort', stop);
      }
    },
    close: () => close?.(),
  };
}
