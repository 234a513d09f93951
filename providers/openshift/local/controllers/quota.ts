import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { usedOf } from '../quota.ts';
import { isKind, RESOURCE_QUOTAS } from '../resources.ts';

/** Writes into each quota what is used of it, a moment after anything in its namespace changed. */
export function createQuotaController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (isKind(type, RESOURCE_QUOTAS)) {
      if (change !== 'DELETED') queue.add(keyOf(object));
    } else if (change !== 'MODIFIED') {
      for (const quota of store.list(RESOURCE_QUOTAS, object.metadata.namespace)) queue.add(keyOf(quota));
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const quota = store.get(RESOURCE_QUOTAS, namespace, name);
    if (!quota) return;
    const status = { hard: { ...quota.spec.hard }, used: usedOf(cluster, quota) };
    store.change(RESOURCE_QUOTAS, namespace, name, (draft) => {
      draft.status = status;
    });
  }

  return {
    name: 'quota',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}
