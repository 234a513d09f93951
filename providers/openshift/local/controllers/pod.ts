import { constants } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, type Controller, delayOf } from '../cluster.ts';
import { recordEvent } from '../event-record.ts';
import { type ContainerRun, runContainer } from '../kubelet-container.ts';
import { writePodStatus, writeUnschedulable } from '../pod-status.ts';
import { mountVolumes, unboundClaim } from '../pod-volumes.ts';
import { PODS } from '../resources.ts';

const NODE = 'local-1';

interface RunningPod {
  readonly containers: ContainerRun[];
  readonly address: string;
  readonly ending: AbortController;
  ended: Promise<void> | undefined;
}

/** The scheduler and the kubelet of the one node: pods become processes, and processes become pod status. */
export function createPodController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const running = new Map<string, RunningPod>();
  const disposers = [
    store.onChange(({ type, object, change }) => {
      if (type.plural !== PODS.plural) return;
      const { uid = '', name, namespace = '' } = object.metadata;
      if (change === 'ADDED') void begin(uid, namespace, name);
      else if (change === 'DELETED') void end(uid, namespace, name, 0);
      else if (object.metadata.deletionTimestamp !== undefined) {
        void end(uid, namespace, name, (object.metadata.deletionGracePeriodSeconds ?? 30) * 1_000);
      }
    }),
    cluster.runner.onLog((line) => {
      const slash = line.instance.indexOf('/');
      const uid = line.instance.slice(0, slash);
      if (running.has(uid))
        cluster.podLogs.append(uid, line.instance.slice(slash + 1), { at: line.at, text: line.text });
    }),
    cluster.onFault((fault) => {
      if (fault !== 'apps-down' || !cluster.faults.has(fault)) return;
      for (const pod of running.values()) for (const container of pod.containers) container.kill();
    }),
  ];

  async function begin(uid: string, namespace: string, name: string): Promise<void> {
    const entry: RunningPod = {
      containers: [],
      address: cluster.network.allocate(),
      ending: new AbortController(),
      ended: undefined,
    };
    running.set(uid, entry);
    try {
      await clock.sleep(delayOf(cluster, 'schedule'), entry.ending.signal);
      await placed(uid, namespace, name, entry.ending.signal);
    } catch {
      return;
    }
    const pod = store.change(PODS, namespace, name, (draft) => {
      draft.spec.nodeName = NODE;
      draft.status.hostIP = '127.0.0.1';
      draft.status.hostIPs = [{ ip: '127.0.0.1' }];
      draft.status.startTime = store.now();
      draft.status.podIP = entry.address;
      draft.status.podIPs = [{ ip: entry.address }];
    });
    if (!pod || entry.ending.signal.aborted) return;
    const folder = join(cluster.dir, 'pods', uid);
    let last = pod;
    for (const container of pod.spec.containers) {
      const own = join(folder, container.name);
      entry.containers.push(
        runContainer({
          cluster,
          container,
          folder: own,
          address: entry.address,
          pod: () => (last = store.get(PODS, namespace, name) ?? last),
          async prepare(image) {
            await unpack(image, own);
            await mountVolumes(cluster, last, container, own);
          },
          changed: () => write(uid, namespace, name),
          event: (reason, message, warning) =>
            recordEvent(cluster, last, 'kubelet', { reason, message, type: warning ? 'Warning' : 'Normal' }),
        }),
      );
    }
    write(uid, namespace, name);
  }

  /** Resolves when the node takes the pod; until then the pod says why it does not. */
  async function placed(uid: string, namespace: string, name: string, signal: AbortSignal): Promise<void> {
    if (cluster.faults.has('stuck-pending')) {
      const message =
        '0/1 nodes are available: 1 Insufficient memory. preemption: not helpful for scheduling.';
      refusePlace(uid, namespace, name, message);
      await roomAgain(signal);
    }
    for (;;) {
      const pod = store.get(PODS, namespace, name);
      const message = pod?.metadata.uid === uid ? unboundClaim(cluster, pod) : undefined;
      if (message === undefined) return;
      if (message !== '') refusePlace(uid, namespace, name, message);
      await clock.sleep(Math.max(20, delayOf(cluster, 'provision')), signal);
    }
  }

  function refusePlace(uid: string, namespace: string, name: string, message: string): void {
    const pod = store.change(PODS, namespace, name, (draft) => {
      if (draft.metadata.uid === uid) writeUnschedulable(draft, message, store.now());
    });
    if (!pod) return;
    const event = { reason: 'FailedScheduling', message, type: 'Warning' } as const;
    recordEvent(cluster, pod, 'default-scheduler', event);
  }

  async function roomAgain(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const dispose = cluster.onFault((fault) => {
        if (fault !== 'stuck-pending' || cluster.faults.has(fault)) return;
        dispose();
        resolve();
      });
      signal.addEventListener('abort', () => {
        dispose();
        reject(signal.reason);
      });
    });
  }

  function write(uid: string, namespace: string, name: string): void {
    const entry = running.get(uid);
    if (!entry || store.get(PODS, namespace, name)?.metadata.uid !== uid) return;
    store.change(PODS, namespace, name, (draft) => {
      writePodStatus(
        draft,
        entry.containers.map((container) => container.view()),
        store.now(),
      );
    });
  }

  function end(uid: string, namespace: string, name: string, graceMs: number): Promise<void> {
    const entry = running.get(uid);
    if (!entry) return Promise.resolve();
    entry.ended ??= finish(entry, uid, namespace, name, graceMs);
    if (graceMs === 0) for (const container of entry.containers) container.kill();
    return entry.ended;
  }

  async function finish(
    entry: RunningPod,
    uid: string,
    namespace: string,
    name: string,
    graceMs: number,
  ): Promise<void> {
    entry.ending.abort(new Error('the pod is going away'));
    await Promise.all(entry.containers.map((container) => container.stop(graceMs)));
    running.delete(uid);
    cluster.network.disconnect(entry.address);
    // A folder that will not go is no reason for the pod to stay.
    await rm(join(cluster.dir, 'pods', uid), { recursive: true, force: true, maxRetries: 3 }).catch(
      () => undefined,
    );
    if (store.get(PODS, namespace, name)?.metadata.uid === uid) store.remove(PODS, namespace, name);
    cluster.podLogs.forget(uid);
  }

  return {
    name: 'pod',
    async close() {
      for (const dispose of disposers) dispose();
      const ends = [...running].map(async ([uid, entry]) => {
        for (const container of entry.containers) container.kill();
        await (entry.ended ?? finish(entry, uid, '', '', 0));
      });
      await Promise.all(ends);
    },
  };
}

/** Every container gets the image for itself: what one writes, no other sees. */
async function unpack(image: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(image, folder, { recursive: true, mode: constants.COPYFILE_FICLONE });
}
