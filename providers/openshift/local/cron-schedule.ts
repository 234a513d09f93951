import { recurring } from '../../../src/lib/cron-window.ts';

interface Schedule {
  /** The next due time after a moment, both epoch milliseconds. */
  next(after: number): number | undefined;
}

type Made = { readonly ok: true; readonly value: Schedule } | { readonly ok: false; readonly fault: string };

/** Five fields, as CronJobs have them; names like `@hourly` too. */
export function cronSchedule(text: string, timeZone: string): Made {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && !text.startsWith('@')) {
    return {
      ok: false,
      fault: `expected exactly 5 fields, found ${fields.length}: ${JSON.stringify(fields)}`,
    };
  }
  const made = recurring({ cron: text, durationMs: 1, timeZone });
  return made.ok ? { ok: true, value: { next: made.value.opensNext } } : { ok: false, fault: made.fault };
}
