import type { ApplicationName } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import type { TableRoute } from '../core/routing-table.ts';
import type { DemandSignal } from '../core/signals.ts';

/** What clients asked of one route since the last look; it outlives tables, as lanes do. */
export class RouteTally {
  #requests = 0;
  #shed = 0;

  /** Counts a request. True: there is no capacity for it, and nobody gets to see it. `part`: 0 to 1. */
  sheds(part: number, random: Random): boolean {
    this.#requests += 1;
    if (part <= 0 || random() >= part) return false;
    this.#shed += 1;
    return true;
  }

  /** Reads, and begins anew. */
  take(): { readonly requests: number; readonly shed: number } {
    const taken = { requests: this.#requests, shed: this.#shed };
    this.#requests = 0;
    this.#shed = 0;
    return taken;
  }
}

/** The tallies of all routes of the table. */
export class RouteTallies {
  #byRoute = new Map<string, RouteTally>();
  #next = new Map<string, RouteTally>();

  of({ application, host, path }: TableRoute): RouteTally {
    const key = JSON.stringify([application, host, path]);
    const tally = this.#next.get(key) ?? this.#byRoute.get(key) ?? new RouteTally();
    this.#next.set(key, tally);
    return tally;
  }

  /** Routes that were not asked for since the last time are forgotten. */
  settle(): void {
    this.#byRoute = this.#next;
    this.#next = new Map();
  }
}

export interface TalliedRoute {
  readonly application: ApplicationName;
  readonly host: string;
  readonly path: string;
  /** Told every time; others only when something of them was shed. */
  readonly counted: boolean;
  readonly tally: RouteTally;
}

/** What was asked for in this window, one signal for each application of which there is anything to tell. */
export function demandOf(
  routes: readonly TalliedRoute[],
  window: Pick<DemandSignal, 'at' | 'windowMs' | 'worker'>,
): readonly DemandSignal[] {
  const told = new Map<ApplicationName, DemandSignal['routes'][number][]>();
  for (const { application, host, path, counted, tally } of routes) {
    const { requests, shed } = tally.take();
    if (shed === 0 && (requests === 0 || !counted)) continue;
    const list = told.get(application) ?? [];
    list.push({ host, path, requests, shed });
    told.set(application, list);
  }
  return [...told].map(([application, list]) => ({ kind: 'demand', ...window, application, routes: list }));
}
