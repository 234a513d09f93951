import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks in a second, the unit of CPU times in /proc. */
const TICKS_PER_SECOND = ticksPerSecond();

/**
 * CPU time of one process with all its threads, user and system, in microseconds: the scheduler's own nanoseconds where
 * the kernel shows them (a thread that ended takes its time with it), else clock ticks of 10 ms.
 */
export function cpuMicros(pid: number): number {
  return schedule(pid)?.ranMicros ?? tickMicros(pid);
}

/** By the clock ticks of /proc/PID/stat; includes threads that ended. */
export function tickMicros(pid: number): number {
  const { utime, stime } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return ((utime + stime) / TICKS_PER_SECOND) * 1e6;
}

/** How long the threads of a process (or its main one alone) ran, and how long they could have run but others did. */
export function schedule(
  pid: number,
  mainThread = false,
): { ranMicros: number; waitedMicros: number } | undefined {
  let ranMicros = 0;
  let waitedMicros = 0;
  const threads = mainThread ? [String(pid)] : readdirSync(`/proc/${pid}/task`);
  for (const thread of threads) {
    const [ran, waited] = numbers(readIfThere(`/proc/${pid}/task/${thread}/schedstat`));
    // Kernels without CONFIG_SCHED_INFO have no such file, or zeros in it.
    if (ran === undefined || waited === undefined || (ran === 0 && thread === String(pid))) return undefined;
    ranMicros += ran / 1000;
    waitedMicros += waited / 1000;
  }
  return { ranMicros, waitedMicros };
}

/** The cores on which each thread of a process may run, as the kernel writes them: `0`, `0-1`. */
export function allowedCores(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const status = readIfThere(`/proc/${pid}/task/${thread}/status`);
    const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1];
    return list === undefined ? [] : [list];
  });
}

/** The kernel thread that does a core's network work when there is too much to do at once; undefined: not visible here. */
export function softIrqThread(core: number): number | undefined {
  const name = `ksoftirqd/${core}`;
  const pid = readdirSync('/proc').find(
    (one) => /^\d+$/.test(one) && readIfThere(`/proc/${one}/comm`).trim() === name,
  );
  return pid === undefined ? undefined : Number(pid);
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** How long one core was not idle since boot, in microseconds, whoever used it; time stolen by the host included. */
export function coreBusyMicros(core: number): number {
  return (parseCoreBusy(readFileSync('/proc/stat', 'utf8'), core) / TICKS_PER_SECOND) * 1e6;
}

/** A process and all that descend from it, itself first. */
export function treeOf(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = readIfThere(`/proc/${name}/stat`);
    if (text === '') continue;
    const { parent } = parseStat(text);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** `NAME=value` entries with which a process was started. */
export function environmentOf(pid: number): readonly string[] {
  return readIfThere(`/proc/${pid}/environ`).split('\0');
}

export interface Stat {
  readonly parent: number;
  /** Ticks. */
  readonly utime: number;
  readonly stime: number;
}

/** /proc/PID/stat, proc(5). The name in parentheses may itself hold spaces and parentheses, so we begin behind the last. */
export function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), utime: Number(fields[11]), stime: Number(fields[12]) };
}

/** Ticks of one `cpuN` line of /proc/stat without idle and iowait; guest time is part of user already. */
export function parseCoreBusy(text: string, core: number): number {
  const line = text.split('\n').find((one) => one.startsWith(`cpu${core} `)) ?? '';
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
  return (user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0) + (steal ?? 0);
}

function numbers(text: string): readonly number[] {
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Processes come and go while we read, and others' are not ours to read.
    return '';
  }
}

function ticksPerSecond(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    // What every Linux on common hardware tells programs, whatever the kernel uses inside.
    return 100;
  }
}
