import type { Random } from '../core/ports.ts';
import type { GatewaySettings, RateLimit } from '../core/settings.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { CompiledRoute, CompiledTable } from './routes.ts';
import type { RequestHead } from './wire.ts';

/** The limiters of all routes that have one. They outlive tables: a route that stays keeps what its clients have used. */
export class RateLimits {
  readonly #random: Random;
  #byRoute = new Map<CompiledRoute, RateLimiter>();
  #byRule = new Map<string, RateLimiter>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** For this table from now on. What a worker allows is its share: clients spread over all of them. */
  follow({ routes }: CompiledTable, { workers }: Pick<GatewaySettings, 'workers'>): void {
    const before = this.#byRule;
    this.#byRoute = new Map();
    this.#byRule = new Map();
    for (const route of routes) {
      const { rateLimit, application, host, path } = route;
      if (rateLimit === undefined) continue;
      const rule = JSON.stringify([application, host, path, rateLimit, workers]);
      const limiter =
        this.#byRule.get(rule) ??
        before.get(rule) ??
        new RateLimiter(shareOf(rateLimit, workers), this.#random);
      this.#byRule.set(rule, limiter);
      this.#byRoute.set(route, limiter);
    }
  }

  /** Counts a request. 0: it may pass; else the milliseconds until its client may come again. */
  take(route: CompiledRoute, head: RequestHead, client: string, now: number): number {
    const limiter = this.#byRoute.get(route);
    if (limiter === undefined || route.rateLimit === undefined) return 0;
    return limiter.take(keyOf(route.rateLimit, head, client), now);
  }
}

function shareOf({ rps, burst }: RateLimit, workers: number): { rps: number; burst: number } {
  const share = Math.max(1, workers);
  return { rps: rps / share, burst: Math.max(1, Math.ceil(burst / share)) };
}

/** Who leaves the field out is told apart by the address, or leaving it out would be the way around the limit. */
function keyOf({ by }: RateLimit, head: RequestHead, client: string): string {
  const value = by === 'address' ? undefined : head.field(by.field);
  return value === undefined ? `a ${networkOf(client)}` : `f ${value}`;
}

/** An IPv6 client has its whole /64 to choose addresses from. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    // The last group may be an IPv4 address, which stands for two.
    const width = behind.length + (tail.includes('.') ? 1 : 0);
    while (groups.length + width < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups.slice(0, 4).join(':');
}
