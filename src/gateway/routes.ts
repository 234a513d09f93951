import type { ApplicationName, PlatformName, ReleaseId } from '../core/ids.ts';
import type { RoutingTable, TableOrigin, TableRoute, TableTarget } from '../core/routing-table.ts';
import type { RateLimit } from '../core/settings.ts';
import { OPEN } from './gate.ts';
import type { HeadEdit, RequestStamp, ResponseEdit } from './headers.ts';
import { HostIndex } from './host-index.ts';
import type { Lane } from './lane.ts';
import { normalPath } from './normal-path.ts';
import type { RouteTally } from './route-tally.ts';
import type { RequestHead } from './wire.ts';
import { type CompiledWrites, compileWrites, roleOf } from './writes.ts';

/** A table made ready for requests: looked up once a request, never changed. */
export interface CompiledTable {
  readonly version: number;
  readonly routes: readonly CompiledRoute[];
  readonly hosts: HostIndex;
  /** Those of which releases are compared. */
  readonly comparing: ReadonlySet<ApplicationName>;
}

export interface CompiledRoute {
  readonly application: ApplicationName;
  readonly host: string;
  readonly path: string;
  readonly rewrite: boolean;
  readonly idempotentToo: boolean;
  /** Without the draining ones, in the order of the table: active before spare, and trials when nobody else is left. */
  readonly targets: readonly CompiledTarget[];
  readonly rateLimit: RateLimit | undefined;
  /** Part of the requests for which there is no capacity, 0 to 1. */
  readonly shed: number;
  /** What is asked of it is told by itself. */
  readonly counted: boolean;
  readonly tally: RouteTally;
  /** Undefined: unsafe requests go where all go. */
  readonly writes: CompiledWrites | undefined;
  /** Undefined: clients belong to no platform. */
  readonly sessions: RouteSessions | undefined;
}

/** Where clients may stay that belong to a platform. */
export interface RouteSessions {
  /** All that the table names; a cookie for another one means nothing. */
  readonly platforms: ReadonlySet<PlatformName>;
  /** The same route with the targets of that platform alone, as long as its clients may stay. */
  readonly staying: ReadonlyMap<PlatformName, CompiledRoute>;
}

export interface CompiledTarget {
  readonly platform: PlatformName;
  readonly release: ReleaseId | undefined;
  readonly share: number;
  readonly active: boolean;
  readonly trial: boolean;
  readonly edit: HeadEdit;
  readonly lanes: readonly Lane[];
}

/** Finds or makes the lanes of an origin, one for each of its addresses: they outlive the table. */
export type LanesFor = (
  application: ApplicationName,
  target: TableTarget,
  origin: TableOrigin,
) => readonly Lane[];

export function compileTable(
  table: RoutingTable,
  lanesFor: LanesFor,
  tallyFor: (route: TableRoute) => RouteTally,
): CompiledTable {
  const routes: CompiledRoute[] = [];
  const byHost = new Map<string, CompiledRoute[]>();
  const anyHost: CompiledRoute[] = [];
  for (const route of table.routes) {
    if (route.host !== '*') byHost.set(route.host, []);
  }
  for (const route of table.routes) {
    const compiled = compileRoute(route, lanesFor, tallyFor(route));
    routes.push(compiled);
    if (route.host === '*') {
      anyHost.push(compiled);
      for (const list of byHost.values()) list.push(compiled);
    } else byHost.get(route.host)?.push(compiled);
  }
  const compared = table.routes.filter((route) => route.compared === true);
  const comparing = new Set(compared.map(({ application }) => application));
  return { version: table.version, routes, hosts: new HostIndex(byHost, anyHost), comparing };
}

