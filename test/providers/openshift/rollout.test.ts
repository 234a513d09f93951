import { describe, expect, it } from '@jest/globals';
import { schema } from '../../../providers/openshift/config.ts';
import { judgeRollout, previousReplicaSet } from '../../../providers/openshift/rollout.ts';
import {
  admissionOf,
  instanceOf,
  originsOf,
  releasesOf,
  servingRelease,
} from '../../../providers/openshift/translate.ts';
import {
  buildSchema,
  type Deployment,
  deploymentSchema,
  type Pod,
  podSchema,
  type ReplicaSet,
  replicaSetSchema,
  routeSchema,
} from '../../../providers/openshift/wire.ts';

const OLD = 'r-0000000001';
const NEW = 'r-0000000002';

function deployment(status: object, release = NEW): Deployment {
  return deploymentSchema.parse({
    metadata: { name: 'shop', generation: 2 },
    spec: {
      replicas: 2,
      template: { metadata: { labels: { 'sluice.dev/release': release } }, spec: { containers: [] } },
    },
    status: { observedGeneration: 2, ...status },
  });
}

function replicaSet(revision: number, release: string, availableReplicas: number): ReplicaSet {
  const labels = { 'sluice.dev/release': release, 'pod-template-hash': `h${revision}` };
  return replicaSetSchema.parse({
    metadata: {
      name: `shop-h${revision}`,
      labels,
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      ownerReferences: [{ kind: 'Deployment', name: 'shop' }],
    },
    spec: { replicas: availableReplicas, template: { metadata: { labels }, spec: { containers: [] } } },
    status: { replicas: availableReplicas, availableReplicas },
  });
}

function pod(revision: number, release: string, status: object, metadata: object = {}): Pod {
  return podSchema.parse({
    metadata: {
      name: `shop-h${revision}-x`,
      labels: { 'sluice.dev/release': release, 'pod-template-hash': `h${revision}` },
      ...metadata,
    },
    status,
  });
}

const READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const WAITING = (reason: string, restartCount = 0) => ({
  phase: 'Running',
  containerStatuses: [
    { restartCount, state: { waiting: { reason } }, lastState: { terminated: { exitCode: 3 } } },
  ],
});

describe('a rollout', () => {
  const sets = [replicaSet(1, OLD, 2), replicaSet(2, NEW, 0)];
  const rolling = deployment({ replicas: 3, updatedReplicas: 1, availableReplicas: 2 });

  it('is not done while an old instance lingers', () => {
    const lingering = deployment({ replicas: 3, updatedReplicas: 2, availableReplicas: 3 });
    const pods = [pod(2, NEW, READY), pod(2, NEW, READY, { name: 'b' }), pod(1, OLD, READY)];
    expect(judgeRollout(lingering, sets, pods)).toMatchObject({
      state: 'running',
      message: 'the old instances are being stopped',
      progress: { done: 2, total: 2 },
    });
  });

  it('bears one crash, and gives up when every new instance keeps crashing', () => {
    const once = judgeRollout(rolling, sets, [
      pod(1, OLD, READY),
      pod(2, NEW, WAITING('CrashLoopBackOff', 1)),
    ]);
    expect(once).toMatchObject({ state: 'running', message: expect.stringContaining('exited with code 3') });
    const often = judgeRollout(rolling, sets, [
      pod(1, OLD, READY),
      pod(2, NEW, WAITING('CrashLoopBackOff', 2)),
    ]);
    expect(often).toMatchObject({ state: 'failed', class: 'startFailed', pod: { crashed: true } });
  });

  it('gives up on an image that cannot be pulled, but not at the first try', () => {
    expect(judgeRollout(rolling, sets, [pod(2, NEW, WAITING('ErrImagePull'))])).toMatchObject({
      state: 'running',
    });
    expect(judgeRollout(rolling, sets, [pod(2, NEW, WAITING('ImagePullBackOff'))])).toMatchObject({
      state: 'failed',
      class: 'startFailed',
      pod: { crashed: false },
    });
  });

  it('does not blame the new release for an old instance that crashes', () => {
    const pods = [pod(1, OLD, WAITING('CrashLoopBackOff', 9)), pod(2, NEW, { phase: 'Pending' })];
    expect(judgeRollout(rolling, sets, pods)).toMatchObject({ state: 'running' });
  });

  it('calls a used-up quota by its name', () => {
    const message = 'pods "shop-h2-" is forbidden: exceeded quota: mem, requested: limits.memory=64Mi';
    const refused = deployment({
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }],
    });
    expect(judgeRollout(refused, sets, [])).toMatchObject({ state: 'failed', class: 'quota', why: message });
  });

  it('goes back to what still has instances able to serve, else to the release named last', () => {
    expect(previousReplicaSet(rolling, sets, undefined)?.metadata.name).toBe('shop-h1');
    const gone = [replicaSet(1, OLD, 0), replicaSet(2, NEW, 0)];
    expect(previousReplicaSet(rolling, gone, undefined)).toBeUndefined();
    expect(previousReplicaSet(rolling, gone, OLD)?.metadata.name).toBe('shop-h1');
  });
});

