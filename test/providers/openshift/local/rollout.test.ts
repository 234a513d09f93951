import { describe, expect, it } from '@jest/globals';
import type { Deployment, ReplicaSet } from '../../../../providers/openshift/local/pod-types.ts';
import { limits, stepRollout, templateHash } from '../../../../providers/openshift/local/rollout.ts';
import { deadlineOf, rolloutStatus } from '../../../../providers/openshift/local/rollout-status.ts';
import { isoTime } from '../../../../src/lib/iso-time.ts';
import { virtualClock } from '../../../../src/lib/virtual-clock.ts';

function deploymentOf(replicas: number, image: string, extra: Partial<Deployment['spec']> = {}): Deployment {
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: { name: 'app', namespace: 'shop', uid: 'd', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'app' } },
      template: { metadata: { labels: { app: 'app' } }, spec: { containers: [{ name: 'app', image }] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: 20,
      ...extra,
    },
    status: {},
  };
}

function setOf(image: string, wanted: number, available: number, revision: number): ReplicaSet {
  const { template } = deploymentOf(1, image).spec;
  const hash = templateHash(template);
  return {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    metadata: {
      name: `app-${hash}`,
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      creationTimestamp: isoTime(revision * 1_000),
    },
    spec: { replicas: wanted, selector: {}, template },
    status: { replicas: wanted, readyReplicas: available, availableReplicas: available },
  };
}

describe('a rollout step', () => {
  it('creates the replica set of a new template within the surge', () => {
    const step = stepRollout(deploymentOf(3, 'v2'), [setOf('v1', 3, 3, 1)]);
    expect(step.create).toMatchObject({ replicas: 1 });
    expect(step.resize).toEqual([]);
  });

  it('starts in full when nothing runs yet', () => {
    expect(stepRollout(deploymentOf(3, 'v1'), []).create).toMatchObject({ replicas: 3 });
  });

  it('takes an old pod away only once a new one is available', () => {
    const waiting = stepRollout(deploymentOf(3, 'v2'), [setOf('v1', 3, 3, 1), setOf('v2', 1, 0, 2)]);
    expect(waiting.resize).toEqual([]);
    const old = setOf('v1', 3, 3, 1);
    const moving = stepRollout(deploymentOf(3, 'v2'), [old, setOf('v2', 1, 1, 2)]);
    expect(moving.resize).toEqual([{ name: old.metadata.name, replicas: 2 }]);
  });

  it('leaves all old pods serving while the new ones crash', () => {
    const step = stepRollout(deploymentOf(2, 'bad'), [setOf('v1', 2, 2, 1), setOf('bad', 1, 0, 2)]);
    expect(step).toEqual({ resize: [], prune: [] });
  });

  it('gives up old pods that do not serve before those that do', () => {
    const broken = setOf('v1', 1, 0, 1);
    const serving = setOf('v2', 2, 2, 2);
    const step = stepRollout(deploymentOf(2, 'v3'), [broken, serving, setOf('v3', 0, 0, 3)]);
    expect(step.resize).toEqual([{ name: broken.metadata.name, replicas: 0 }]);
  });

  it('follows the number of replicas in both directions', () => {
    const running = setOf('v1', 2, 2, 1);
    expect(stepRollout(deploymentOf(5, 'v1'), [running]).resize).toEqual([
      { name: running.metadata.name, replicas: 5 },
    ]);
    expect(stepRollout(deploymentOf(0, 'v1'), [running]).resize).toEqual([
      { name: running.metadata.name, replicas: 0 },
    ]);
  });

  it('empties the old before it makes the new with the strategy Recreate', () => {
    const recreate = deploymentOf(2, 'v2', { strategy: { type: 'Recreate' } });
    const old = setOf('v1', 2, 2, 1);
    expect(stepRollout(recreate, [old])).toEqual({
      resize: [{ name: old.metadata.name, replicas: 0 }],
      prune: [],
    });
    expect(stepRollout(recreate, [setOf('v1', 0, 0, 1)]).create).toMatchObject({ replicas: 2 });
  });

  it('keeps the history limit of idle replica sets, the oldest go first', () => {
    const old = [setOf('a', 0, 0, 1), setOf('b', 0, 0, 2), setOf('c', 0, 0, 3)];
    const step = stepRollout(deploymentOf(1, 'd'), [...old, setOf('d', 1, 1, 4)]);
    expect(step.prune).toEqual([old[0]?.metadata.name]);
  });

  it('rounds surge up and unavailability down, and never to a standstill', () => {
    const percent = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } };
    expect(limits(deploymentOf(3, 'v', { strategy: percent }))).toEqual({ surge: 1, unavailable: 0 });
    const none = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } };
    expect(limits(deploymentOf(3, 'v', { strategy: none }))).toEqual({ surge: 0, unavailable: 1 });
  });
});

