import { Cron } from 'croner';
import { formatDuration } from '../core/units.ts';
import type { Window } from '../core/window.ts';

type Made<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: string; readonly remedy: string };

export interface RecurringWindow {
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  readonly durationMs: number;
  /** IANA name. */
  readonly timeZone: string;
}

/** A window that comes back. Where clocks are put forward or back it opens at the wall-clock time that exists. */
export function recurring({ cron, durationMs, timeZone }: RecurringWindow): Made<Window> {
  const fault = timeZoneFault(timeZone);
  if (fault !== undefined) return fault;
  let schedule: Cron;
  try {
    // Paused and without a function: it is only asked, it never fires.
    schedule = new Cron(cron, { timezone: timeZone, paused: true });
  } catch (caught) {
    const why = caught instanceof Error ? caught.message.replace(/^CronPattern: /, '') : String(caught);
    return { ok: false, fault: `not a cron expression: ${why}`, remedy: 'for example 0 2 * * SUN' };
  }
  function next(from: number): number | undefined {
    return schedule.nextRun(new Date(from))?.getTime();
  }
  return {
    ok: true,
    value: {
      text: `${cron} for ${formatDuration(durationMs)} (${timeZone})`,
      isOpen(now) {
        // An opening after `now - duration` and not after `now`. A start exactly at its end is closed again.
        const opened = next(now - durationMs);
        return opened !== undefined && opened <= now;
      },
      opensNext: next,
    },
  };
}

/** When it was due last, `now` included; undefined: never within five years, or it is no such expression. */
export function lastDue(cron: string, timeZone: string, now: number): number | undefined {
  try {
    // A run at this very moment counts too, and croner looks at what was before; of each second the first is to come.
    const runs = new Cron(cron, { timezone: timeZone, paused: true }).previousRuns(2, new Date(now + 1_000));
    return runs.map((due) => due.getTime()).find((due) => due <= now);
  } catch {
    return undefined;
  }
}

/** A window that is open once, from one moment to another (epoch milliseconds). */
export function once(fromMs: number, toMs: number, text: string): Window {
  return {
    text,
    isOpen: (now) => now >= fromMs && now < toMs,
    opensNext: (now) => (now < fromMs ? fromMs : undefined),
  };
}

export function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

function timeZoneFault(timeZone: string): Exclude<Made<Window>, { ok: true }> | undefined {
  if (isTimeZone(timeZone)) return undefined;
  return { ok: false, fault: 'not a time zone', remedy: 'an IANA name, for example Europe/Berlin' };
}
