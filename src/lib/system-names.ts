import dns from 'node:dns';
import type { NameAnswer, NameResolver } from '../core/ports.ts';

/** `getaddrinfo` blocks a thread of Node's four while it waits; the others are for files. */
const AT_ONCE = 2;
/** The TTL is only a hint: an answer does not wait longer for it. */
const TTL_WAIT_MS = 1_000;

/**
 * Names as every program of this machine sees them (hosts file, search domains, whatever nsswitch names), so that what
 * works on the command line works here. The system does not say for how long; that is asked of the name servers beside it.
 */
export function createSystemNames(): NameResolver {
  const waiting: (() => void)[] = [];
  let asking = 0;

  async function inTurn<T>(ask: () => Promise<T>): Promise<T> {
    while (asking >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    asking += 1;
    try {
      return await ask();
    } finally {
      asking -= 1;
      waiting.shift()?.();
    }
  }

  return {
    async resolve(name): Promise<NameAnswer> {
      const ttl = shortestTtl(name);
      const found = await inTurn(() => lookUp(name));
      const addresses = found.map(({ address }) => address);
      const ttlMs = await ttl;
      return ttlMs === undefined ? { addresses } : { addresses, ttlMs };
    },
  };
}

/** Only kinds of addresses this machine has itself; on one without a network that would be none, so then any. */
async function lookUp(name: string): Promise<dns.LookupAddress[]> {
  try {
    return await dns.promises.lookup(name, { all: true, hints: dns.ADDRCONFIG });
  } catch {
    return await dns.promises.lookup(name, { all: true });
  }
}

async function shortestTtl(name: string): Promise<number | undefined> {
  const resolver = new dns.promises.Resolver({ timeout: TTL_WAIT_MS, tries: 1 });
  const answers = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  const ttls = answers.flatMap((answer) =>
    answer.status === 'fulfilled' ? answer.value.map(({ ttl }) => ttl) : [],
  );
  return ttls.length === 0 ? undefined : Math.min(...ttls) * 1000;
}
