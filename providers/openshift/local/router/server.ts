import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispose, Runnable } from '../../../../src/core/ports.ts';
import { createDualServer } from '../../../../src/lib/dual-server.ts';
import type { SelfSigned } from '../../../../src/lib/self-signed.ts';
import { type Cluster, delayOf } from '../cluster.ts';
import { canonical } from '../json.ts';
import { ENDPOINT_SLICES, ROUTES, SERVICES } from '../resources.ts';
import { createBalancer } from './balance.ts';
import { type ExchangeDeps, isSecure, raw, serve, serveUpgrade } from './exchange.ts';
import { type HealthChecks, startHealthChecks } from './health.ts';
import * as pages from './pages.ts';
import { createSplice } from './splice.ts';
import { buildRouterTable, findRoute, type RouterRoute, type RouterTable } from './table.ts';

export interface Router extends Runnable {
  readonly port: number;
  /** The port is closed and open connections are reset, until turned off. */
  setDown(down: boolean): Promise<void>;
  setFrozen(frozen: boolean): void;
}

const KEEP_ALIVE_MS = 300_000;
const HEAD_TIMEOUT_MS = 10_000;

/** The data plane: one port for every host. It serves a table that is replaced by reloads, never the store itself. */
export function createRouter(cluster: Cluster, wantedPort: number, tls: SelfSigned): Router {
  const { store, clock } = cluster;
  const disposers: (() => void)[] = [];
  let table: RouterTable = { routes: [] };
  let served = '';
  let lastReload = Number.NEGATIVE_INFINITY;
  let plannedReload: Dispose | undefined;
  let health: HealthChecks | undefined;
  let port = wantedPort;
  let innerPort = 0;
  let down = false;

  const deps: ExchangeDeps = {
    clock,
    balancer: createBalancer(cluster.random, (endpoint) => health?.isDown(endpoint) ?? false),
    resolve: (endpoint) => cluster.network.resolve(endpoint.address, endpoint.port),
    connectRetryMs: delayOf(cluster, 'connectRetry'),
  };
  const server = createDualServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: 0 },
    tls,
  );
  const front = createSplice(() => innerPort);

  for (const one of server.servers) {
    one.on('request', answer);
    one.on('upgrade', upgrade);
    one.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end(pages.badRequest('GET'));
    });
  }

  function answer(incoming: IncomingMessage, response: ServerResponse): void {
    const route = routeOf(incoming);
    const { method = 'GET' } = incoming;
    if (!route || isRefused(route, incoming)) raw(response, pages.unavailable(method));
    else if (route.insecure === 'Redirect' && !isSecure(incoming)) {
      raw(response, pages.redirect(`https://${route.host}${incoming.url ?? '/'}`));
    } else void serve(deps, route, incoming, response);
  }

  function upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const route = routeOf(incoming);
    if (!route || isRefused(route, incoming)) socket.end(pages.unavailable('GET'));
    else void serveUpgrade(deps, route, incoming, socket, head);
  }

  function routeOf(incoming: IncomingMessage): RouterRoute | undefined {
    return findRoute(table, incoming.headers.host ?? '', incoming.url ?? '/');
  }

  /** At most one reload an interval, and the first a moment after the change: admitted is not yet served. */
  function planReload(): void {
    if (plannedReload || wantedState() === served) return;
    const now = clock.monotonic();
    const wait = Math.max(
      delayOf(cluster, 'reloadAfter'),
      lastReload + delayOf(cluster, 'reloadEvery') - now,
    );
    plannedReload = clock.after(wait, reload);
  }

  function reload(): void {
    plannedReload = undefined;
    const wanted = wantedState();
    if (wanted === served) return;
    served = wanted;
    lastReload = clock.monotonic();
    table = buildRouterTable(store.list(ROUTES), store.list(SERVICES), store.list(ENDPOINT_SLICES));
    // The old process lives on for what it is serving; idle connections end with it.
    server.closeIdleConnections();
  }

  /** All that is written into the router's configuration: any change of it is a reload. */
  function wantedState(): string {
    const routes = store
      .list(ROUTES)
      .map((route) => [
        route.spec,
        route.metadata.annotations,
        route.status?.ingress?.[0]?.conditions[0]?.status,
      ]);
    const endpoints = store
      .list(ENDPOINT_SLICES)
      .map((slice) => [
        slice.metadata.labels,
        slice.ports,
        slice.endpoints.filter((endpoint) => endpoint.conditions.ready).map((endpoint) => endpoint.addresses),
      ]);
    return canonical(
      JSON.parse(JSON.stringify([routes, endpoints, store.list(SERVICES).map((s) => s.spec)])),
    );
  }

  return {
    name: 'router',
    get port() {
      return port;
    },
    async start() {
      innerPort = await server.listen(0);
      port = await front.listen(wantedPort);
      disposers.push(
        store.onChange(({ type }) => {
          if ([ROUTES, ENDPOINT_SLICES, SERVICES].some((watched) => watched.plural === type.plural))
            planReload();
        }),
      );
      health = startHealthChecks(
        clock,
        Math.max(100, delayOf(cluster, 'healthCheck')),
        () => table,
        deps.resolve,
      );
      disposers.push(health.close);
    },
    async setDown(wanted) {
      if (wanted === down) return;
      down = wanted;
      if (down) await front.shut();
      else port = await front.listen(port);
    },
    setFrozen: (frozen) => front.freeze(frozen),
    async close() {
      for (const dispose of disposers.splice(0)) dispose();
      plannedReload?.();
      await front.shut();
      await server.close();
    },
  };
}

/** Plain HTTP to a route with TLS that does not allow it, or TLS to a route without: as if there were none. */
function isRefused(route: RouterRoute, incoming: IncomingMessage): boolean {
  return isSecure(incoming) ? !route.secure : route.insecure === 'None';
}