describe('the status of a rollout', () => {
  function reasons(deployment: Deployment): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { type, status, reason } of deployment.status.conditions ?? [])
      found[type] = `${status} ${reason}`;
    return found;
  }

  it('is finished when all replicas are of the new template and available', () => {
    const deployment = deploymentOf(2, 'v1');
    deployment.status = rolloutStatus(deployment, [setOf('v1', 2, 2, 1)], isoTime(0));
    expect(deployment.status).toMatchObject({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 });
    expect(reasons(deployment)).toEqual({
      Available: 'True MinimumReplicasAvailable',
      Progressing: 'True NewReplicaSetAvailable',
    });
  });

  it('passes its deadline with the old pods still available', () => {
    const clock = virtualClock(1_000_000);
    const deployment = deploymentOf(2, 'bad');
    const sets = [setOf('v1', 2, 2, 1), setOf('bad', 1, 0, 2)];
    function look(): void {
      deployment.status = rolloutStatus(deployment, sets, isoTime(clock.now()));
    }
    look();
    expect(reasons(deployment)['Progressing']).toBe('True ReplicaSetUpdated');
    expect(deadlineOf(deployment)).toBe(1_021_000);
    clock.every(1_000, look);
    clock.advance(20_000);
    expect(reasons(deployment)['Progressing']).toBe('True ReplicaSetUpdated');
    clock.advance(1_000);
    expect(reasons(deployment)).toEqual({
      Available: 'True MinimumReplicasAvailable',
      Progressing: 'False ProgressDeadlineExceeded',
    });
    expect(deadlineOf(deployment)).toBeUndefined();
  });

  it('begins the deadline anew with every pod that makes it', () => {
    const deployment = deploymentOf(2, 'v2');
    deployment.status = rolloutStatus(deployment, [setOf('v1', 2, 2, 1), setOf('v2', 1, 0, 2)], isoTime(0));
    deployment.status = rolloutStatus(
      deployment,
      [setOf('v1', 1, 1, 1), setOf('v2', 2, 1, 2)],
      isoTime(15_000),
    );
    expect(deadlineOf(deployment)).toBe(36_000);
  });

  it('is available when scaled to nothing, although nothing serves', () => {
    const deployment = deploymentOf(0, 'v1');
    deployment.status = rolloutStatus(deployment, [setOf('v1', 0, 0, 1)], isoTime(0));
    expect(reasons(deployment)).toEqual({
      Available: 'True MinimumReplicasAvailable',
      Progressing: 'True NewReplicaSetAvailable',
    });
  });

  it('says when pods are refused', () => {
    const set = setOf('v1', 2, 0, 1);
    set.status.conditions = [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' },
    ];
    const deployment = deploymentOf(2, 'v1');
    deployment.status = rolloutStatus(deployment, [set], isoTime(0));
    expect(reasons(deployment)['ReplicaFailure']).toBe('True FailedCreate');
    set.status.conditions = [];
    deployment.status = rolloutStatus(deployment, [set], isoTime(0));
    expect(reasons(deployment)['ReplicaFailure']).toBeUndefined();
  });
});
