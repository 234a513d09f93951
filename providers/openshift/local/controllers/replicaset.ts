import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { terminatePod } from '../deletion.ts';
import { recordEvent } from '../event-record.ts';
import { createPod } from '../pod-creation.ts';
import type { Pod, ReplicaSet } from '../pod-types.ts';
import { PODS, REPLICA_SETS } from '../resources.ts';
import { condition, put } from '../rollout-status.ts';

const RETRY_MS = 2_000;

/** Keeps as many pods as a replica set asks for. */
export function createReplicaSetController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  const unsubscribe = store.onChange(({ type, object }) => {
    if (type.plural === REPLICA_SETS.plural) queue.add(keyOf(object));
    else if (type.plural === PODS.plural) {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.kind === 'ReplicaSet');
      if (owner) queue.add(`${object.metadata.namespace}/${owner.name}`);
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = store.get(REPLICA_SETS, namespace, name);
    if (!set || set.metadata.deletionTimestamp) return;
    const pods = activePods(set);
    const missing = set.spec.replicas - pods.length;
    let refusal: string | undefined;
    for (let count = 0; count < missing && refusal === undefined; count++) {
      ({ refusal } = createPod(cluster, {
        owner: set,
        template: set.spec.template,
        component: 'replicaset-controller',
      }));
    }
    if (missing < 0) {
      for (const pod of pods.sort(byWorth).slice(0, -missing)) {
        terminatePod(store, pod.metadata.name, namespace);
        recordEvent(cluster, set, 'replicaset-controller', {
          reason: 'SuccessfulDelete',
          message: `Deleted pod: ${pod.metadata.name}`,
        });
      }
    }
    writeStatus(set, refusal);
    if (refusal !== undefined) queue.add(key, RETRY_MS * cluster.speed + 50);
  }

  function activePods(set: ReplicaSet): Pod[] {
    return store
      .list(PODS, set.metadata.namespace)
      .filter(
        (pod) =>
          pod.metadata.deletionTimestamp === undefined &&
          pod.status.phase !== 'Failed' &&
          pod.status.phase !== 'Succeeded' &&
          pod.metadata.ownerReferences?.some((owner) => owner.uid === set.metadata.uid),
      );
  }

  function writeStatus(set: ReplicaSet, refusal: string | undefined): void {
    const now = store.now();
    const pods = activePods(set);
    const ready = pods.filter(isReady);
    const minReadyMs = (set.spec.minReadySeconds ?? 0) * 1_000;
    const available = ready.filter((pod) => clock.now() - readySince(pod) >= minReadyMs);
    store.change(REPLICA_SETS, set.metadata.namespace, set.metadata.name, (draft) => {
      const conditions = draft.status.conditions ?? [];
      const kept =
        refusal === undefined
          ? conditions.filter((found) => found.type !== 'ReplicaFailure')
          : put(conditions, condition('ReplicaFailure', 'True', 'FailedCreate', refusal), now);
      draft.status = {
        replicas: pods.length,
        ...(pods.length > 0 ? { fullyLabeledReplicas: pods.length } : {}),
        ...(ready.length > 0 ? { readyReplicas: ready.length } : {}),
        ...(available.length > 0 ? { availableReplicas: available.length } : {}),
        observedGeneration: draft.metadata.generation ?? 1,
        ...(kept.length > 0 ? { conditions: kept } : {}),
      };
    });
    if (available.length < ready.length) queue.add(keyOf(set), minReadyMs);
  }

  return {
    name: 'replicaset',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some((found) => found.type === 'Ready' && found.status === 'True') ?? false;
}

function readySince(pod: Pod): number {
  const found = pod.status.conditions?.find((candidate) => candidate.type === 'Ready');
  return Date.parse(found?.lastTransitionTime ?? '') || 0;
}

/** Whom to give up first: not ready before ready, young before old. */
function byWorth(a: Pod, b: Pod): number {
  if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1;
  return (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '');
}
