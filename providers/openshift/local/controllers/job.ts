import type { Job } from '../batch-types.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { terminatePod } from '../deletion.ts';
import { recordEvent } from '../event-record.ts';
import { backOffMs } from '../image-pull.ts';
import { countPods, endConditions, isFinished, type JobStep, stepJob } from '../job-status.ts';
import { createPod } from '../pod-creation.ts';
import type { Pod } from '../pod-types.ts';
import { isKind, JOBS, PODS } from '../resources.ts';

const COMPONENT = 'job-controller';

/** Runs pods to their end, as often as a job allows them to fail. */
export function createJobController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  /** Jobs that wait before they try again, and until when. */
  const waiting = new Map<string, number>();
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (isKind(type, JOBS)) {
      if (change === 'DELETED') waiting.delete(object.metadata.uid ?? '');
      else queue.add(keyOf(object));
    } else if (isKind(type, PODS)) {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.kind === 'Job');
      if (owner) queue.add(`${object.metadata.namespace}/${owner.name}`);
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const job = store.get(JOBS, namespace, name);
    if (!job || job.metadata.deletionTimestamp !== undefined) return;
    if (isFinished(job)) {
      expire(job, key);
      return;
    }
    if (job.status.startTime === undefined && !job.spec.suspend) {
      change(job, (draft) => {
        draft.status.startTime = store.now();
      });
      return;
    }
    const step = stepJob(job, podsOf(job), clock.now());
    if (step.kind === 'start') start(job, step.pods, key);
    if (step.kind === 'suspend' || step.kind === 'fail') stopPods(job);
    writeStatus(job, step);
    const { activeDeadlineSeconds } = job.spec;
    if (activeDeadlineSeconds !== undefined) {
      const due = Date.parse(job.status.startTime ?? '') + activeDeadlineSeconds * 1_000;
      queue.add(key, Math.max(50, due - clock.now() + 50));
    }
  }

  function podsOf(job: Job): Pod[] {
    return store
      .list(PODS, job.metadata.namespace)
      .filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === job.metadata.uid));
  }

  function start(job: Job, count: number, key: string): void {
    const uid = job.metadata.uid ?? '';
    const { failed } = countPods(podsOf(job));
    // The first pod comes at once; after each failure the job waits twice as long.
    if (failed > 0 && !waiting.has(`${uid}/${failed}`)) {
      waiting.set(`${uid}/${failed}`, clock.now() + backOffMs(failed - 1) * cluster.speed);
    }
    const until = waiting.get(`${uid}/${failed}`) ?? 0;
    if (clock.now() < until) {
      queue.add(key, until - clock.now());
      return;
    }
    for (let made = 0; made < count; made++) {
      const { refusal } = createPod(cluster, {
        owner: job,
        template: job.spec.template,
        component: COMPONENT,
      });
      if (refusal === undefined) continue;
      queue.add(key, backOffMs(0) * cluster.speed + 50);
      return;
    }
  }

  function stopPods(job: Job): void {
    for (const pod of podsOf(job)) {
      const { phase } = pod.status;
      if (phase === 'Succeeded' || phase === 'Failed' || pod.metadata.deletionTimestamp !== undefined)
        continue;
      terminatePod(store, pod.metadata.name, pod.metadata.namespace ?? '');
      recordEvent(cluster, job, COMPONENT, {
        reason: 'SuccessfulDelete',
        message: `Deleted pod: ${pod.metadata.name}`,
      });
    }
  }

  function writeStatus(job: Job, step: JobStep): void {
    const counts = countPods(podsOf(job));
    const conditions = endConditions(step, store.now());
    change(job, (draft) => {
      const { startTime } = draft.status;
      draft.status = {
        ...(counts.active > 0 ? { active: counts.active } : {}),
        ...(counts.succeeded > 0 ? { succeeded: counts.succeeded } : {}),
        ...(counts.failed > 0 ? { failed: counts.failed } : {}),
        ready: counts.ready,
        ...(startTime === undefined ? {} : { startTime }),
        ...(step.kind === 'complete' ? { completionTime: store.now() } : {}),
        ...(conditions.length > 0 ? { conditions } : {}),
      };
    });
    if (step.kind === 'complete') {
      recordEvent(cluster, job, COMPONENT, { reason: 'Completed', message: 'Job completed' });
    } else if (step.kind === 'fail') {
      recordEvent(cluster, job, COMPONENT, { reason: step.reason, message: step.message, type: 'Warning' });
    }
  }

  /** A finished job is kept for as long as it says, and for ever when it says nothing. */
  function expire(job: Job, key: string): void {
    const seconds = job.spec.ttlSecondsAfterFinished;
    const ended = job.status.conditions?.at(-1)?.lastTransitionTime;
    if (seconds === undefined || ended === undefined) return;
    const due = Date.parse(ended) + seconds * 1_000;
    if (clock.now() >= due) store.remove(JOBS, job.metadata.namespace, job.metadata.name);
    else queue.add(key, due - clock.now() + 50);
  }

  function change(job: Job, edit: (draft: Job) => void): void {
    store.change(JOBS, job.metadata.namespace, job.metadata.name, edit);
  }

  return {
    name: 'job',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}
