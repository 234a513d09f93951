import type { RouteFacts } from '../core/facts.ts';
import type { RouteSettings } from '../core/settings.ts';
import type { DemandSignal } from '../core/signals.ts';
import { RATE_WINDOW_MS } from './traffic.ts';

interface Asked {
  readonly at: number;
  readonly requests: number;
  readonly shed: number;
}

/** What clients ask for by route, of all workers together, over the last ten seconds. */
export class RouteDemand {
  readonly #byRoute = new Map<string, Asked[]>();

  hear({ at, routes }: DemandSignal): void {
    for (const { host, path, requests, shed } of routes) {
      const key = keyOf(host, path);
      const windows = (this.#byRoute.get(key) ?? []).filter((one) => one.at > at - RATE_WINDOW_MS);
      windows.push({ at, requests, shed });
      this.#byRoute.set(key, windows);
    }
  }

  /** What reached no origin, and is asked for all the same. */
  shedRps(spanMs: number, now: number): number {
    let shed = 0;
    for (const windows of this.#byRoute.values())
      for (const one of windows) if (one.at > now - RATE_WINDOW_MS) shed += one.shed;
    return (shed * 1000) / spanMs;
  }

  of({ host, path, priority = 0 }: RouteSettings, spanMs: number, now: number): RouteFacts {
    const windows = this.#byRoute.get(keyOf(host, path)) ?? [];
    let requests = 0;
    for (const one of windows) if (one.at > now - RATE_WINDOW_MS) requests += one.requests;
    const last = windows.at(-1)?.at;
    const ageMs = last === undefined ? undefined : Math.max(0, now - last);
    return { host, path, priority, rps: (requests * 1000) / spanMs, ageMs };
  }
}

/** Is there anything to tell its routes apart by? */
export function hasPriorities(routes: readonly RouteSettings[]): boolean {
  return routes.some(({ priority = 0 }) => priority !== (routes[0]?.priority ?? 0));
}

function keyOf(host: string, path: string): string {
  return `${host} ${path}`;
}
