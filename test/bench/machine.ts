import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { Cores } from './cores.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Who ran where, in words. */
  readonly pinning: string;
}

export function machineHere(cores: Cores | { readonly unpinned: string }): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    pinning:
      'unpinned' in cores
        ? `nothing pinned (${cores.unpinned})`
        : `proxy on core ${cores.proxy}, load on ${cores.load}, origin on ${cores.origin}`,
  };
}
