import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { type ProcStat, parseProcStat, parseResidentBytes } from './proc-stat.ts';

/** Who a process is beyond its pid, which the system hands out again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Undefined where there is no /proc: then nothing can be adopted. */
  readonly startTicks: number | undefined;
}

export function identify(pid: number): ProcessIdentity {
  return { pid, startTicks: statOf(pid)?.startTicks };
}

/** Is it still that very process? A zombie is dead: it only waits for its parent to look. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.startTicks === undefined) return answersSignals(identity.pid);
  const stat = statOf(identity.pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTicks === identity.startTicks;
}

/**
 * Is the process group that this process led still its own? It is while nobody else has the pid: the system does not
 * give a pid away as long as a group bears it.
 */
export function groupIsOurs(identity: ProcessIdentity): boolean {
  const stat = statOf(identity.pid);
  return stat === undefined || stat.startTicks === identity.startTicks;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function statOf(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Every process that runs here. Empty where there is no /proc. */
export async function allProcesses(): Promise<readonly ProcStat[]> {
  const names = await readdir('/proc').catch(() => []);
  const stats: ProcStat[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    // Gone between the two reads: as good as never listed.
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const stat = parseProcStat(text);
    if (stat !== undefined) stats.push(stat);
  }
  return stats;
}

export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return parseResidentBytes(status) ?? 0;
}
