import type { z } from 'zod';
import { recurring } from '../lib/cron-window.ts';

/** What croner and the scheduler both read: no `L`, `W` or `#`. */
const CRON =
  /^[\d*/,\-? ]*(?:(?:MON|TUE|WED|THU|FRI|SAT|SUN|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[\d*/,\-? ]*)*$/i;

/** Faults of the keys `cron` and `timezone` of one entry. */
export function checkCron(
  cron: string,
  timezone: string | undefined,
  context: z.RefinementCtx,
  key = 'cron',
): void {
  const made = recurring({ cron, durationMs: 1_000, timeZone: timezone ?? 'UTC' });
  const fault = made.ok ? (CRON.test(cron) ? undefined : 'not a cron expression') : made.fault;
  if (fault === undefined) return;
  const path = fault.includes('zone') ? ['timezone'] : [key];
  const params = { remedy: made.ok ? 'for example 0 10 * * TUE' : made.remedy };
  context.addIssue({ code: 'custom', path, message: fault, params });
}
