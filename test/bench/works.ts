import type { ProxyName } from './contender.ts';
import { LIMITS, type Limit } from './limits.ts';

export type WorkKey =
  | 'small'
  | 'access-log'
  | 'many'
  | 'large'
  | 'tls-upstream'
  | 'tls'
  | 'http2'
  | 'paced-2000'
  | 'paced-8000'
  | 'idle';

/** What the clients do. */
export type Traffic =
  /** Each stream of each connection sends its next request when it has the answer to the last. */
  | { readonly kind: 'closed'; readonly connections: number; readonly streams: number }
  /** Requests leave by the clock, whether or not the last ones were answered. */
  | { readonly kind: 'paced'; readonly connections: number; readonly perSecond: number }
  /** Each connection asks once and then stays open and silent. */
  | { readonly kind: 'idle'; readonly connections: number };

/** How the proxies are set up for it; all of them alike. */
export interface Setup {
  readonly downstream: 'http' | 'https' | 'h2';
  readonly upstream: 'http' | 'https';
  readonly accessLog: boolean;
}

/** One kind of traffic that proxies are measured with. */
export interface Work {
  /** By which it is picked on the command line. */
  readonly key: WorkKey;
  readonly name: string;
  readonly traffic: Traffic;
  readonly setup: Setup;
  readonly bodyBytes: number;
  /** Who takes part, in the order of the table. */
  readonly proxies: readonly ProxyName[];
  readonly limits: readonly Limit[];
}

const PLAIN: Setup = { downstream: 'http', upstream: 'http', accessLog: false };
const KILOBYTE = 1024;

function work(key: WorkKey, name: string, rest: Omit<Work, 'key' | 'name' | 'limits'>): Work {
  return { key, name, ...rest, limits: LIMITS[key] ?? [] };
}

function closed(connections: number, streams = 1): Traffic {
  return { kind: 'closed', connections, streams };
}

export const WORKS: readonly Work[] = [
  work('small', '1 KB keep-alive, 64 connections', {
    traffic: closed(64),
    setup: PLAIN,
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy', 'fastify', 'undici'],
  }),
  work('access-log', '1 KB with a JSON access log', {
    traffic: closed(64),
    setup: { ...PLAIN, accessLog: true },
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx'],
  }),
  work('many', '1 KB, 256 connections', {
    traffic: closed(256),
    setup: PLAIN,
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy'],
  }),
  work('large', '1 MB bodies, 16 connections', {
    traffic: closed(16),
    setup: PLAIN,
    bodyBytes: KILOBYTE * KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy'],
  }),
  work('tls-upstream', '1 KB, TLS to the origin', {
    traffic: closed(64),
    setup: { ...PLAIN, upstream: 'https' },
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy'],
  }),
  work('tls', '1 KB, TLS from the client, HTTP/1.1', {
    traffic: closed(64),
    setup: { ...PLAIN, downstream: 'https' },
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy'],
  }),
  work('http2', '1 KB, HTTP/2 from the client, 16 connections with 4 streams', {
    traffic: closed(16, 4),
    setup: { ...PLAIN, downstream: 'h2' },
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy'],
  }),
  ...([2000, 8000] as const).map((perSecond) =>
    work(`paced-${perSecond}`, `1 KB, ${perSecond} requests/s by the clock`, {
      traffic: { kind: 'paced', connections: 64, perSecond },
      setup: PLAIN,
      bodyBytes: KILOBYTE,
      proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy', 'direct'],
    }),
  ),
  work('idle', '10,000 idle keep-alive clients', {
    traffic: { kind: 'idle', connections: 10_000 },
    setup: PLAIN,
    bodyBytes: KILOBYTE,
    proxies: ['sluice', 'nginx', 'haproxy', 'http-proxy'],
  }),
];
