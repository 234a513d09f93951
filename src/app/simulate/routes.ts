import type { ApplicationName } from '../../core/ids.ts';
import type { RoutingTable } from '../../core/routing-table.ts';
import type { SimulationScenario } from '../../core/scenario.ts';
import type { RouteSettings } from '../../core/settings.ts';
import type { DemandSignal } from '../../core/signals.ts';

/** What is asked of one route in one second, and what the gateway refuses of it. */
export interface Asked {
  readonly name: string;
  readonly path: string;
  readonly rps: number;
  /** Part of it, 0 to 1. */
  readonly shed: number;
}

export interface RouteSample {
  readonly demandRps: number;
  readonly servedRps: number;
}

const PLAIN = { host: '*', publicHost: 'map', retry: 'safe' } as const;

export function routesOf({ routes }: SimulationScenario): readonly RouteSettings[] {
  if (routes.length === 0) return [{ ...PLAIN, path: '/' }];
  return routes.map(({ name, priority }) => ({ ...PLAIN, path: `/${name}`, priority }));
}

/** The demand by routes, and what the table says of each: that is what workers go by. */
export function askedOf(
  { routes }: SimulationScenario,
  demandRps: number,
  table: RoutingTable,
): readonly Asked[] {
  const all = routes.length === 0 ? [{ name: '', part: 1 }] : routes;
  return all.map(({ name, part }) => {
    const path = `/${name}`;
    const shed = table.routes.find((route) => route.path === path)?.shed ?? 0;
    return { name, path, rps: demandRps * part, shed };
  });
}

export function demandSignal(
  application: ApplicationName,
  asked: readonly Asked[],
  window: Pick<DemandSignal, 'at' | 'windowMs' | 'worker'>,
): DemandSignal {
  const routes = asked.map(({ path, rps, shed }) => ({
    host: '*',
    path,
    requests: Math.round(rps),
    shed: Math.round(rps * shed),
  }));
  return { kind: 'demand', ...window, application, routes };
}

/** `well`: part of what was sent on that came back well. */
export function routeSamples(asked: readonly Asked[], well: number): Readonly<Record<string, RouteSample>> {
  return Object.fromEntries(
    asked.map(({ name, rps, shed }) => [name, { demandRps: rps, servedRps: rps * (1 - shed) * well }]),
  );
}

export function partServed(sample: RouteSample | undefined): number {
  return sample === undefined || sample.demandRps === 0 ? 1 : sample.servedRps / sample.demandRps;
}
