import type { ErrorClass } from '../../src/core/errors.ts';
import type { Progress } from '../../src/core/provider.ts';
import { RELEASE } from './names.ts';
import { refusalIn } from './refusals.ts';
import { condition, isReady, type Trouble, troubleOf } from './translate.ts';
import { remedyForWaiting } from './waiting.ts';
import type { Deployment, Pod, ReplicaSet } from './wire.ts';

/** How far a Deployment is with the template it was last given. Pure. */
export type Rollout =
  | { readonly state: 'running'; readonly message: string; readonly progress: Progress }
  | { readonly state: 'done'; readonly message: string }
  | {
      readonly state: 'failed';
      readonly class: ErrorClass;
      readonly why: string;
      readonly remedy: string;
      /** Whose log tells more. */
      readonly pod?: { readonly name: string; readonly crashed: boolean };
      /** What the platform may have warned about: the pod, or the ReplicaSet that got none. */
      readonly about?: string;
    };

const REVISION = 'deployment.kubernetes.io/revision';
const HASH = 'pod-template-hash';

export function judgeRollout(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: readonly Pod[],
): Rollout {
  const { spec, status } = deployment;
  const wanted = spec.replicas;
  const young = newPods(deployment, replicaSets, pods);
  const ready = Math.min(young.filter(isReady).length, wanted);
  const progress = { done: ready, total: wanted, unit: 'instances' };
  // Until the controller has seen this generation, every condition speaks of an older one.
  if (status.observedGeneration < (deployment.metadata.generation ?? 0)) {
    return { state: 'running', message: 'waiting for the platform to take it up', progress };
  }
  const complete =
    status.updatedReplicas === wanted &&
    status.replicas === status.updatedReplicas &&
    status.availableReplicas === status.updatedReplicas;
  if (complete) return { state: 'done', message: `${wanted} of ${wanted} instances are ready` };
  return (
    failure(deployment, replicaSets, young) ?? {
      state: 'running',
      message: waitingFor(deployment, ready, young),
      progress,
    }
  );
}

/** The ReplicaSet of the present template: revisions only rise, also when an old one is used again. */
function currentReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const newest = newestFirst(deployment, replicaSets)[0];
  const release = deployment.spec.template.metadata.labels[RELEASE];
  return newest?.spec.template.metadata.labels[RELEASE] === release ? newest : undefined;
}

/** What to go back to: the newest other one that has instances able to serve, or that of the release named last good. */
export function previousReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  lastGood: string | undefined,
): ReplicaSet | undefined {
  const current = currentReplicaSet(deployment, replicaSets);
  const others = newestFirst(deployment, replicaSets).filter((set) => set !== current);
  return (
    others.find((set) => set.status.availableReplicas > 0) ??
    others.find((set) => lastGood !== undefined && set.spec.template.metadata.labels[RELEASE] === lastGood)
  );
}

function newestFirst(deployment: Deployment, replicaSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return replicaSets
    .filter((set) =>
      set.metadata.ownerReferences.some(
        (o) => o.kind === 'Deployment' && o.name === deployment.metadata.name,
      ),
    )
    .sort((a, b) => revision(b) - revision(a));
}

function revision(set: ReplicaSet): number {
  return Number(set.metadata.annotations[REVISION] ?? 0);
}

function newPods(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: readonly Pod[],
): readonly Pod[] {
  const hash = currentReplicaSet(deployment, replicaSets)?.metadata.labels[HASH];
  if (hash === undefined) return [];
  return pods.filter(
    (pod) => pod.metadata.labels[HASH] === hash && pod.metadata.deletionTimestamp === undefined,
  );
}

function failure(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  young: readonly Pod[],
): Rollout | undefined {
  const ill = young.flatMap((pod) => {
    const trouble = troubleOf(pod);
    return trouble ? [{ pod, trouble }] : [];
  });
  const first = ill[0];
  if (first && ill.length === young.length && ill.every(({ trouble }) => trouble.hopeless)) {
    return startFailure(first.pod, first.trouble);
  }
  const refused = condition(deployment.status.conditions, 'ReplicaFailure');
  const refusal = refused?.status === 'True' ? refusalIn(refused.message ?? '') : undefined;
  if (refusal) return { state: 'failed', ...refusal };
  if (condition(deployment.status.conditions, 'Progressing')?.reason !== 'ProgressDeadlineExceeded')
    return undefined;
  if (first) return startFailure(first.pod, first.trouble);
  if (refused?.status === 'True') {
    return {
      state: 'failed',
      class: 'startFailed',
      why: refused.message ?? 'the platform could not create instances',
      remedy: 'change what the message names',
    };
  }
  const pod = young.find((one) => !isReady(one));
  const set = currentReplicaSet(deployment, replicaSets);
  return pod === undefined && young.length === 0 ? noInstances(deployment, set) : unready(deployment, pod);
}

/** Nobody says why in any status; their events may. */
function noInstances(deployment: Deployment, set: ReplicaSet | undefined): Rollout {
  return {
    state: 'failed',
    class: 'startFailed',
    why: `no instance was made within ${deployment.spec.progressDeadlineSeconds} s`,
    remedy:
      'read the events of the project (`oc get events`): quotas, constraints and webhooks refuse instances there',
    ...(set === undefined ? {} : { about: set.metadata.name }),
  };
}

function startFailure(pod: Pod, trouble: Trouble): Rollout {
  if (trouble.unplaced) {
    return {
      state: 'failed',
      class: 'quota',
      why: trouble.text,
      remedy: 'ask for more nodes, or use fewer or smaller instances; `oc describe pod` tells more',
    };
  }
  return {
    state: 'failed',
    class: 'startFailed',
    why: trouble.text,
    remedy: trouble.crashed
      ? 'read its last lines; does it start with this command and environment on your machine?'
      : (remedyForWaiting(trouble.text) ?? 'read the reason; `oc describe pod` tells more'),
    pod: { name: pod.metadata.name, crashed: trouble.crashed },
  };
}

function unready(deployment: Deployment, pod: Pod | undefined): Rollout {
  const path = deployment.spec.template.spec.containers[0]?.readinessProbe?.httpGet?.path;
  const seconds = deployment.spec.progressDeadlineSeconds;
  return {
    state: 'failed',
    class: 'startFailed',
    why: `it runs but was not ready after ${seconds} s: ${path ? `nothing good answered GET ${path}` : 'nothing listened'}`,
    remedy: 'the application must listen on the port in $PORT, on all addresses; or raise startTimeout',
    ...(pod === undefined
      ? {}
      : { pod: { name: pod.metadata.name, crashed: false }, about: pod.metadata.name }),
  };
}

function waitingFor(deployment: Deployment, ready: number, young: readonly Pod[]): string {
  const wanted = deployment.spec.replicas;
  if (ready >= wanted) return 'the old instances are being stopped';
  for (const pod of young) {
    const trouble = troubleOf(pod);
    if (trouble) return `${ready} of ${wanted} instances are ready; ${trouble.text}`;
  }
  return `${ready} of ${wanted} instances are ready`;
}
