import type { Random } from '../../../../src/core/ports.ts';
import type { RouterEndpoint, RouterRoute } from './table.ts';

/** Chooses the endpoint of a request; undefined when the route has none left to try. */
export interface Balancer {
  choose(
    route: RouterRoute,
    cookie: string | undefined,
    tried: ReadonlySet<string>,
  ): RouterEndpoint | undefined;
}

export function createBalancer(random: Random, isDown: (endpoint: RouterEndpoint) => boolean): Balancer {
  /** Smooth weighted round robin: what each endpoint of a route is owed. */
  const owed = new Map<string, Map<string, number>>();

  function roundRobin(route: RouterRoute, candidates: readonly RouterEndpoint[]): RouterEndpoint | undefined {
    const debts = owed.get(route.key) ?? new Map<string, number>();
    owed.set(route.key, debts);
    let total = 0;
    let best: RouterEndpoint | undefined;
    for (const endpoint of candidates) {
      total += endpoint.weight;
      debts.set(endpoint.id, (debts.get(endpoint.id) ?? 0) + endpoint.weight);
      if (!best || (debts.get(endpoint.id) ?? 0) > (debts.get(best.id) ?? 0)) best = endpoint;
    }
    if (best) debts.set(best.id, (debts.get(best.id) ?? 0) - total);
    return best;
  }

  function weightedRandom(candidates: readonly RouterEndpoint[]): RouterEndpoint | undefined {
    let total = 0;
    for (const endpoint of candidates) total += endpoint.weight;
    let point = random() * total;
    for (const endpoint of candidates) {
      point -= endpoint.weight;
      if (point < 0) return endpoint;
    }
    return candidates.at(-1);
  }

  return {
    choose(route, cookie, tried) {
      const left = route.endpoints.filter((endpoint) => !tried.has(endpoint.id));
      // A single endpoint is not checked and so never known to be down.
      const alive = route.endpoints.length > 1 ? left.filter((endpoint) => !isDown(endpoint)) : left;
      // A client keeps its server, even one whose weight went to 0.
      const held = cookie === undefined ? undefined : alive.find((endpoint) => endpoint.id === cookie);
      if (held) return held;
      const candidates = alive.filter((endpoint) => endpoint.weight > 0);
      return route.roundRobin ? roundRobin(route, candidates) : weightedRandom(candidates);
    },
  };
}

/** The value of one cookie in a Cookie header. */
export function cookieValue(header: string | undefined, name: string | undefined): string | undefined {
  if (header === undefined || name === undefined) return undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
