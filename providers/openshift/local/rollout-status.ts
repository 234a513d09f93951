import type { Deployment, DeploymentStatus, ReplicaSet } from './pod-types.ts';
import { findCurrent, limits, sum } from './rollout.ts';
import type { Condition } from './types.ts';

/** What a client reads to know how a rollout goes; `now` is the API's time. */
export function rolloutStatus(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  now: string,
): DeploymentStatus {
  const { spec, metadata } = deployment;
  const before = deployment.status;
  const current = findCurrent(deployment, replicaSets);
  const replicas = sum(replicaSets, (set) => set.status.replicas);
  const availableReplicas = sum(replicaSets, (set) => set.status.availableReplicas ?? 0);
  const wanted = sum(replicaSets, (set) => set.spec.replicas);
  const counts = {
    replicas,
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sum(replicaSets, (set) => set.status.readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(0, Math.max(wanted, spec.replicas) - availableReplicas),
  };
  const conditions = setConditions(deployment, current, replicaSets, counts, now);
  const status: DeploymentStatus = { observedGeneration: metadata.generation ?? 1, conditions };
  // Go leaves zeros out.
  for (const [name, count] of Object.entries(counts)) if (count > 0) Object.assign(status, { [name]: count });
  return conditions.length === 0 && before.conditions === undefined ? { ...status, conditions: [] } : status;
}

type Counts = Required<
  Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'>
>;

function setConditions(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  replicaSets: readonly ReplicaSet[],
  counts: Counts,
  now: string,
): Condition[] {
  let conditions = deployment.status.conditions ?? [];
  const { spec } = deployment;
  conditions = put(
    conditions,
    counts.availableReplicas >= spec.replicas - limits(deployment).unavailable
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
      : condition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
        ),
    now,
  );
  const progress = progressing(deployment, current, counts, now);
  if (progress) conditions = put(conditions, progress.condition, now, progress.refresh);
  const failure = replicaSets
    .flatMap((set) => set.status.conditions ?? [])
    .find((found) => found.type === 'ReplicaFailure' && found.status === 'True');
  if (failure) {
    return put(
      conditions,
      condition('ReplicaFailure', 'True', failure.reason ?? '', failure.message ?? ''),
      now,
    );
  }
  return conditions.filter((found) => found.type !== 'ReplicaFailure');
}

interface Progressing {
  readonly condition: Condition;
  readonly refresh: boolean;
}

function progressing(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  counts: Counts,
  now: string,
): Progressing | undefined {
  const { spec, status: before } = deployment;
  const last = before.conditions?.find((found) => found.type === 'Progressing');
  if (spec.paused) return says('Unknown', 'DeploymentPaused', 'Deployment is paused', false);
  if (!current) return undefined;
  const { name } = current.metadata;
  const complete =
    counts.updatedReplicas === spec.replicas &&
    counts.replicas === spec.replicas &&
    counts.availableReplicas === spec.replicas;
  if (complete) {
    return says('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`, false);
  }
  const oldBefore = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  const moved =
    counts.updatedReplicas > (before.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < oldBefore ||
    counts.readyReplicas > (before.readyReplicas ?? 0) ||
    counts.availableReplicas > (before.availableReplicas ?? 0);
  if (moved) return says('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`, true);
  if (last?.reason === 'DeploymentPaused') {
    return says('Unknown', 'DeploymentResumed', 'Deployment is resumed', true);
  }
  // A finished rollout that lost a pod is no rollout: only what was under way can be late.
  if (!last || last.reason === 'NewReplicaSetAvailable' || last.reason === 'ProgressDeadlineExceeded')
    return undefined;
  const late = deadlineOf(deployment);
  if (late === undefined || Date.parse(now) < late) return undefined;
  return says('False', 'ProgressDeadlineExceeded', `ReplicaSet "${name}" has timed out progressing.`, true);
}

/** `refresh`: something moved, so the time until the deadline begins anew. */
function says(status: string, reason: string, message: string, refresh: boolean): Progressing {
  return { condition: condition('Progressing', status, reason, message), refresh };
}

/** Times in conditions are whole seconds, cut off: without this a deadline of one second could pass at once. */
const CUT_OFF_MS = 1_000;

/** When the rollout under way is late, epoch milliseconds, never too early; undefined when none is. */
export function deadlineOf(deployment: Deployment): number | undefined {
  const last = deployment.status.conditions?.find((found) => found.type === 'Progressing');
  const underWay = last?.status === 'True' || last?.reason === 'DeploymentResumed';
  if (!last || !underWay || last.reason === 'NewReplicaSetAvailable') return undefined;
  return Date.parse(last.lastUpdateTime ?? '') + deployment.spec.progressDeadlineSeconds * 1_000 + CUT_OFF_MS;
}

export function condition(type: string, status: string, reason: string, message: string): Condition {
  return { type, status, reason, message };
}

/** The transition time moves only with the status, the update time with the reason or when `refresh`ed. */
export function put(
  conditions: readonly Condition[],
  next: Condition,
  now: string,
  refresh = false,
): Condition[] {
  const before = conditions.find((found) => found.type === next.type);
  if (before && before.status === next.status && before.reason === next.reason && !refresh) {
    return [...conditions];
  }
  const stamped: Condition = {
    type: next.type,
    status: next.status,
    lastUpdateTime: now,
    lastTransitionTime: before?.status === next.status ? (before.lastTransitionTime ?? now) : now,
    ...(next.reason === undefined ? {} : { reason: next.reason }),
    ...(next.message === undefined ? {} : { message: next.message }),
  };
  return [...conditions.filter((found) => found.type !== next.type), stamped];
}
