import { mkdir, rm } from 'node:fs/promises';
import type { PersistentVolumeClaim } from '../batch-types.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { DEFAULT_STORAGE_CLASS, WAITING_STORAGE_CLASS } from '../defaults.ts';
import { recordEvent } from '../event-record.ts';
import { CLAIM_IN_USE, claimsOf, volumeFolder } from '../pod-volumes.ts';
import { isKind, PERSISTENT_VOLUME_CLAIMS, PODS } from '../resources.ts';

/** Gives each claim a folder and calls it a volume; a claim that is deleted waits for the pods that use it. */
export function createVolumeClaimController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'provision'), reconcile);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (isKind(type, PERSISTENT_VOLUME_CLAIMS)) {
      if (change === 'DELETED') void discard(object.metadata.uid ?? '');
      else queue.add(keyOf(object));
    } else if (isKind(type, PODS) && change === 'ADDED') {
      const { namespace, name } = object.metadata;
      const pod = store.get(PODS, namespace, name);
      for (const claim of pod ? claimsOf(pod) : []) queue.add(`${namespace}/${claim}`);
    } else if (isKind(type, PODS) && change === 'DELETED') {
      for (const claim of store.list(PERSISTENT_VOLUME_CLAIMS, object.metadata.namespace)) {
        if (claim.metadata.deletionTimestamp !== undefined) queue.add(keyOf(claim));
      }
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const claim = store.get(PERSISTENT_VOLUME_CLAIMS, namespace, name);
    if (!claim) return;
    if (claim.metadata.deletionTimestamp !== undefined) {
      const isUsed = store.list(PODS, namespace).some((pod) => claimsOf(pod).includes(name));
      if (isUsed) return;
      store.change(PERSISTENT_VOLUME_CLAIMS, namespace, name, (draft) => {
        draft.metadata.finalizers = draft.metadata.finalizers?.filter((kept) => kept !== CLAIM_IN_USE) ?? [];
      });
      return;
    }
    if (claim.status.phase === 'Bound') {
      grow(claim);
      return;
    }
    const { storageClassName } = claim.spec;
    if (storageClassName === WAITING_STORAGE_CLASS) {
      const isWanted = store.list(PODS, namespace).some((pod) => claimsOf(pod).includes(name));
      if (isWanted) {
        void provision(key, claim.metadata.uid ?? '');
        return;
      }
      recordEvent(cluster, claim, 'persistentvolume-controller', {
        reason: 'WaitForFirstConsumer',
        message: 'waiting for first consumer to be created before binding',
      });
      return;
    }
    if (storageClassName !== DEFAULT_STORAGE_CLASS) {
      recordEvent(cluster, claim, 'persistentvolume-controller', {
        reason: 'ProvisioningFailed',
        message: `storageclass.storage.k8s.io "${storageClassName}" not found`,
        type: 'Warning',
      });
      return;
    }
    void provision(key, claim.metadata.uid ?? '');
  }

  /** The resizer's work: the capacity follows what is asked for. */
  function grow({ metadata, spec, status }: PersistentVolumeClaim): void {
    const wanted = spec.resources?.requests?.['storage'];
    if (wanted === undefined || wanted === status.capacity?.['storage']) return;
    store.change(PERSISTENT_VOLUME_CLAIMS, metadata.namespace, metadata.name, (draft) => {
      draft.status.capacity = { ...draft.status.capacity, storage: wanted };
    });
  }

  async function provision(key: string, uid: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    await mkdir(volumeFolder(cluster, uid), { recursive: true });
    const bound = store.change(PERSISTENT_VOLUME_CLAIMS, namespace, name, (draft) => {
      if (draft.metadata.uid !== uid || draft.status.phase === 'Bound') return;
      draft.spec.volumeName = `pvc-${uid}`;
      draft.status = {
        phase: 'Bound',
        ...(draft.spec.accessModes === undefined ? {} : { accessModes: draft.spec.accessModes }),
        ...(draft.spec.resources?.requests === undefined ? {} : { capacity: draft.spec.resources.requests }),
      };
    });
    if (!bound) return;
    recordEvent(cluster, bound, 'sluice.local/provisioner', {
      reason: 'ProvisioningSucceeded',
      message: `Successfully provisioned volume pvc-${uid}`,
    });
  }

  async function discard(uid: string): Promise<void> {
    // A folder that will not go harms nobody: no later claim has this uid.
    await rm(volumeFolder(cluster, uid), { recursive: true, force: true }).catch(() => undefined);
  }

  return {
    name: 'volume-claim',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}
