import type { Clock } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import { createTrust } from '../../lib/tls-trust.ts';
import type { Wire } from '../wire.ts';
import { CompatListener } from './listener.ts';
import { OriginPool } from './pool.ts';
import { UndiciAttempt } from './undici-attempt.ts';
import { UpgradeAttempt } from './upgrade-attempt.ts';

/**
 * HTTP/1.1 by node:http towards clients and by undici towards origins: the plain way, which the fast wire is tested
 * against. Chunks it hands over are never written again, so it also keeps those it is given without a copy.
 */
export function createCompatWire(first: GatewaySettings, clock: Clock): Wire {
  let settings = first;
  const trust = createTrust();
  const listener = new CompatListener(settings, clock);
  const pools = new Map<string, OriginPool>();
  /** Of origins that left the table and still have exchanges. */
  const retired = new Set<OriginPool>();

  return {
    listen: (at, accept, refused) => listener.listen({ ...settings, listen: at }, accept, refused),
    async relisten(changed) {
      const ports = await listener.relisten(changed);
      settings = changed;
      for (const pool of pools.values()) pool.tune(changed);
      return ports;
    },
    tally: listener.tally,
    attempt(request, handler) {
      const { origin } = request;
      const { key } = origin;
      if (request.head.upgrade !== undefined)
        return new UpgradeAttempt(request, handler, { settings, clock, trust: trust(origin) });
      let pool = pools.get(key);
      if (pool === undefined) {
        pool = new OriginPool(origin, settings, trust(origin));
        pools.set(key, pool);
      }
      return new UndiciAttempt(request, handler, pool);
    },
    retire(origin) {
      const pool = pools.get(origin.key);
      if (pool === undefined) return;
      pools.delete(origin.key);
      retired.add(pool);
      pool.retire(() => retired.delete(pool));
    },
    drain(patiently) {
      listener.drain(patiently);
    },
    async close() {
      await listener.close();
      const all = [...pools.values(), ...retired];
      pools.clear();
      await Promise.all(all.map((pool) => pool.destroy()));
    },
  };
}
