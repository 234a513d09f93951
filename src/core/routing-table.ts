import type { ApplicationName, OriginId, PlatformName, ReleaseId } from './ids.ts';
import type { RateLimit } from './settings.ts';

/**
 * The frozen snapshot the gateway serves from: plain JSON, replaced whole, never edited. Only the engine makes
 * one; versions only rise; an equal table is not published.
 */
export interface RoutingTable {
  readonly version: number;
  /** Epoch milliseconds. */
  readonly publishedAt: number;
  /** Most specific first: exact host before `*`, longer path before shorter. The first match wins. */
  readonly routes: readonly TableRoute[];
}

export interface TableRoute {
  readonly application: ApplicationName;
  /** Lower case, no port; `*` matches any. */
  readonly host: string;
  /** Prefix, matched at segment borders; `/` matches all. */
  readonly path: string;
  /** `map`: the platforms know the public host. `rewrite`: Location and Set-Cookie domains are put back. */
  readonly publicHost: 'map' | 'rewrite';
  /** `idempotent` lets PUT, DELETE and requests with an Idempotency-Key be replayed too. */
  readonly retry: 'safe' | 'idempotent';
  readonly affinity?: boolean;
  /** Part of the requests to answer 503 at once, 0 to 1: there is no capacity for them. */
  readonly shed?: number;
  /** What is asked of it is told by itself: routes of its application differ in priority. */
  readonly counted?: true;
  /** Left out: unsafe requests go where all go. */
  readonly writes?: TableWrites;
  readonly rateLimit?: RateLimit;
  /** A release is tried beside another, or may be at any time: workers tell what both met. */
  readonly compared?: true;
  /** In the order in which they are tried when the chosen one cannot serve. */
  readonly targets: readonly TableTarget[];
}

/** Unsafe requests go to the writer only; with none they are answered 503 (a next one is on its way) or 405 (`none`). */
export type TableWrites =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'single';
      readonly writer: PlatformName | undefined;
      readonly epoch: number;
      /** Who is being promoted while there is no writer: `epoch` is already its own. */
      readonly next?: PlatformName;
    };

export interface TableTarget {
  readonly platform: PlatformName;
  readonly release: ReleaseId | undefined;
  /** Part of new requests, 0 to 1. Shares of a route sum to 1 or all are 0. */
  readonly share: number;
  /** `active` gets its share; `spare` only what the active ones cannot take; `draining` nothing new. */
  readonly state: 'active' | 'spare' | 'draining';
  /** Clients that were here before may stay (`affinity`): it is neither down nor fenced, nor drained past its deadline. */
  readonly keepsSessions?: boolean;
  /** It takes new clients, and those that were here before are given a place anew (`stickiness`). */
  readonly movesSessions?: true;
  /** A release that is tried beside the one that serves: its share is a part of the platform's, and nobody's refuge. */
  readonly trial?: true;
  /** The Host sent upstream; undefined passes the client's on. */
  readonly hostHeader: string | undefined;
  readonly sni: string | undefined;
  /** PEM of authorities to trust besides the well-known ones. */
  readonly ca?: string;
  readonly origins: readonly TableOrigin[];
}

export interface TableOrigin {
  readonly id: OriginId;
  /** `http://127.0.0.1:8080` or `https://…`; no path. */
  readonly url: string;
}

export const EMPTY_TABLE: RoutingTable = { version: 0, publishedAt: 0, routes: [] };

/** Equal in everything that matters to a request; version and time do not. */
export function sameRouting(a: RoutingTable, b: RoutingTable): boolean {
  return JSON.stringify(a.routes) === JSON.stringify(b.routes);
}

export function originsOf(table: RoutingTable): ReadonlySet<OriginId> {
  const ids = new Set<OriginId>();
  for (const route of table.routes) {
    for (const target of route.targets) {
      for (const origin of target.origins) ids.add(origin.id);
    }
  }
  return ids;
}
