import type { Clock, Dispose } from '../core/ports.ts';
import { allProcesses, residentBytes } from './proc.ts';
import { TICKS_PER_SECOND } from './proc-stat.ts';

const LOOK_EVERY_MS = 2_000;

interface Usage {
  /** Share of one core since the look before. */
  readonly cpu: number;
  readonly memoryBytes: number;
}

interface UsageSampler {
  of(group: number): Usage | undefined;
  close(): void;
}

interface Look {
  readonly at: number;
  readonly ticks: number;
}

/** Looks at whole process groups every two seconds; what a shell started counts with it. */
export function usageSampler(groups: () => readonly number[], clock: Clock): UsageSampler {
  const usages = new Map<number, Usage>();
  let looks = new Map<number, Look>();
  let looking = false;
  let closed = false;

  async function look(): Promise<void> {
    const wanted = new Set(groups());
    if (looking || closed || wanted.size === 0) return;
    looking = true;
    try {
      const totals = await totalsOf(wanted);
      const at = clock.monotonic();
      const next = new Map<number, Look>();
      for (const [group, total] of totals) {
        const before = looks.get(group);
        next.set(group, { at, ticks: total.ticks });
        if (before === undefined) continue;
        // A process of the group that ended took its ticks along.
        const ticks = Math.max(0, total.ticks - before.ticks);
        const seconds = Math.max(0.001, (at - before.at) / 1_000);
        usages.set(group, { cpu: ticks / TICKS_PER_SECOND / seconds, memoryBytes: total.memoryBytes });
      }
      looks = next;
      for (const group of usages.keys()) if (!totals.has(group)) usages.delete(group);
    } finally {
      looking = false;
    }
  }

  const dispose: Dispose = clock.every(LOOK_EVERY_MS, () => void look());
  return {
    of: (group) => usages.get(group),
    close() {
      closed = true;
      dispose();
    },
  };
}

async function totalsOf(
  groups: ReadonlySet<number>,
): Promise<ReadonlyMap<number, { ticks: number; memoryBytes: number }>> {
  const totals = new Map<number, { ticks: number; memoryBytes: number }>();
  for (const one of await allProcesses()) {
    if (!groups.has(one.processGroup)) continue;
    const total = totals.get(one.processGroup) ?? { ticks: 0, memoryBytes: 0 };
    total.ticks += one.cpuTicks;
    total.memoryBytes += await residentBytes(one.pid);
    totals.set(one.processGroup, total);
  }
  return totals;
}
