import { recordUpdate } from '../apply.ts';
import type { Autoscaler } from '../batch-types.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { recordEvent } from '../event-record.ts';
import { clone } from '../json.ts';
import type { Deployment } from '../pod-types.ts';
import { AUTOSCALERS, DEPLOYMENTS, isKind } from '../resources.ts';
import type { Condition } from '../types.ts';

const COMPONENT = 'horizontal-pod-autoscaler';
const NO_METRICS =
  'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';

/**
 * Keeps deployments within the bounds of their autoscalers, and owns their number of replicas from then on. There are
 * no metrics here, so within the bounds it leaves the number alone, as the real one does where metrics fail.
 */
export function createAutoscalerController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'autoscale'), reconcile);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (isKind(type, AUTOSCALERS)) {
      if (change !== 'DELETED') queue.add(keyOf(object));
    } else if (isKind(type, DEPLOYMENTS)) {
      for (const autoscaler of store.list(AUTOSCALERS, object.metadata.namespace)) {
        if (autoscaler.spec.scaleTargetRef.name === object.metadata.name) queue.add(keyOf(autoscaler));
      }
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const autoscaler = store.get(AUTOSCALERS, namespace, name);
    if (!autoscaler) return;
    const { scaleTargetRef } = autoscaler.spec;
    const target =
      scaleTargetRef.kind === 'Deployment'
        ? store.get(DEPLOYMENTS, namespace, scaleTargetRef.name)
        : undefined;
    if (!target) {
      const message = `the HPA controller was unable to get the target's current scale: deployments.apps "${scaleTargetRef.name}" not found`;
      writeStatus(autoscaler, undefined, [condition('AbleToScale', 'False', 'FailedGetScale', message)]);
      return;
    }
    const verdict = bounded(autoscaler, target.spec.replicas);
    if (verdict.replicas !== target.spec.replicas) rescale(autoscaler, target, verdict.replicas, verdict.why);
    writeStatus(autoscaler, verdict.replicas, verdict.conditions);
  }

  function rescale(autoscaler: Autoscaler, target: Deployment, replicas: number, why: string): void {
    const draft = clone(target);
    draft.spec.replicas = replicas;
    recordUpdate(target, draft, {
      manager: 'kube-controller-manager',
      time: store.now(),
      subresource: 'scale',
    });
    store.replace(DEPLOYMENTS, draft);
    recordEvent(cluster, autoscaler, COMPONENT, {
      reason: 'SuccessfulRescale',
      message: `New size: ${replicas}; reason: ${why}`,
    });
  }

  function writeStatus(
    autoscaler: Autoscaler,
    desired: number | undefined,
    conditions: readonly Condition[],
  ): void {
    const { namespace, name } = autoscaler.metadata;
    const target = store.get(DEPLOYMENTS, namespace, autoscaler.spec.scaleTargetRef.name);
    store.change(AUTOSCALERS, namespace, name, (draft) => {
      const before = draft.status.conditions ?? [];
      draft.status = {
        currentReplicas: target?.status.replicas ?? 0,
        desiredReplicas: desired ?? 0,
        currentMetrics: null,
        conditions: conditions.map((found) => {
          const last = before.find(({ type }) => type === found.type);
          const same = last?.status === found.status && last.reason === found.reason;
          return {
            ...found,
            lastTransitionTime: (same ? last.lastTransitionTime : undefined) ?? store.now(),
          };
        }),
      };
    });
  }

  return {
    name: 'autoscaler',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

/** What the bounds make of a number of replicas. At 0 the autoscaler steps back: somebody switched the application off. */
export function bounded(
  { spec }: Pick<Autoscaler, 'spec'>,
  current: number,
): { readonly replicas: number; readonly why: string; readonly conditions: readonly Condition[] } {
  const able = condition(
    'AbleToScale',
    'True',
    'SucceededGetScale',
    "the HPA controller was able to get the target's current scale",
  );
  if (current === 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    return {
      replicas: 0,
      why: '',
      conditions: [able, condition('ScalingActive', 'False', 'ScalingDisabled', message)],
    };
  }
  const least = spec.minReplicas ?? 1;
  const blind = condition('ScalingActive', 'False', 'FailedGetResourceMetric', NO_METRICS);
  if (current < least)
    return { replicas: least, why: 'Current number of replicas below Spec.MinReplicas', conditions: [able] };
  if (current > spec.maxReplicas)
    return {
      replicas: spec.maxReplicas,
      why: 'Current number of replicas above Spec.MaxReplicas',
      conditions: [able],
    };
  return { replicas: current, why: '', conditions: [able, blind] };
}

function condition(type: string, status: string, reason: string, message: string): Condition {
  return { type, status, reason, message };
}
