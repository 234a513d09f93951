import { describe, expect, it } from '@jest/globals';
import { admission } from '../../../../providers/openshift/local/controllers/route.ts';
import type { Route } from '../../../../providers/openshift/local/openshift-types.ts';
import { buildRouterTable, findRoute } from '../../../../providers/openshift/local/router/table.ts';
import type { EndpointSlice, Service } from '../../../../providers/openshift/local/types.ts';

function route(name: string, namespace: string, second: number, spec: Partial<Route['spec']> = {}): Route {
  return {
    kind: 'Route',
    apiVersion: 'route.openshift.io/v1',
    metadata: { name, namespace, uid: name, creationTimestamp: `2026-01-01T00:00:0${second}Z` },
    spec: { host: 'a.example', to: { kind: 'Service', name: 'app', weight: 100 }, ...spec },
    status: {},
  };
}

function admitted(one: Route): Route {
  const host = one.spec.host ?? '';
  const conditions = [{ type: 'Admitted', status: 'True' }];
  const ingress = {
    host,
    routerName: 'default',
    routerCanonicalHostname: '',
    wildcardPolicy: 'None',
    conditions,
  };
  return { ...one, status: { ingress: [ingress] } };
}

function service(name: string): Service {
  const ports = [{ name: 'http', port: 80, targetPort: 'web' }];
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name, namespace: 'x' },
    spec: { ports },
    status: {},
  };
}

function slice(name: string, addresses: readonly string[]): EndpointSlice {
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name, namespace: 'x', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace: 'x', name: address, uid: address },
      nodeName: 'n',
    })),
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  };
}

describe('admission of routes', () => {
  it('gives a host to the oldest claim of another namespace', () => {
    const verdicts = [...admission([route('young', 'y', 2), route('old', 'x', 1)], 'apps.test')];
    expect(
      verdicts.map(([one, verdict]) => [
        one.metadata.name,
        verdict.condition.status,
        verdict.condition.reason,
      ]),
    ).toEqual([
      ['old', 'True', undefined],
      ['young', 'False', 'HostAlreadyClaimed'],
    ]);
    expect(verdicts[1]?.[1].condition.message).toBe(
      'a route in another namespace holds a.example and is older than young',
    );
  });

  it('lets one namespace share a host by path, and only so', () => {
    const shared = [route('root', 'x', 1), route('api', 'x', 2, { path: '/api' }), route('again', 'x', 3)];
    const statuses = [...admission(shared, 'apps.test').values()].map((verdict) => verdict.condition.status);
    expect(statuses).toEqual(['True', 'True', 'False']);
  });

  it('wants a host', () => {
    const [verdict] = admission([route('none', 'x', 1, { host: '' })], 'apps.test').values();
    expect(verdict?.condition.reason).toBe('NoHostValue');
  });
});

describe('the router table', () => {
  it('finds the longest path on a segment border, whatever the port and case of the host', () => {
    const table = buildRouterTable(
      [admitted(route('root', 'x', 1)), admitted(route('api', 'x', 2, { path: '/api' }))],
      [],
      [],
    );
    expect(findRoute(table, 'A.example:8080', '/api/v1?x')?.key).toBe('x/api');
    expect(findRoute(table, 'a.example', '/apis')?.key).toBe('x/root');
    expect(findRoute(table, 'b.example', '/')).toBeUndefined();
  });

  it('shares a weight among the pods of its service, scaled to 256', () => {
    const split = admitted(
      route('split', 'x', 1, {
        to: { kind: 'Service', name: 'a', weight: 90 },
        alternateBackends: [{ kind: 'Service', name: 'b', weight: 10 }],
        port: { targetPort: 'web' },
      }),
    );
    const table = buildRouterTable(
      [split],
      [service('a'), service('b')],
      [slice('a', ['1', '2', '3']), slice('b', ['4'])],
    );
    expect(table.routes[0]?.endpoints.map((endpoint) => endpoint.weight)).toEqual([256, 256, 256, 85]);
    expect(table.routes[0]?.roundRobin).toBe(true);
  });

  it('serves only admitted routes', () => {
    expect(buildRouterTable([route('new', 'x', 1)], [], []).routes).toEqual([]);
  });
});
