/** What we read of one process in `/proc/<pid>/stat` (proc(5)). */
export interface ProcStat {
  readonly pid: number;
  /** `R`, `S`, `Z` (dead, not yet reaped), … */
  readonly state: string;
  readonly processGroup: number;
  /** User and system time, in clock ticks of 1/100 s. */
  readonly cpuTicks: number;
  /** Clock ticks since boot; with the pid it names one process for ever, whoever gets the pid later. */
  readonly startTicks: number;
}

/** Linux fixes USER_HZ at 100 on every architecture that Node runs on. */
export const TICKS_PER_SECOND = 100;

/** Undefined for anything that does not look like a stat line. */
export function parseProcStat(text: string): ProcStat | undefined {
  // The command name stands in parentheses and may itself contain parentheses and spaces.
  const close = text.lastIndexOf(')');
  if (close < 0) return undefined;
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(close + 2).split(' ');
  const state = fields[0];
  const processGroup = Number(fields[2]);
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  const startTicks = Number(fields[19]);
  const numbers = [pid, processGroup, cpuTicks, startTicks];
  if (state === undefined || !numbers.every(Number.isFinite)) return undefined;
  return { pid, state, processGroup, cpuTicks, startTicks };
}

/** Resident bytes from `/proc/<pid>/status`; kernel threads and zombies have none. */
export function parseResidentBytes(status: string): number | undefined {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1024;
}
