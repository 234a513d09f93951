import type { ContainerState, ContainerStatus, Pod } from './pod-types.ts';
import type { Condition } from './types.ts';

/** What the kubelet knows of one container. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly ready: boolean;
  readonly restarts: number;
  readonly id: string;
  /** It ended and will not be started again. */
  readonly over?: boolean;
}

/** Writes what is known of the containers into a pod's draft: statuses, conditions, phase. */
export function writePodStatus(draft: Pod, containers: readonly ContainerView[], now: string): void {
  const { status } = draft;
  const allReady = containers.length > 0 && containers.every((container) => container.ready);
  const unready = containers.filter((container) => !container.ready).map((container) => container.name);
  // Once a container ran, the pod is Running, however often it crashed since.
  const ran = containers.some(
    ({ state, restarts }) => state.running !== undefined || state.terminated !== undefined || restarts > 0,
  );
  const isOver = containers.length > 0 && containers.every(({ over }) => over);
  const succeeded = containers.every(({ state }) => state.terminated?.exitCode === 0);
  status.phase = isOver ? (succeeded ? 'Succeeded' : 'Failed') : ran ? 'Running' : 'Pending';
  status.conditions = [
    podCondition(status.conditions, 'PodScheduled', true, now),
    podCondition(status.conditions, 'Initialized', true, now),
    podCondition(status.conditions, 'ContainersReady', allReady, now, unready),
    podCondition(status.conditions, 'Ready', allReady, now, unready),
  ].map((found) =>
    isOver && found.status === 'False'
      ? { ...omitMessage(found), reason: succeeded ? 'PodCompleted' : 'PodFailed' }
      : found,
  );
  status.containerStatuses = containers.map(containerStatus);
}

/** No node takes it: the one condition that the scheduler itself writes. */
export function writeUnschedulable(draft: Pod, message: string, now: string): void {
  const condition = podCondition(draft.status.conditions, 'PodScheduled', false, now);
  draft.status.phase = 'Pending';
  draft.status.conditions = [{ ...condition, reason: 'Unschedulable', message }];
}

function containerStatus(view: ContainerView): ContainerStatus {
  return {
    name: view.name,
    state: view.state,
    lastState: view.lastState,
    ready: view.ready,
    restartCount: view.restarts,
    image: view.image,
    imageID: view.state.running || view.restarts > 0 ? view.image : '',
    ...(view.id === '' ? {} : { containerID: view.id }),
    started: view.state.running !== undefined,
  };
}

function podCondition(
  before: readonly Condition[] | undefined,
  type: string,
  holds: boolean,
  now: string,
  unready: readonly string[] = [],
): Condition {
  const status = holds ? 'True' : 'False';
  const last = before?.find((found) => found.type === type);
  return {
    type,
    status,
    lastProbeTime: null,
    lastTransitionTime: last?.status === status ? (last.lastTransitionTime ?? now) : now,
    ...(holds
      ? {}
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }),
  };
}

function omitMessage({ message: _message, ...rest }: Condition): Condition {
  return rest;
}
