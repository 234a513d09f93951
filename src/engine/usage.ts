import type { Observation, ObservedInstance } from '../core/provider.ts';
import type { InstanceStatus, UsageStatus } from '../core/status.ts';

/** What each instance is and uses, as far as its platform tells. */
export function eachInstance({ instances }: Observation): readonly InstanceStatus[] {
  return instances.map(({ id, state, release, restarts, cpu, memoryBytes, reason }: ObservedInstance) => ({
    ...{ id, state },
    ...(release === undefined ? {} : { release }),
    ...(restarts === undefined ? {} : { restarts }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(reason === undefined ? {} : { reason }),
  }));
}

/** Of all that run together; a sum of those that tell, and nothing where none does. */
export function usageOf(instances: readonly InstanceStatus[]): UsageStatus {
  const running = instances.filter(({ state }) => state === 'running');
  const cpus = running.flatMap(({ cpu }) => cpu ?? []);
  const memories = running.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  const restarts = instances.flatMap((one) => one.restarts ?? []);
  return {
    ...(cpus.length === 0 ? {} : { cpu: total(cpus) / cpus.length }),
    ...(memories.length === 0 ? {} : { memoryBytes: total(memories) }),
    ...(restarts.length === 0 ? {} : { restarts: total(restarts) }),
  };
}

function total(numbers: readonly number[]): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
