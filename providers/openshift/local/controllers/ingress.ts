import { createHash } from 'node:crypto';
import type { Ingress } from '../batch-types.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { equal } from '../json.ts';
import type { Route } from '../openshift-types.ts';
import { INGRESSES, isKind, ROUTES, SERVICES } from '../resources.ts';

/**
 * Makes a Route of each path of an Ingress, as OpenShift does. On a plain Kubernetes nobody can see those routes, and
 * the router serves them all the same: there it is the ingress controller.
 */
export function createIngressController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (isKind(type, INGRESSES)) {
      if (change !== 'DELETED') queue.add(keyOf(object));
    } else if (isKind(type, SERVICES)) {
      for (const ingress of store.list(INGRESSES, object.metadata.namespace)) queue.add(keyOf(ingress));
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const ingress = store.get(INGRESSES, namespace, name);
    if (!ingress) return;
    const wanted = routesOf(ingress);
    const names = new Set(wanted.map((route) => route.metadata.name));
    for (const route of store.list(ROUTES, namespace)) {
      const isOwn = route.metadata.ownerReferences?.some(({ uid }) => uid === ingress.metadata.uid);
      if (isOwn && !names.has(route.metadata.name)) store.remove(ROUTES, namespace, route.metadata.name);
    }
    for (const route of wanted) {
      const before = store.get(ROUTES, namespace, route.metadata.name);
      if (!before) store.create(ROUTES, route);
      else if (!equal(before.spec, route.spec))
        store.change(ROUTES, namespace, route.metadata.name, (draft) => {
          draft.spec = route.spec;
        });
    }
    store.change(INGRESSES, namespace, name, (draft) => {
      draft.status.loadBalancer = { ingress: [{ hostname: `router-default.${cluster.appsDomain}` }] };
    });
  }

  return {
    name: 'ingress',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

/** One route a path; an Ingress without hosts is for nobody, as the router serves by host only. */
export function routesOf(ingress: Ingress): Route[] {
  const { name, namespace, uid = '' } = ingress.metadata;
  const secure = new Set((ingress.spec.tls ?? []).flatMap(({ hosts }) => hosts ?? []));
  return (ingress.spec.rules ?? []).flatMap(({ host, http }) =>
    (http?.paths ?? []).flatMap(({ path = '/', backend }): Route[] => {
      const { service } = backend;
      if (host === undefined || service === undefined) return [];
      const port = service.port.name ?? service.port.number;
      const id = createHash('sha256').update(`${host}${path}`).digest('hex').slice(0, 5);
      return [
        {
          kind: 'Route',
          apiVersion: 'route.openshift.io/v1',
          metadata: {
            name: `${name}-${id}`,
            ...(namespace === undefined ? {} : { namespace }),
            ownerReferences: [
              { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name, uid, controller: true },
            ],
          },
          spec: {
            host,
            ...(path === '/' ? {} : { path }),
            to: { kind: 'Service', name: service.name, weight: 100 },
            ...(port === undefined ? {} : { port: { targetPort: port } }),
            ...(secure.has(host)
              ? { tls: { termination: 'edge', insecureEdgeTerminationPolicy: 'Redirect' } }
              : {}),
            wildcardPolicy: 'None',
          },
          status: {},
        },
      ];
    }),
  );
}
