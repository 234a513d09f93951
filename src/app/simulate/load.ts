import type { Shares } from '../../core/decision.ts';
import type { PlatformName } from '../../core/ids.ts';
import type { SimulationScenario } from '../../core/scenario.ts';

/** What one platform could take and how it would answer, in one second. */
export interface Bearing {
  readonly platform: PlatformName;
  readonly reachable: boolean;
  /** Requests per second. */
  readonly capacity: number;
  /** Part of its answers that is 500. */
  readonly errors: number;
}

export interface Borne {
  /** Requests per second that arrived there, after the gateway's reflexes. */
  readonly arrived: Readonly<Record<PlatformName, number>>;
  /** … and that came back with a good answer. */
  readonly served: number;
}

/**
 * One second of demand, without what was shed: by shares, what cannot be delivered goes to whoever has room, as the gateway would send it
 * again elsewhere; more than a platform can carry and what it answers 500 is not served.
 */
export function bear(wanted: number, shares: Shares, platforms: readonly Bearing[]): Borne {
  const arrived = new Map(
    platforms.map(({ platform, reachable }) => [platform, reachable ? wanted * (shares[platform] ?? 0) : 0]),
  );
  let homeless =
    wanted * Math.min(1, sum(platforms.map(({ platform }) => shares[platform] ?? 0))) - sum(arrived.values());
  for (const { platform, reachable, capacity } of platforms) {
    if (!reachable || homeless <= 0) continue;
    const room = Math.max(0, capacity - (arrived.get(platform) ?? 0));
    const taken = Math.min(room, homeless);
    arrived.set(platform, (arrived.get(platform) ?? 0) + taken);
    homeless -= taken;
  }
  const served = sum(
    platforms.map(
      ({ platform, capacity, errors }) => Math.min(arrived.get(platform) ?? 0, capacity) * (1 - errors),
    ),
  );
  return { arrived: Object.fromEntries(arrived), served };
}

/** Linear between the given moments, level before the first and after the last. */
export function demandAt({ demand }: SimulationScenario, ms: number): number {
  const after = demand.findIndex(({ atMs }) => atMs > ms);
  const last = demand.at(after === -1 ? -1 : after - 1) ?? demand[0];
  const next = after === -1 ? undefined : demand[after];
  if (after === 0) return demand[0]?.rps ?? 0;
  if (last === undefined) return 0;
  if (next === undefined) return last.rps;
  return last.rps + ((next.rps - last.rps) * (ms - last.atMs)) / (next.atMs - last.atMs);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
