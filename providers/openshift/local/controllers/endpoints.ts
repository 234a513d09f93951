import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { equal } from '../json.ts';
import type { Pod } from '../pod-types.ts';
import { ENDPOINT_SLICES, PODS, SERVICES } from '../resources.ts';
import type { Endpoint, EndpointSlice, Service } from '../types.ts';
import { isReady } from './replicaset.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const TRIGGERED_AT = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Keeps one slice a service: the pods it selects, and which of them take traffic. */
export function createEndpointsController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'endpoints'), reconcile);
  const unsubscribe = store.onChange(({ type, object }) => {
    if (type.plural === SERVICES.plural) queue.add(keyOf(object));
    else if (type.plural === PODS.plural) {
      for (const service of store.list(SERVICES, object.metadata.namespace)) queue.add(keyOf(service));
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const service = store.get(SERVICES, namespace, name);
    const slice = store
      .list(ENDPOINT_SLICES, namespace)
      .find((candidate) => candidate.metadata.labels?.[SERVICE_NAME] === name);
    if (!service) return;
    const selected = store.list(PODS, namespace).filter((pod) => isSelected(service, pod));
    const content = describe(service, selected);
    if (slice && equal({ ...content }, { endpoints: slice.endpoints, ports: slice.ports })) return;
    const triggered = { [TRIGGERED_AT]: store.now() };
    if (slice) {
      store.change(ENDPOINT_SLICES, namespace, slice.metadata.name, (draft) => {
        Object.assign(draft, content);
        draft.metadata.annotations = triggered;
      });
    } else store.create(ENDPOINT_SLICES, newSlice(service, content, store.suffix(5), triggered));
  }

  return {
    name: 'endpoints',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

function isSelected(service: Service, pod: Pod): boolean {
  const wanted = Object.entries(service.spec.selector ?? {});
  return (
    wanted.length > 0 &&
    pod.status.podIP !== undefined &&
    wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)
  );
}

/** A pod that is being deleted stops being ready here before its process hears of it. */
export function describe(service: Service, pods: readonly Pod[]): Pick<EndpointSlice, 'endpoints' | 'ports'> {
  const endpoints: Endpoint[] = pods.map((pod) => {
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    const serving = isReady(pod);
    return {
      addresses: [pod.status.podIP ?? ''],
      conditions: { ready: serving && !terminating, serving, terminating },
      targetRef: {
        kind: 'Pod',
        namespace: pod.metadata.namespace ?? '',
        name: pod.metadata.name,
        uid: pod.metadata.uid ?? '',
      },
      nodeName: pod.spec.nodeName ?? '',
    };
  });
  const [sample] = pods;
  const ports = (service.spec.ports ?? []).flatMap((port) => {
    const number = sample ? targetPort(sample, port.targetPort ?? port.port) : undefined;
    return number === undefined
      ? []
      : [{ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: number }];
  });
  return { endpoints, ports };
}

function targetPort(pod: Pod, wanted: number | string): number | undefined {
  if (typeof wanted === 'number') return wanted;
  for (const container of pod.spec.containers) {
    const port = container.ports?.find((candidate) => candidate.name === wanted);
    if (port) return port.containerPort;
  }
  return undefined;
}

function newSlice(
  service: Service,
  content: Pick<EndpointSlice, 'endpoints' | 'ports'>,
  suffix: string,
  annotations: Record<string, string>,
): EndpointSlice {
  const { name, namespace, uid } = service.metadata;
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: {
      name: `${name}-${suffix}`,
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        [SERVICE_NAME]: name,
      },
      annotations,
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name,
          uid: uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: 'IPv4',
    ...content,
  };
}
