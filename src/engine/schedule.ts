import cron from 'node-cron';
import type { Dispose, Logger } from '../core/ports.ts';

/** Runs something by the wall clock: `0 * * * *`. A run that is still going when the next is due is not doubled. */
export function schedule(expression: string, run: () => void | Promise<void>, logger: Logger): Dispose {
  const task = cron.schedule(
    expression,
    async () => {
      try {
        await run();
      } catch (error) {
        logger.error({ expression, error: String(error) }, 'a scheduled run failed');
      }
    },
    { noOverlap: true },
  );
  return () => void task.destroy();
}
