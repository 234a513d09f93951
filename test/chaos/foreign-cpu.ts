import { availableParallelism } from 'node:os';
import { coreBusyMicros, cpuMicros, treeOf } from '../bench/proc.ts';
import { monotonicMs } from './monotonic.ts';

/** CPU time so far, in microseconds: of this machine, and of a process with all that descend from it. */
export interface CpuReading {
  readonly atMs: number;
  readonly busyMicros: number;
  readonly ownMicros: number;
}

export function readCpu(root: number): CpuReading {
  let busyMicros = 0;
  for (let core = 0; core < availableParallelism(); core += 1) busyMicros += coreBusyMicros(core);
  let ownMicros = 0;
  for (const pid of treeOf(root)) ownMicros += cpuIfThere(pid);
  return { atMs: monotonicMs(), busyMicros, ownMicros };
}

/** The part of all cores, 0 to 1, that others used between two readings. */
export function foreignPart(before: CpuReading, after: CpuReading, cores = availableParallelism()): number {
  const spent = (after.atMs - before.atMs) * 1000 * cores;
  // A process that died meanwhile took its time with it, and may not make this negative.
  const own = Math.max(0, after.ownMicros - before.ownMicros);
  const foreign = after.busyMicros - before.busyMicros - own;
  return spent <= 0 ? 0 : Math.min(1, Math.max(0, foreign / spent));
}

function cpuIfThere(pid: number): number {
  try {
    return cpuMicros(pid);
  } catch {
    // It ended while we read.
    return 0;
  }
}
