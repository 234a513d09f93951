import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Who runs where. Proxy and load must not take each other's time, or the slower one is measured twice. */
export interface Cores {
  readonly proxy: number;
  readonly load: number;
  readonly origin: number;
}

/** Undefined when there is only one core: then nothing is pinned. With two, load and origin share one. */
export function assignCores(allowed: readonly number[]): Cores | undefined {
  const [proxy, load, origin] = allowed;
  if (proxy === undefined || load === undefined) return undefined;
  return { proxy, load, origin: origin ?? load };
}

/** `0-1,4` → 0, 1, 4: the form of `Cpus_allowed_list`. */
export function parseCoreList(text: string): readonly number[] {
  return text
    .trim()
    .split(',')
    .flatMap((part) => {
      if (!/^\d+(-\d+)?$/.test(part)) return [];
      const [from = 0, to] = part.split('-').map(Number);
      return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index);
    });
}

/** The cores of this machine, or why nothing is pinned. */
export function coresHere(): Cores | { readonly unpinned: string } {
  if (spawnSync('taskset', ['--version']).status !== 0) return { unpinned: 'taskset is not on PATH' };
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return assignCores(parseCoreList(list)) ?? { unpinned: 'there is one core only' };
}
