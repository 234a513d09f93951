import { isoTime } from '../../../../src/lib/iso-time.ts';
import type { CronJob, Job } from '../batch-types.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { cronSchedule } from '../cron-schedule.ts';
import { recordEvent } from '../event-record.ts';
import { isFinished, labelPods } from '../job-status.ts';
import { clone } from '../json.ts';
import { CRON_JOBS, isKind, JOBS } from '../resources.ts';

const COMPONENT = 'cronjob-controller';

/** Makes a job whenever one is due, and clears away those that ended. */
export function createCronJobController(cluster: Pick<Cluster, 'store' | 'clock' | 'speed'>): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (isKind(type, CRON_JOBS)) {
      if (change !== 'DELETED') queue.add(keyOf(object));
    } else if (isKind(type, JOBS)) {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.kind === 'CronJob');
      if (owner) queue.add(`${object.metadata.namespace}/${owner.name}`);
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const cronJob = store.get(CRON_JOBS, namespace, name);
    if (!cronJob || cronJob.metadata.deletionTimestamp !== undefined) return;
    clear(cronJob);
    const made = cronSchedule(cronJob.spec.schedule, cronJob.spec.timeZone ?? 'UTC');
    if (made.ok && !cronJob.spec.suspend) {
      const since = cronJob.status.lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? store.now();
      const due = latestDue(made.value.next, Date.parse(since), clock.now());
      if (due !== undefined) run(cronJob, due);
      const next = made.value.next(clock.now());
      if (next !== undefined) queue.add(key, Math.max(50, next - clock.now()));
    }
    writeStatus(cronJob);
  }

  function run(cronJob: CronJob, due: number): void {
    const { name, namespace } = cronJob.metadata;
    const { concurrencyPolicy, startingDeadlineSeconds } = cronJob.spec;
    const running = jobsOf(cronJob).filter((job) => !isFinished(job));
    const isLate =
      startingDeadlineSeconds !== undefined && clock.now() - due > startingDeadlineSeconds * 1_000;
    const isHeld = concurrencyPolicy === 'Forbid' && running.length > 0;
    if (isHeld || isLate) {
      recordEvent(
        cluster,
        cronJob,
        COMPONENT,
        isLate
          ? { reason: 'MissSchedule', message: 'Missed scheduled time to start a job', type: 'Warning' }
          : {
              reason: 'JobAlreadyActive',
              message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
            },
      );
      // A run that was held comes when the other ends; one that is late never does.
      if (isHeld) return;
    } else {
      if (concurrencyPolicy === 'Replace') {
        for (const job of running) store.remove(JOBS, namespace, job.metadata.name);
      }
      // The name says which minute it is for, so that none is run twice.
      const job = jobFor(cronJob, `${name}-${Math.floor(due / 60_000)}`, store.uid());
      if (!store.get(JOBS, namespace, job.metadata.name)) {
        store.create(JOBS, job);
        recordEvent(cluster, cronJob, COMPONENT, {
          reason: 'SuccessfulCreate',
          message: `Created job ${job.metadata.name}`,
        });
      }
    }
    store.change(CRON_JOBS, namespace, name, (draft) => {
      draft.status.lastScheduleTime = `${isoTime(due).slice(0, 19)}Z`;
    });
  }

  function jobsOf(cronJob: CronJob): Job[] {
    return store
      .list(JOBS, cronJob.metadata.namespace)
      .filter((job) => job.metadata.ownerReferences?.some((owner) => owner.uid === cronJob.metadata.uid));
  }

  /** Of those that ended the newest are kept, so many of each outcome. */
  function clear(cronJob: CronJob): void {
    const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec;
    for (const [outcome, limit] of [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const) {
      const ended = jobsOf(cronJob)
        .filter((job) => job.status.conditions?.at(-1)?.type === outcome)
        .sort((a, b) => b.metadata.name.localeCompare(a.metadata.name));
      for (const job of ended.slice(limit)) store.remove(JOBS, job.metadata.namespace, job.metadata.name);
    }
  }

  function writeStatus(cronJob: CronJob): void {
    const jobs = jobsOf(cronJob);
    const active = jobs
      .filter((job) => !isFinished(job))
      .map((job) => ({
        kind: 'Job',
        namespace: job.metadata.namespace ?? '',
        name: job.metadata.name,
        uid: job.metadata.uid ?? '',
        apiVersion: 'batch/v1',
      }));
    const last = jobs
      .flatMap((job) => job.status.completionTime ?? [])
      .sort()
      .at(-1);
    store.change(CRON_JOBS, cronJob.metadata.namespace, cronJob.metadata.name, (draft) => {
      if (active.length > 0) draft.status.active = active;
      else delete draft.status.active;
      if (last !== undefined) draft.status.lastSuccessfulTime = last;
    });
  }

  return {
    name: 'cronjob',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

function jobFor(cronJob: CronJob, name: string, uid: string): Job {
  const { namespace, name: owner, uid: ownerUid = '' } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec.jobTemplate;
  const job: Job = {
    kind: 'Job',
    apiVersion: 'batch/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: owner,
          uid: ownerUid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: clone(spec),
    status: {},
  };
  labelPods(job, uid);
  return job;
}

/** Of all the times that passed only the last counts: what was missed is not made up for. */
export function latestDue(
  next: (after: number) => number | undefined,
  since: number,
  now: number,
): number | undefined {
  let latest: number | undefined;
  // A schedule that was away for long is not counted through: the last hundred times are enough to find the latest.
  for (let at = next(Math.max(since, now - 100 * 60_000)); at !== undefined && at <= now; at = next(at))
    latest = at;
  return latest;
}
