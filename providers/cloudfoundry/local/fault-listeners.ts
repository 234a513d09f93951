import type { Logger } from '../../../src/core/ports.ts';
import type { FaultSwitches } from './faults.ts';
import type { Listener } from './listener.ts';

type Door = Pick<Listener, 'open' | 'shut'>;

/** Shuts and opens ports as faults are switched. */
interface FaultFollower {
  start(): void;
  /** Resolves when the last switch has been followed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export function followFaults(
  faults: FaultSwitches,
  router: Door & { freeze(): void; thaw(): void },
  apis: readonly Door[],
  logger: Logger,
): FaultFollower {
  let stop = (): void => undefined;
  /** One after the other, so that off right after on ends open. */
  let following: Promise<void> = Promise.resolve();

  function follow(doors: readonly Door[], down: boolean): void {
    following = following
      .then(async () => {
        for (const door of doors) await (down ? door.shut() : door.open());
      })
      .catch((error: unknown) => {
        logger.error({ error: String(error) }, 'local cloud foundry: a listener did not follow a fault');
      });
  }

  return {
    start() {
      stop = faults.onChange(({ fault, on }) => {
        if (fault === 'router-down') follow([router], on);
        if (fault === 'api-down') follow(apis, on);
        // At once: the next byte already must not pass.
        if (fault === 'router-frozen') (on ? router.freeze : router.thaw)();
      });
    },
    settled: () => following,
    async close() {
      stop();
      await following;
    },
  };
}
