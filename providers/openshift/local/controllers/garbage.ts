import { type Cluster, type Controller, delayOf, workQueue } from '../cluster.ts';
import { deleteObject, FOREGROUND, ORPHAN } from '../deletion.ts';
import { isKind, NAMESPACES, PODS, RESOURCES, type ResourceType } from '../resources.ts';
import type { KubeObject } from '../types.ts';

/** Deletes what lost its owner, and ends owners that waited for their dependents. */
export function createGarbageCollector(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), collect);
  const unsubscribe = store.onChange(({ change, object }) => {
    if (change === 'DELETED' || object.metadata.deletionTimestamp !== undefined) queue.add('all');
  });

  function collect(): void {
    const all = RESOURCES.flatMap((type) => store.list(type).map((object) => ({ type, object })));
    const alive = new Map(all.map(({ object }) => [object.metadata.uid, object]));
    for (const { type, object } of all) {
      const owners = object.metadata.ownerReferences ?? [];
      if (owners.length === 0) continue;
      const living = owners.filter((owner) => alive.has(owner.uid));
      const waited = living.some((owner) => waitsForDependents(alive.get(owner.uid)));
      if (living.length > 0 && !waited) continue;
      if (object.metadata.deletionTimestamp !== undefined) continue;
      // Dependents of one that waits are waited for in turn.
      deleteObject(store, type, object, waited ? 'Foreground' : 'Background');
    }
    for (const { type, object } of all) release(type, object);
  }

  function release(type: ResourceType, object: KubeObject): void {
    const { finalizers = [], namespace, name, uid } = object.metadata;
    if (object.metadata.deletionTimestamp === undefined) return;
    // The kubelet ends pods, and a project ends itself.
    if (isKind(type, PODS) || isKind(type, NAMESPACES)) return;
    if (finalizers.includes(FOREGROUND) && dependents(uid).length > 0) return;
    if (finalizers.includes(ORPHAN)) orphan(uid);
    const left = finalizers.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN);
    if (left.length === 0) store.remove(type, namespace, name);
    else
      store.change(type, namespace, name, (draft) => {
        draft.metadata.finalizers = left;
      });
  }

  /** The dependents live on without an owner. */
  function orphan(uid: string | undefined): void {
    for (const { type, object } of dependents(uid)) {
      store.change(type, object.metadata.namespace, object.metadata.name, (draft) => {
        draft.metadata.ownerReferences =
          draft.metadata.ownerReferences?.filter((owner) => owner.uid !== uid) ?? [];
      });
    }
  }

  function dependents(uid: string | undefined): { type: ResourceType; object: KubeObject }[] {
    return RESOURCES.flatMap((type) =>
      store
        .list(type)
        .filter((object) => object.metadata.ownerReferences?.some((owner) => owner.uid === uid))
        .map((object) => ({ type, object })),
    );
  }

  return {
    name: 'garbage',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

function waitsForDependents(owner: KubeObject | undefined): boolean {
  return owner?.metadata.finalizers?.includes(FOREGROUND) ?? false;
}
