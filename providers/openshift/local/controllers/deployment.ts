import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { recordEvent } from '../event-record.ts';
import { clone } from '../json.ts';
import type { Deployment, ReplicaSet } from '../pod-types.ts';
import { DEPLOYMENTS, REPLICA_SETS } from '../resources.ts';
import {
  findCurrent,
  limits,
  REVISION,
  type RolloutStep,
  revisionOf,
  stepRollout,
  TEMPLATE_HASH,
  templateHash,
} from '../rollout.ts';
import { condition, deadlineOf, put, rolloutStatus } from '../rollout-status.ts';

const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';

/** Makes replica sets from deployments and moves pods from the old to the new one. */
export function createDeploymentController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  const unsubscribe = store.onChange(({ type, object }) => {
    if (type.plural === DEPLOYMENTS.plural) queue.add(keyOf(object));
    else if (type.plural === REPLICA_SETS.plural) {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.kind === 'Deployment');
      if (owner) queue.add(`${object.metadata.namespace}/${owner.name}`);
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const deployment = store.get(DEPLOYMENTS, namespace, name);
    if (!deployment || deployment.metadata.deletionTimestamp) return;
    act(deployment, stepRollout(deployment, owned(deployment)));
    // The moves above are already in the store: status speaks of what is now.
    const after = store.change(DEPLOYMENTS, namespace, name, (draft) => {
      const sets = owned(draft);
      const current = findCurrent(draft, sets);
      if (current) {
        draft.metadata.annotations = {
          ...draft.metadata.annotations,
          [REVISION]: String(revisionOf(current)),
        };
      }
      draft.status = rolloutStatus(draft, sets, store.now());
    });
    const late = after ? deadlineOf(after) : undefined;
    if (late !== undefined) queue.add(key, Math.max(50, late - clock.now() + 50));
  }

  function owned(deployment: Deployment): ReplicaSet[] {
    return store
      .list(REPLICA_SETS, deployment.metadata.namespace)
      .filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === deployment.metadata.uid));
  }

  function act(deployment: Deployment, step: RolloutStep): void {
    const { namespace } = deployment.metadata;
    const sets = owned(deployment);
    const revision = Math.max(0, ...sets.map(revisionOf)) + 1;
    if (step.create) {
      // Left over from a deployment of the same name that is being collected: its end calls us again.
      if (store.get(REPLICA_SETS, namespace, step.create.name)) return;
      const created = createSet(deployment, step.create.name, step.create.replicas, revision);
      progress(deployment, 'NewReplicaSetCreated', `Created new replica set "${created.metadata.name}"`);
      scaled(deployment, created.metadata.name, 0, step.create.replicas);
    } else reuse(deployment, sets, revision);
    for (const { name, replicas } of step.resize) {
      const before = store.get(REPLICA_SETS, namespace, name)?.spec.replicas ?? 0;
      store.change(REPLICA_SETS, namespace, name, (draft) => {
        draft.spec.replicas = replicas;
        annotate(draft, deployment);
      });
      scaled(deployment, name, before, replicas);
    }
    for (const name of step.prune) store.remove(REPLICA_SETS, namespace, name);
  }

  /** Going back to an earlier template takes its old replica set, under a new number. */
  function reuse(deployment: Deployment, sets: readonly ReplicaSet[], next: number): void {
    const current = findCurrent(deployment, sets);
    if (!current || revisionOf(current) === next - 1) return;
    store.change(REPLICA_SETS, current.metadata.namespace, current.metadata.name, (draft) => {
      const history = draft.metadata.annotations?.[REVISION_HISTORY];
      const before = String(revisionOf(draft));
      draft.metadata.annotations = {
        ...draft.metadata.annotations,
        [REVISION]: String(next),
        [REVISION_HISTORY]: history === undefined ? before : `${history},${before}`,
      };
    });
    progress(deployment, 'FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`);
  }

  function progress(deployment: Deployment, reason: string, message: string): void {
    store.change(DEPLOYMENTS, deployment.metadata.namespace, deployment.metadata.name, (draft) => {
      const next = condition('Progressing', 'True', reason, message);
      draft.status.conditions = put(draft.status.conditions ?? [], next, store.now(), true);
    });
  }

  function createSet(deployment: Deployment, name: string, replicas: number, revision: number): ReplicaSet {
    const { namespace, uid } = deployment.metadata;
    const hash = templateHash(deployment.spec.template);
    const template = clone(deployment.spec.template);
    const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
    template.metadata = { ...template.metadata, labels };
    const draft: ReplicaSet = {
      kind: 'ReplicaSet',
      apiVersion: 'apps/v1',
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels,
        annotations: { ...inherited(deployment), [REVISION]: String(revision) },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: deployment.metadata.name,
            uid: uid ?? '',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        replicas,
        selector: { matchLabels: { ...deployment.spec.selector.matchLabels, [TEMPLATE_HASH]: hash } },
        template,
        ...(deployment.spec.minReadySeconds === undefined
          ? {}
          : { minReadySeconds: deployment.spec.minReadySeconds }),
      },
      status: { replicas: 0 },
    };
    annotate(draft, deployment);
    return store.create(REPLICA_SETS, draft);
  }

  function annotate(set: ReplicaSet, deployment: Deployment): void {
    const { replicas } = deployment.spec;
    set.metadata.annotations = {
      ...set.metadata.annotations,
      'deployment.kubernetes.io/desired-replicas': String(replicas),
      'deployment.kubernetes.io/max-replicas': String(replicas + limits(deployment).surge),
    };
  }

  function scaled(deployment: Deployment, set: string, from: number, to: number): void {
    if (from === to) return;
    const direction = to > from ? 'up' : 'down';
    recordEvent(cluster, deployment, 'deployment-controller', {
      reason: 'ScalingReplicaSet',
      message: `Scaled ${direction} replica set ${set} from ${from} to ${to}`,
    });
  }

  return {
    name: 'deployment',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

/** A replica set carries what its deployment says of itself, but for the deployment's own bookkeeping. */
function inherited(deployment: Deployment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(
      ([key]) => !key.startsWith('deployment.kubernetes.io/') && !key.startsWith('kubectl.kubernetes.io/'),
    ),
  );
}
