import { hasClass } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { ObservedInstance } from '../../src/core/provider.ts';
import type { Capabilities } from './capabilities.ts';
import type { OpenShiftClient } from './client.ts';
import { FIELD_MANAGER, MANAGED_BY } from './names.ts';
import { parseQuantity } from './quantity.ts';
import { METRICS } from './resources.ts';
import type { PodMetrics } from './wire.ts';

/** The cluster measures four times a minute; asking more often gives the same numbers. */
const HOLDS_MS = 10_000;

/** What our instances use, by the name of their pod; nothing where it is not measured. */
export type UsageOf = (signal: AbortSignal) => Promise<ReadonlyMap<string, Usage>>;
export type Usage = Pick<ObservedInstance, 'cpu' | 'memoryBytes'>;

export function createUsage(
  client: Pick<OpenShiftClient, 'list'>,
  clock: Clock,
  { usage }: Pick<Capabilities, 'usage'>,
): UsageOf {
  let known: { readonly usages: ReadonlyMap<string, Usage>; readonly until: number } | undefined;

  async function read(signal: AbortSignal): Promise<ReadonlyMap<string, Usage>> {
    try {
      const all = await client.list(METRICS, `${MANAGED_BY}=${FIELD_MANAGER}`, signal);
      return new Map(all.map((one) => [one.metadata.name, totalOf(one)]));
    } catch (error) {
      // Served by a program of its own, which may be away while all else is well.
      if (hasClass(error, 'forbidden', 'unsupported', 'notFound', 'unavailable')) return new Map();
      throw error;
    }
  }

  return async function usageOf(signal) {
    if (!usage) return new Map();
    if (known === undefined || clock.monotonic() >= known.until) {
      known = { usages: await read(signal), until: clock.monotonic() + HOLDS_MS };
    }
    return known.usages;
  };
}

/** Of all containers of a pod: those that somebody puts beside ours count against its limits too. */
function totalOf({ containers }: PodMetrics): Usage {
  const sum = (name: string): number =>
    containers.reduce((total, { usage }) => total + (parseQuantity(usage[name] ?? '') ?? 0), 0);
  return { cpu: sum('cpu'), memoryBytes: Math.round(sum('memory')) };
}
