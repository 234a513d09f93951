import type { ProxyName } from './contender.ts';

/** One kind of traffic that every proxy is measured with. */
export interface Work {
  readonly name: string;
  /** Keep-alive connections, each with one request under way. */
  readonly connections: number;
  readonly bodyBytes: number;
  readonly limits: readonly Limit[];
}

/** CPU time a request costs in the gateway, as a multiple of what it costs in a peer. */
export interface Limit {
  readonly over: ProxyName;
  readonly atMost: number;
}

export const WORKS: readonly Work[] = [
  {
    name: '1 KB keep-alive, 64 connections',
    connections: 64,
    bodyBytes: 1024,
    // A sanity limit: the compat wire is there to be right, the fast one will bring limits that bind.
    limits: [{ over: 'http-proxy', atMost: 3 }],
  },
];
