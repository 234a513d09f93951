import type { Cluster } from './cluster.ts';
import { forbiddenBecause } from './errors.ts';
import { at, isObject, type JsonObject, listAt, objectAt } from './json.ts';
import { formatLike, quantity } from './quantity.ts';
import { isKind, PODS, RESOURCE_QUOTAS, type ResourceType } from './resources.ts';
import type { KubeObject, ResourceQuota } from './types.ts';

/** Kinds a quota may name without `count/`. */
const BY_NAME = new Set([
  'pods',
  'services',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'resourcequotas',
  'replicationcontrollers',
]);

/** What one object takes of a quota, by the quota's own names: `configmaps`, `count/jobs.batch`, `limits.memory`. */
export function usageOf(type: ResourceType, object: KubeObject): Readonly<Record<string, number>> {
  const usage: Record<string, number> = {
    [`count/${type.plural}${type.group === '' ? '' : `.${type.group}`}`]: 1,
  };
  if (type.group === '' && BY_NAME.has(type.plural)) usage[type.plural] = 1;
  if (isKind(type, PODS)) {
    for (const container of listAt(object, 'spec', 'containers')) {
      for (const kind of ['requests', 'limits']) {
        for (const [name, value] of Object.entries(objectAt(container, 'resources', kind))) {
          const amount = quantity(value) ?? 0;
          usage[`${kind}.${name}`] = (usage[`${kind}.${name}`] ?? 0) + amount;
          if (kind === 'requests') usage[name] = (usage[name] ?? 0) + amount;
        }
      }
    }
  }
  return usage;
}

/** What all living objects of a namespace take, for each line of a quota. */
export function usedOf(cluster: Cluster, quota: ResourceQuota): Record<string, string> {
  const { namespace } = quota.metadata;
  const hard = quota.spec.hard ?? {};
  const sums = new Map<string, number>();
  for (const type of cluster.served) {
    if (!type.namespaced) continue;
    for (const object of cluster.store.list(type, namespace)) {
      if (isOver(object)) continue;
      for (const [name, amount] of Object.entries(usageOf(type, object))) {
        sums.set(name, (sums.get(name) ?? 0) + amount);
      }
    }
  }
  return Object.fromEntries(
    Object.keys(hard).map((name) => [name, formatLike(hard[name], sums.get(name) ?? 0)]),
  );
}

/** Pods that ended take nothing any more. */
function isOver(object: JsonObject): boolean {
  const status = object['status'];
  const phase = isObject(status) ? status['phase'] : undefined;
  return object['kind'] === 'Pod' && (phase === 'Succeeded' || phase === 'Failed');
}

/** Throws 403 where a new object does not fit; it will not until somebody makes room or raises the quota. */
export function checkQuota(
  cluster: Cluster,
  type: ResourceType,
  draft: KubeObject,
  namespace: string | undefined,
): void {
  const refusal = quotaRefusal(cluster, type, draft, namespace);
  if (refusal !== undefined) throw forbiddenBecause(type, draft.metadata.name, refusal);
}

/** `exceeded quota: q, requested: …, used: …, limited: …`, or what a pod must say for a quota to count it. */
export function quotaRefusal(
  cluster: Cluster,
  type: ResourceType,
  draft: KubeObject,
  namespace: string | undefined,
): string | undefined {
  if (namespace === undefined) return undefined;
  const wanted = usageOf(type, draft);
  for (const quota of cluster.store.list(RESOURCE_QUOTAS, namespace)) {
    const hard = quota.spec.hard ?? {};
    const silent = isKind(type, PODS)
      ? Object.keys(hard).filter((name) => isCompute(name) && wanted[name] === undefined)
      : [];
    if (silent.length > 0) {
      return `failed quota: ${quota.metadata.name}: must specify ${silent
        .map(
          (name) =>
            `${name} for: ${listAt(draft, 'spec', 'containers')
              .map((c) => at(c, 'name'))
              .join(',')}`,
        )
        .join('; ')}`;
    }
    const used = usedOf(cluster, quota);
    const over = Object.keys(hard).filter(
      (name) =>
        wanted[name] !== undefined &&
        (quantity(used[name]) ?? 0) + wanted[name] > (quantity(hard[name]) ?? Number.POSITIVE_INFINITY),
    );
    if (over.length === 0) continue;
    const list = (of: (name: string) => string | undefined): string =>
      over.map((name) => `${name}=${of(name)}`).join(',');
    return `exceeded quota: ${quota.metadata.name}, requested: ${list((name) => formatLike(hard[name], wanted[name] ?? 0))}, used: ${list((name) => used[name])}, limited: ${list((name) => hard[name])}`;
  }
  return undefined;
}

function isCompute(name: string): boolean {
  return /^((requests|limits)\.)?(cpu|memory)$/.test(name);
}
