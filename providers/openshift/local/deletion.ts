import type { Pod } from './pod-types.ts';
import { PODS, type ResourceType } from './resources.ts';
import type { Store } from './store.ts';
import type { KubeObject } from './types.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/**
 * Begins the end of an object. Returns the object while something is left of it (a pod that shuts down, an owner
 * waiting for its dependents), undefined when it is gone; the garbage collector does the rest.
 */
export function deleteObject(
  store: Store,
  type: ResourceType,
  object: KubeObject,
  propagation: Propagation,
  graceSeconds?: number,
): KubeObject | undefined {
  const { namespace, name } = object.metadata;
  if (type.plural === PODS.plural && type.group === '' && graceSeconds !== 0) {
    return terminatePod(store, name, namespace ?? '', graceSeconds);
  }
  const { finalizers = [] } = object.metadata;
  // Somebody asked to be waited for: it is theirs to take the finalizer off again.
  if (propagation === 'Background' && finalizers.length === 0) {
    store.remove(type, namespace, name);
    return undefined;
  }
  return store.change(type, namespace, name, (draft) => {
    if (draft.metadata.deletionTimestamp !== undefined) return;
    draft.metadata.deletionTimestamp = store.now();
    draft.metadata.deletionGracePeriodSeconds = 0;
    if (propagation !== 'Background')
      draft.metadata.finalizers = [...finalizers, propagation === 'Foreground' ? FOREGROUND : ORPHAN];
    if (draft.metadata.generation !== undefined) draft.metadata.generation += 1;
  });
}

/** Marks a pod; the kubelet stops its processes and then removes it. */
export function terminatePod(
  store: Store,
  name: string,
  namespace: string,
  graceSeconds?: number,
): Pod | undefined {
  return store.change(PODS, namespace, name, (draft) => {
    if (draft.metadata.deletionTimestamp !== undefined) return;
    draft.metadata.deletionTimestamp = store.now();
    draft.metadata.deletionGracePeriodSeconds =
      graceSeconds ?? draft.spec.terminationGracePeriodSeconds ?? 30;
  });
}
