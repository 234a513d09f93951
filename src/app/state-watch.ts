import type { SelfFacts } from '../core/facts.ts';
import type { Clock, Dispose, Logger, Runnable, StateStore } from '../core/ports.ts';

const EVERY_MS = 5_000;
/** A store that thinks for longer is as good as none. */
const PATIENCE_MS = 2_000;

export interface StateWatchDeps {
  readonly store: Pick<StateStore, 'put'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Only when it is another one. */
  readonly tell: (state: SelfFacts['state']) => void;
}

/**
 * Does the state store answer? Asked by writing: a full disk and a folder that was taken away can still be read for a
 * while, and what a decision leads to could not be recorded.
 */
export function createStateWatch({ store, clock, logger, tell }: StateWatchDeps): Runnable {
  let state: SelfFacts['state'] = 'ok';
  let timer: Dispose = () => undefined;
  let stopped = false;

  async function look(): Promise<void> {
    const why = await failure();
    if (stopped) return;
    timer = clock.after(EVERY_MS, () => void look());
    const next = why === undefined ? 'ok' : 'lost';
    if (next === state) return;
    state = next;
    if (why === undefined) logger.info({}, 'the state store answers again');
    else logger.error({ why }, 'the state store does not answer: nothing scales or fails back by itself');
    tell(next);
  }

  /** Undefined when it was written down. */
  function failure(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const expire = clock.after(PATIENCE_MS, () => resolve(`no answer within ${PATIENCE_MS / 1000} s`));
      store
        .put('heartbeat', 'controller', { at: clock.now() })
        .then(
          () => resolve(undefined),
          (error: unknown) => resolve(error instanceof Error ? error.message : String(error)),
        )
        .finally(expire);
    });
  }

  return {
    name: 'state watch',
    async start() {
      stopped = false;
      void look();
    },
    async close() {
      stopped = true;
      timer();
    },
  };
}
