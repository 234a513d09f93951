import { resolve } from 'node:path';
import { output } from './output.ts';
import type { SpinResult } from './spin-process.ts';

/** Whether this kernel's CPU times can be believed, found out by a process that does nothing but run. */
export interface Accounting {
  /** `scheduler`: nanoseconds from schedstat; `ticks`: 10 ms from stat. */
  readonly source: 'scheduler' | 'ticks';
  /** Time that was charged to the process or to its waiting for the core, as a part of the time that passed. */
  readonly explained: number;
  /** The same by clock ticks, for comparison. */
  readonly byTicks: number;
}

const SPIN_MAIN = resolve(import.meta.dirname, 'spin-process.js');
const SPIN_MS = 1_000;

export async function checkAccounting(core: number | undefined, signal: AbortSignal): Promise<Accounting> {
  const printed = await output('the spinner', process.execPath, [SPIN_MAIN, String(SPIN_MS)], {
    core,
    signal,
  });
  return judgeSpin(JSON.parse(printed) as SpinResult);
}

export function judgeSpin({ wallMicros, ranMicros, waitedMicros, tickMicros }: SpinResult): Accounting {
  const byTicks = (tickMicros + (waitedMicros ?? 0)) / wallMicros;
  if (ranMicros === null || waitedMicros === null) return { source: 'ticks', explained: byTicks, byTicks };
  return { source: 'scheduler', explained: (ranMicros + waitedMicros) / wallMicros, byTicks };
}
