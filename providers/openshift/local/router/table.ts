import { createHash } from 'node:crypto';
import type { Route } from '../openshift-types.ts';
import type { EndpointSlice, Service } from '../types.ts';

/** What the router serves from between two reloads: plain data, made whole, swapped whole. */
export interface RouterTable {
  readonly routes: readonly RouterRoute[];
}

export interface RouterRoute {
  /** `namespace/name`. */
  readonly key: string;
  readonly host: string;
  readonly path: string;
  readonly cookie: string | undefined;
  /** The router ends TLS for it. */
  readonly secure: boolean;
  /** What happens to plain HTTP. */
  readonly insecure: 'Allow' | 'Redirect' | 'None';
  readonly timeoutMs: number;
  readonly forwarded: 'append' | 'replace' | 'if-none' | 'never';
  readonly roundRobin: boolean;
  readonly endpoints: readonly RouterEndpoint[];
}

export interface RouterEndpoint {
  /** md5 of the address: the value of the affinity cookie. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** 0 to 256; 0 serves only clients that hold its cookie. */
  readonly weight: number;
}

const ANNOTATIONS = 'haproxy.router.openshift.io/';
const DEFAULT_TIMEOUT_MS = 30_000;

/** From admitted routes, services and slices to what is served; routes with longer paths come first. */
export function buildRouterTable(
  routes: readonly Route[],
  services: readonly Service[],
  slices: readonly EndpointSlice[],
): RouterTable {
  const built: RouterRoute[] = [];
  for (const route of routes) {
    const admitted = route.status?.ingress?.[0];
    if (admitted?.conditions[0]?.status !== 'True') continue;
    const namespace = route.metadata.namespace ?? '';
    const key = `${namespace}/${route.metadata.name}`;
    const annotations = route.metadata.annotations ?? {};
    const backends = [route.spec.to, ...(route.spec.alternateBackends ?? [])].map((backend) => ({
      weight: backend.weight ?? 100,
      endpoints: endpointsOf(route, backend.name, services, slices),
    }));
    const disabled = annotations[`${ANNOTATIONS}disable_cookies`];
    built.push({
      key,
      host: admitted.host,
      path: route.spec.path ?? '',
      cookie:
        disabled === 'true' || disabled === 'TRUE'
          ? undefined
          : (annotations['router.openshift.io/cookie_name'] ?? md5(`http:${key.replace('/', ':')}`)),
      secure: route.spec.tls !== undefined,
      insecure: insecurePolicy(route),
      timeoutMs: duration(annotations[`${ANNOTATIONS}timeout`]) ?? DEFAULT_TIMEOUT_MS,
      forwarded: forwardedMode(annotations[`${ANNOTATIONS}set-forwarded-headers`]),
      roundRobin:
        annotations[`${ANNOTATIONS}balance`] === 'roundrobin' ||
        backends.filter((backend) => backend.weight > 0 && backend.endpoints.length > 0).length > 1,
      endpoints: weigh(backends),
    });
  }
  return { routes: built.sort((a, b) => b.path.length - a.path.length || a.key.localeCompare(b.key)) };
}

function endpointsOf(
  route: Route,
  serviceName: string,
  services: readonly Service[],
  slices: readonly EndpointSlice[],
): { address: string; port: number }[] {
  const { namespace } = route.metadata;
  const service = services.find(
    (one) => one.metadata.namespace === namespace && one.metadata.name === serviceName,
  );
  if (!service) return [];
  const wanted = route.spec.port?.targetPort;
  const found: { address: string; port: number }[] = [];
  for (const slice of slices) {
    if (slice.metadata.namespace !== namespace) continue;
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== serviceName) continue;
    const port =
      wanted === undefined
        ? slice.ports[0]
        : slice.ports.find(
            (candidate) =>
              candidate.name === wanted ||
              candidate.port === wanted ||
              isServicePort(service, candidate.name, wanted),
          );
    if (!port) continue;
    for (const endpoint of slice.endpoints) {
      if (!endpoint.conditions.ready) continue;
      for (const address of endpoint.addresses) found.push({ address, port: port.port });
    }
  }
  return found;
}

/** A route may name the service's target port by the name it has in the pod. */
function isServicePort(service: Service, name: string, wanted: number | string): boolean {
  return (
    service.spec.ports?.some((port) => (port.name ?? '') === name && port.targetPort === wanted) ?? false
  );
}

/** A service's weight is shared by its endpoints, scaled so that the heaviest endpoint has 256, and at least 1 unless 0. */
function weigh(
  backends: readonly { weight: number; endpoints: readonly { address: string; port: number }[] }[],
): RouterEndpoint[] {
  const shares = backends.map(({ weight, endpoints }) =>
    endpoints.length === 0 ? 0 : weight / endpoints.length,
  );
  const heaviest = Math.max(...shares, 0);
  return backends.flatMap(({ endpoints }, index) => {
    const share = shares[index] ?? 0;
    const weight = share === 0 ? 0 : Math.max(1, Math.floor((share / heaviest) * 256));
    return endpoints.map(({ address, port }) => ({ id: md5(`${address}:${port}`), address, port, weight }));
  });
}

/** The route a request belongs to: by host without port, then the longest path that is a prefix on a segment border. */
export function findRoute(table: RouterTable, hostHeader: string, url: string): RouterRoute | undefined {
  const host = hostHeader.replace(/:\d+$/, '').toLowerCase();
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return table.routes.find((route) => route.host === host && underPath(route.path, path));
}

function underPath(prefix: string, path: string): boolean {
  if (prefix === '' || prefix === '/') return true;
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/';
}

function insecurePolicy(route: Route): RouterRoute['insecure'] {
  if (route.spec.tls === undefined) return 'Allow';
  const policy = route.spec.tls.insecureEdgeTerminationPolicy;
  return policy === 'Allow' || policy === 'Redirect' ? policy : 'None';
}

function forwardedMode(value: string | undefined): RouterRoute['forwarded'] {
  return value === 'replace' || value === 'if-none' || value === 'never' ? value : 'append';
}

/** `30s`, `500ms`, `2m`; as HAProxy writes times. */
function duration(value: string | undefined): number | undefined {
  const match = /^(\d+)(us|ms|s|m|h|d)?$/.exec(value ?? '');
  if (!match) return undefined;
  const unit = { us: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 'ms'];
  return Number(match[1]) * (unit ?? 1);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
