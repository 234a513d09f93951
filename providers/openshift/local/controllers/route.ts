import { type Cluster, type Controller, delayOf, workQueue } from '../cluster.ts';
import type { Route } from '../openshift-types.ts';
import { ROUTES } from '../resources.ts';
import type { Condition } from '../types.ts';

const ROUTER_NAME = 'default';

/** The router's own view of each route: whether it admits it. Being admitted is not yet being served. */
export function createRouteController(cluster: Cluster): Controller {
  const { store, clock, appsDomain } = cluster;
  // One look at all of them: who owns a host depends on who else asked for it.
  const queue = workQueue(clock, delayOf(cluster, 'admission'), reconcile);
  const unsubscribe = store.onChange(({ type }) => {
    if (type.plural === ROUTES.plural) queue.add('all');
  });

  function reconcile(): void {
    const verdicts = admission(store.list(ROUTES), appsDomain);
    for (const [route, verdict] of verdicts) {
      store.change(ROUTES, route.metadata.namespace, route.metadata.name, (draft) => {
        const before = draft.status?.ingress?.[0]?.conditions[0];
        const unchanged =
          before?.status === verdict.condition.status && before?.reason === verdict.condition.reason;
        const ingress = [
          {
            host: verdict.host,
            routerName: ROUTER_NAME,
            conditions: [
              {
                ...verdict.condition,
                lastTransitionTime: (unchanged ? before?.lastTransitionTime : undefined) ?? store.now(),
              },
            ],
            wildcardPolicy: draft.spec.wildcardPolicy ?? 'None',
            routerCanonicalHostname: `router-${ROUTER_NAME}.${appsDomain}`,
          },
        ];
        draft.status = { ...draft.status, ingress };
      });
    }
  }

  return {
    name: 'route',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

export interface Admission {
  readonly host: string;
  readonly condition: Condition;
}

/** Who may have which host: the oldest claim holds it, for its own namespace and, path by path, for one route. */
export function admission(routes: readonly Route[], appsDomain: string): Map<Route, Admission> {
  const oldestFirst = [...routes].sort(byAge);
  const verdicts = new Map<Route, Admission>();
  for (const route of oldestFirst) {
    const host = hostOf(route, appsDomain);
    const earlier = [...verdicts.keys()].filter(
      (other) => verdicts.get(other)?.condition.status === 'True' && hostOf(other, appsDomain) === host,
    );
    verdicts.set(route, { host, condition: judge(route, host, earlier) });
  }
  return verdicts;
}

function judge(route: Route, host: string, earlier: readonly Route[]): Condition {
  if (host === '') return refused('NoHostValue', 'no host value was defined for the route');
  const foreign = earlier.find((other) => other.metadata.namespace !== route.metadata.namespace);
  if (foreign) {
    return refused(
      'HostAlreadyClaimed',
      `a route in another namespace holds ${host} and is older than ${route.metadata.name}`,
    );
  }
  const same = earlier.find((other) => (other.spec.path ?? '') === (route.spec.path ?? ''));
  if (same) {
    return refused('HostAlreadyClaimed', `route ${same.metadata.name} already exposes ${host} and is older`);
  }
  return { type: 'Admitted', status: 'True' };
}

function refused(reason: string, message: string): Condition {
  return { type: 'Admitted', status: 'False', reason, message };
}

function hostOf(route: Route, appsDomain: string): string {
  if (route.spec.host) return route.spec.host.toLowerCase();
  return route.spec.subdomain ? `${route.spec.subdomain}.${appsDomain}`.toLowerCase() : '';
}

function byAge(a: Route, b: Route): number {
  const older = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
  if (older !== 0) return older;
  return (a.metadata.uid ?? '').localeCompare(b.metadata.uid ?? '');
}
