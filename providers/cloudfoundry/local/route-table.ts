import type { CloudBase } from './cloud.ts';
import type { Endpoint, Instances } from './engine/instances.ts';
import { routeUrl } from './state.ts';

/** What the router holds for one route: who can answer now, and when anybody last could. */
export interface Pool {
  readonly endpoints: readonly Endpoint[];
  readonly lastFilledAt: number;
}

type Lookup =
  | { readonly found: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  /** The route is known and its pool is empty. */
  | { readonly found: 'empty' }
  | { readonly found: 'nothing' };

/** The router's own view: it learns of routes with a delay and forgets those nobody answers for. */
export interface RouteTable {
  /** The API changed a route or its destinations. */
  routesChanged(): void;
  lookup(host: string, path: string): Lookup;
  close(): void;
}

interface KnownRoute {
  readonly host: string;
  readonly path: string;
  readonly serves: ReadonlySet<string>;
}

export function createRouteTable(cloud: CloudBase, instances: Instances): RouteTable {
  let known: readonly KnownRoute[] = [];
  let pools = new Map<string, Pool>();

  /** Routes and destinations are taken over as they are at this moment. */
  function learn(): void {
    known = [...cloud.state.routes.values()].map((route) => {
      const url = routeUrl(cloud.state, route);
      const slash = url.indexOf('/');
      return {
        host: (slash < 0 ? url : url.slice(0, slash)).toLowerCase(),
        path: slash < 0 ? '' : url.slice(slash),
        serves: new Set(
          route.destinations.map((destination) => `${destination.appGuid}/${destination.processType}`),
        ),
      };
    });
    fill();
  }

  /** Endpoints are known at once: the platform tells the router of each start and stop. */
  function fill(): void {
    const endpoints = instances.endpoints();
    const next = new Map<string, Pool>();
    for (const route of known) {
      const serving = endpoints.filter((one) => route.serves.has(`${one.appGuid}/${one.processType}`));
      const key = `${route.host}${route.path}`;
      const before = pools.get(key);
      const had = serving.length > 0 || (before?.endpoints.length ?? 0) > 0;
      next.set(key, {
        endpoints: serving,
        lastFilledAt: had ? cloud.clock.now() : (before?.lastFilledAt ?? Number.NEGATIVE_INFINITY),
      });
    }
    pools = next;
  }

  const stopFilling = instances.onChange(fill);

  return {
    routesChanged: () => void cloud.clock.after(cloud.delays.routePropagation, learn),
    lookup: (host, path) => lookup(known, pools, host, path, cloud.clock.now() - cloud.delays.emptyPool),
    close: stopFilling,
  };
}

/** The longest path wins; a host stands before the wildcard that covers it. Pools empty since `forgotten` are gone. */
function lookup(
  known: readonly KnownRoute[],
  pools: ReadonlyMap<string, Pool>,
  host: string,
  path: string,
  forgotten: number,
): Lookup {
  const wanted = host.toLowerCase();
  const wildcard = wanted.replace(/^[^.]+/, '*');
  let best: { readonly route: KnownRoute; readonly pool: Pool } | undefined;
  for (const route of known) {
    if (route.host !== wanted && route.host !== wildcard) continue;
    if (!coversPath(route.path, path)) continue;
    const pool = pools.get(`${route.host}${route.path}`);
    if (!pool || (pool.endpoints.length === 0 && pool.lastFilledAt <= forgotten)) continue;
    if (!best || isBetter(route, best.route, wanted)) best = { route, pool };
  }
  if (!best) return { found: 'nothing' };
  const { endpoints } = best.pool;
  return endpoints.length > 0 ? { found: 'endpoints', endpoints } : { found: 'empty' };
}

/** At segment borders: `/a` covers `/a` and `/a/b`, not `/ab`. */
function coversPath(prefix: string, path: string): boolean {
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

function isBetter(route: KnownRoute, than: KnownRoute, host: string): boolean {
  if ((route.host === host) !== (than.host === host)) return route.host === host;
  return route.path.length > than.path.length;
}
