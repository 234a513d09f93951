import type { Clock, Dispose } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import { createTrust } from '../../lib/tls-trust.ts';
import type { TurnClock } from '../../lib/turn-clock.ts';
import type { Wire } from '../wire.ts';
import { Http1Listener } from './listener.ts';
import { OriginAttempt } from './origin-attempt.ts';
import { OriginPool } from './origin-pool.ts';
import { WireContext } from './wire-context.ts';

/** Deadlines of connections are looked at this often. */
const SWEEP_MS = 200;

export interface Http1WireOptions {
  /** Overwrites memory as soon as it is given back, so that tests notice who still uses it. */
  readonly poison?: boolean;
  /** Told when callbacks of sockets begin and end. */
  readonly time?: TurnClock;
}

/** HTTP/1.1 on bytes, over `node:net` and `node:tls`. */
export function createHttp1Wire(
  settings: GatewaySettings,
  clock: Clock,
  options: Http1WireOptions = {},
): Wire {
  const context = new WireContext(settings, clock, options.poison ?? false, options.time);
  const trust = createTrust();
  const listener = new Http1Listener(context, clock);
  const pools = new Map<string, OriginPool>();
  /** Of origins that left the table and still have exchanges. */
  const retired = new Set<OriginPool>();
  let stopSweep: Dispose | undefined;

  function sweep(): void {
    const now = context.tick();
    listener.sweep(now);
    for (const pool of pools.values()) pool.sweep(now);
    for (const pool of retired) pool.sweep(now);
  }

  return {
    listen(at, accept, refused) {
      stopSweep ??= clock.every(SWEEP_MS, sweep);
      return listener.listen({ ...settings, listen: at }, accept, refused);
    },
    async relisten(changed) {
      const ports = await listener.relisten(changed);
      context.tune(changed);
      return ports;
    },
    tally: listener.tally,
    attempt(request, handler) {
      const { origin } = request;
      let pool = pools.get(origin.key);
      if (pool === undefined) {
        pool = new OriginPool(context, origin, trust(origin));
        pools.set(origin.key, pool);
      }
      return new OriginAttempt(context, request, handler, pool);
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
      stopSweep?.();
      await listener.close();
      for (const pool of [...pools.values(), ...retired]) pool.destroy();
      pools.clear();
    },
  };
}