function compileRoute(route: TableRoute, lanesFor: LanesFor, tally: RouteTally): CompiledRoute {
  const active: CompiledTarget[] = [];
  const staying: CompiledTarget[] = [];
  const spare: CompiledTarget[] = [];
  const trials: CompiledTarget[] = [];
  const all: CompiledTarget[] = [];
  for (const target of route.targets) {
    const compiled: CompiledTarget = {
      platform: target.platform,
      release: target.release,
      share: target.share,
      active: target.state === 'active',
      trial: target.trial === true,
      edit: {
        host: target.hostHeader,
        platform: target.platform,
        role: roleOf(route.writes, target.platform),
      },
      lanes: target.origins.flatMap((origin) => lanesFor(route.application, target, origin)),
    };
    all.push(compiled);
    const takes = compiled.active && target.share > 0 && target.movesSessions !== true;
    if (takes || target.keepsSessions === true) staying.push(compiled);
    // A draining target gets nothing new, but its lanes were made: they stay in the table.
    if (compiled.trial) trials.push(compiled);
    else if (target.state === 'active') active.push(compiled);
    else if (target.state === 'spare') spare.push(compiled);
  }
  const base: CompiledRoute = {
    application: route.application,
    host: route.host,
    path: route.path,
    rewrite: route.publicHost === 'rewrite',
    idempotentToo: route.retry === 'idempotent',
    targets: [...active, ...spare, ...trials],
    rateLimit: route.rateLimit,
    shed: route.shed ?? 0,
    counted: route.counted === true,
    tally,
    writes: undefined,
    sessions: undefined,
  };
  const writes = route.writes === undefined ? undefined : compileWrites(route.writes, base, all);
  const compiled = { ...base, writes };
  if (route.affinity !== true) return compiled;
  const platforms = new Set(route.targets.map(({ platform }) => platform));
  return { ...compiled, sessions: { platforms, staying: byPlatform(compiled, staying) } };
}

/** Targets that take new clients first: one that drains is only for want of them. */
function byPlatform(
  route: CompiledRoute,
  staying: readonly CompiledTarget[],
): ReadonlyMap<PlatformName, CompiledRoute> {
  const isNew = (target: CompiledTarget): boolean => target.active && target.share > 0;
  const all = new Map<PlatformName, CompiledRoute>();
  for (const { platform } of staying) {
    const own = staying.filter((target) => target.platform === platform);
    const targets = [...own.filter(isNew), ...own.filter((target) => !isNew(target))];
    all.set(platform, { ...route, targets });
  }
  return all;
}

/** What a route is found by: `host` as the client sent it, `target` in origin form, which is asked for only when needed. */
type Address = Pick<RequestHead, 'host' | 'target'>;

export function matchRoute(table: CompiledTable, address: Address): CompiledRoute | undefined {
  for (const route of table.hosts.routesOf(address.host)) {
    if (route.path === '/' || underPath(address.target, route.path)) return route;
  }
  return undefined;
}

/**
 * Whether a server that normalises paths would take this one for a path of another route: we pass it on byte for byte,
 * so what we decided by it must hold for whoever reads it next.
 */
export function leadsElsewhere(table: CompiledTable, address: Address): boolean {
  const { host } = address;
  const candidates = table.hosts.routesOf(host);
  if (candidates.length === 0 || candidates[0]!.path === '/') return false;
  const target = normalPath(address.target);
  return target !== undefined && matchRoute(table, { host, target }) !== matchRoute(table, address);
}

/** `/shop` holds `/shop`, `/shop/1` and `/shop?x`, not `/shopping`. */
function underPath(target: string, prefix: string): boolean {
  if (!target.startsWith(prefix)) return false;
  if (prefix.endsWith('/') || target.length === prefix.length) return true;
  const next = target.charAt(prefix.length);
  return next === '/' || next === '?';
}

/** What an answer needs before the client of this request may see it; without a target it is our own. */
export function responseEdit(
  head: RequestHead,
  { client, marks }: RequestStamp,
  target: CompiledTarget | undefined,
  route: CompiledRoute | undefined,
  setCookie: string | undefined,
): ResponseEdit {
  return {
    from: route?.rewrite === true ? target?.edit.host : undefined,
    to: client.host ?? head.host,
    scheme: client.proto,
    platform: target?.platform,
    marks,
    setCookie,
  };
}

/** Seconds until the first ejected origin gets its trial: when to try again. */
export function secondsUntilTrial(route: CompiledRoute | undefined, now: number): number {
  let soonest = 30_000;
  for (const target of route?.targets ?? []) {
    for (const { gate } of target.lanes)
      soonest = Math.min(soonest, gate.state === OPEN ? gate.until - now : 0);
  }
  return Math.max(1, Math.ceil(soonest / 1000));
}
