import cron from 'node-cron';
import type { Dispose, Logger } from '../core/ports.ts';

/**
 * Runs something by the wall clock: `0 * * * *`, in a time zone (IANA name; left out: the machine's). A run that is
 * still going when the next is due is not doubled. Throws when the expression is none.
 */
export function schedule(
  expression: string,
  run: () => void | Promise<void>,
  logger: Logger,
  timeZone?: string,
): Dispose {
  const task = cron.schedule(
    expression,
    async () => {
      try {
        await run();
      } catch (error) {
        logger.error({ expression, error: String(error) }, 'a scheduled run failed');
      }
    },
    { noOverlap: true, ...(timeZone === undefined ? {} : { timezone: timeZone }) },
  );
  return () => void task.destroy();
}