describe('what an instance is', () => {
  it('tells one that was never ready from one that is no longer', () => {
    const status = (changed: string) => ({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: changed }],
      containerStatuses: [{ state: { running: { startedAt: '2026-11-20T20:00:05Z' } } }],
    });
    expect(instanceOf(pod(1, OLD, status('2026-11-20T20:00:01Z'))).state).toBe('starting');
    expect(instanceOf(pod(1, OLD, status('2026-11-20T20:09:00Z'))).state).toBe('unhealthy');
  });

  it('says why one is pending, and that one on its way out is not routable', () => {
    const unscheduled = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
    ];
    expect(instanceOf(pod(1, OLD, { phase: 'Pending', conditions: unscheduled }))).toMatchObject({
      state: 'pending',
      reason: 'Unschedulable: 0/3 nodes',
    });
    const going = pod(1, OLD, READY, { deletionTimestamp: '2026-11-20T20:00:00Z' });
    expect(instanceOf(going)).toMatchObject({ state: 'stopping', routable: false });
  });
});

describe('which release serves', () => {
  it('is the one with most ready instances, and the old one while they are even', () => {
    const even = [pod(1, OLD, READY), pod(2, NEW, READY)];
    expect(servingRelease(even, NEW)).toBe(OLD);
    expect(servingRelease([...even, pod(2, NEW, READY)], NEW)).toBe(NEW);
    expect(servingRelease([pod(2, NEW, { phase: 'Pending' })], NEW)).toBeUndefined();
  });

  it('knows staged, running and retired ones apart', () => {
    const build = (release: string, phase: string) =>
      buildSchema.parse({ metadata: { labels: { 'sluice.dev/release': release } }, status: { phase } });
    const builds = [build(OLD, 'Complete'), build(NEW, 'Complete'), build('r-0000000003', 'Failed')];
    const sets = [replicaSet(1, OLD, 1), replicaSet(3, 'r-0000000004', 0)];
    expect(Object.fromEntries(releasesOf(builds, sets, []).map((r) => [r.id, r.state]))).toEqual({
      [OLD]: 'running',
      [NEW]: 'staged',
      'r-0000000004': 'retired',
    });
  });
});

describe('how the gateway reaches it', () => {
  const options = { api: 'https://api.test:6443', namespace: 'shop', credentials: { token: 't' } };
  const route = routeSchema.parse({ metadata: {}, spec: { host: 'shop.apps.test' } });

  it('is the route’s own host by TLS, or the router that was named', () => {
    expect(originsOf(route, schema.parse(options))).toEqual([
      { url: 'https://shop.apps.test', hostHeader: 'shop.apps.test', sni: 'shop.apps.test' },
    ]);
    expect(originsOf(route, schema.parse({ ...options, router: 'http://127.0.0.1:8088/' }))).toEqual([
      { url: 'http://127.0.0.1:8088', hostHeader: 'shop.apps.test' },
    ]);
  });

  it('does not mistake a verdict on an earlier host for one on this', () => {
    const conditions = [{ type: 'Admitted', status: 'True' }];
    const moved = {
      metadata: {},
      spec: { host: 'new.test' },
      status: { ingress: [{ host: 'old.test', conditions }] },
    };
    expect(admissionOf(routeSchema.parse(moved))).toEqual({ state: 'pending' });
  });
});
