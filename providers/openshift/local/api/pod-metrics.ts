import type { Cluster } from '../cluster.ts';
import { methodNotAllowed, notFound } from '../errors.ts';
import type { Pod } from '../pod-types.ts';
import { groupVersion, POD_METRICS, PODS } from '../resources.ts';
import type { KubeObject } from '../types.ts';
import { type Answer, type ApiRequest, ok, type Target } from './http.ts';
import { asListItem, matcher } from './reads.ts';

/** The runner looks at its processes every two seconds; what is younger than two looks is not measured yet. */
const WINDOW = '2s';

/** What containers use, as the processes behind them do: they and all that they started. */
export function podMetrics(cluster: Cluster, request: ApiRequest, { namespace, name }: Target): Answer {
  if (request.method !== 'GET') throw methodNotAllowed();
  if (name !== undefined) {
    const pod = cluster.store.get(PODS, namespace, name);
    const measured = pod && measuredOf(cluster, pod);
    if (!measured) throw notFound(POD_METRICS, `${namespace}/${name}`);
    return ok(measured);
  }
  const matches = matcher(request);
  const items = cluster.store
    .list(PODS, namespace)
    .map((pod) => measuredOf(cluster, pod))
    .filter((one) => one !== undefined)
    .filter(matches)
    .map(asListItem);
  return ok({ kind: 'PodMetricsList', apiVersion: groupVersion(POD_METRICS), metadata: {}, items });
}

/** Undefined as long as not all of its containers were measured. */
function measuredOf(cluster: Cluster, { metadata, spec }: Pod): KubeObject | undefined {
  const containers = spec.containers.flatMap(({ name }) => {
    const usage = cluster.runner.get(`${metadata.uid}/${name}`)?.usage;
    if (usage === undefined) return [];
    const cpu = `${Math.round(usage.cpu * 1e9)}n`;
    return [{ name, usage: { cpu, memory: `${Math.ceil(usage.memoryBytes / 1024)}Ki` } }];
  });
  if (containers.length === 0 || containers.length < spec.containers.length) return undefined;
  return {
    kind: 'PodMetrics',
    apiVersion: groupVersion(POD_METRICS),
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      creationTimestamp: cluster.store.now(),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    },
    timestamp: cluster.store.now(),
    window: WINDOW,
    containers,
  };
}
