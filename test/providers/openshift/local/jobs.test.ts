import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CronJob } from '../../../../providers/openshift/local/batch-types.ts';
import {
  createCronJobController,
  latestDue,
} from '../../../../providers/openshift/local/controllers/cron-job.ts';
import { cronSchedule } from '../../../../providers/openshift/local/cron-schedule.ts';
import { CRON_JOBS, JOBS } from '../../../../providers/openshift/local/resources.ts';
import { createStore } from '../../../../providers/openshift/local/store.ts';
import { seededRandom } from '../../../../src/lib/random.ts';
import { virtualClock } from '../../../../src/lib/virtual-clock.ts';
import { pass } from '../../../support/virtual-time.ts';
import {
  type Answer,
  type Api,
  appBundle,
  build,
  client,
  NS,
  paths,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';

const jobs = `/apis/batch/v1/namespaces/${NS}/jobs`;
const cronJobs = `/apis/batch/v1/namespaces/${NS}/cronjobs`;
const claims = `/api/v1/namespaces/${NS}/persistentvolumeclaims`;

function pod(image: string, script: string, restartPolicy = 'Never', rest: object = {}): object {
  return {
    restartPolicy,
    containers: [{ name: 'run', image, command: ['sh', '-c', script], ...rest }],
  };
}

function conditions(answer: Answer): string[] {
  return (answer.body.status.conditions ?? []).map(
    (found: { type: string; reason: string }) => `${found.type} ${found.reason}`,
  );
}

describe('jobs of the local OpenShift', () => {
  let cluster: TestCluster;
  let api: Api;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
    image = await build(api, await appBundle());
  });
  afterAll(() => cluster.close());

  function run(name: string, spec: object): Promise<Answer> {
    return api(jobs, { method: 'POST', body: { metadata: { name }, spec } });
  }

  function ended(name: string): Promise<Answer> {
    return until(
      () => api(`${jobs}/${name}`),
      (answer) => conditions(answer).some((found) => /^(Complete|Failed) /.test(found)),
      15_000,
    );
  }

  async function podsOf(name: string): Promise<{ metadata: { name: string }; status: { phase: string } }[]> {
    return (await api(`${paths.pods}?labelSelector=batch.kubernetes.io/job-name=${name}`)).body.items;
  }

  it('runs a pod to its end, and its log stays', async () => {
    const made = await run('once', { template: { spec: pod(image, 'echo hello from a job') } });
    expect([made.status, made.body.spec.backoffLimit, made.body.spec.selector.matchLabels]).toEqual([
      201,
      6,
      { 'batch.kubernetes.io/controller-uid': made.body.metadata.uid },
    ]);
    const done = await ended('once');
    expect(conditions(done)).toEqual([
      'SuccessCriteriaMet CompletionsReached',
      'Complete CompletionsReached',
    ]);
    expect(done.body.status).toMatchObject({ succeeded: 1, ready: 0 });
    expect(done.body.status.completionTime).toMatch(/Z$/);
    const [only] = await podsOf('once');
    expect(only?.status.phase).toBe('Succeeded');
    const log = await api(`${paths.pods}/${only?.metadata.name}/log`);
    expect(log.text).toBe('hello from a job\n');
    // A log that is over ends by itself, also when it is followed.
    expect((await api(`${paths.pods}/${only?.metadata.name}/log?follow=true`)).text).toBe(
      'hello from a job\n',
    );
    await api(`${jobs}/once?propagationPolicy=Background`, { method: 'DELETE' });
    await until(
      () => api(`${paths.pods}/${only?.metadata.name}`),
      (answer) => answer.status === 404,
    );
  });

  it('tries again, a new pod each time, and gives up at its limit', async () => {
    await run('broken', { backoffLimit: 1, template: { spec: pod(image, 'echo no; exit 3') } });
    const done = await ended('broken');
    expect(conditions(done)).toEqual(['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded']);
    expect(done.body.status.failed).toBe(2);
    expect((await podsOf('broken')).map(({ status }) => status.phase)).toEqual(['Failed', 'Failed']);
  });

  it('restarts within the pod when told so, and counts that too', async () => {
    await run('restarting', { backoffLimit: 1, template: { spec: pod(image, 'exit 1', 'OnFailure') } });
    expect(conditions(await ended('restarting'))).toContain('Failed BackoffLimitExceeded');
  });

  it('stops what runs longer than its deadline', async () => {
    await run('slow', { activeDeadlineSeconds: 1, template: { spec: pod(image, 'sleep 60') } });
    expect(conditions(await ended('slow'))).toContain('Failed DeadlineExceeded');
  });

  it('refuses a pod that would never end, and a schedule nobody can read', async () => {
    const always = await run('always', { template: { spec: pod(image, 'true', 'Always') } });
    expect(always.status).toBe(422);
    expect(always.body.details.causes).toEqual([
      {
        reason: 'FieldValueNotSupported',
        message: 'Unsupported value: "Always": supported values: "OnFailure", "Never"',
        field: 'spec.template.spec.restartPolicy',
      },
    ]);
    const six = await api(cronJobs, {
      method: 'POST',
      body: {
        metadata: { name: 'six' },
        spec: { schedule: '* * * * * *', jobTemplate: { spec: { template: { spec: pod(image, 'true') } } } },
      },
    });
    expect([six.status, six.body.details.causes[0].field]).toEqual([422, 'spec.schedule']);
  });

  it('keeps what is written to a claimed volume for the next pod, and the claim for as long as a pod uses it', async () => {
    const claim = await api(claims, {
      method: 'POST',
      body: {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    });
    expect([claim.status, claim.body.status.phase, claim.body.spec.storageClassName]).toEqual([
      201,
      'Pending',
      'standard',
    ]);
    const mounted = (script: string): object => ({
      ...pod(image, script, 'Never', { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    });
    await run('writer', { template: { spec: mounted('echo kept > data/file') } });
    await ended('writer');
    expect((await api(`${claims}/data`)).body.status).toMatchObject({
      phase: 'Bound',
      capacity: { storage: '1Gi' },
    });
    await run('reader', { template: { spec: mounted('cat data/file') } });
    await ended('reader');
    const [reader] = await podsOf('reader');
    expect((await api(`${paths.pods}/${reader?.metadata.name}/log`)).text).toBe('kept\n');
    await api(`${claims}/data`, { method: 'DELETE' });
    expect((await api(`${claims}/data`)).body.metadata.deletionTimestamp).toBeDefined();
    for (const name of ['writer', 'reader']) await api(`${jobs}/${name}`, { method: 'DELETE' });
    await until(
      () => api(`${claims}/data`),
      (answer) => answer.status === 404,
    );
  });

  it('leaves a pod pending whose claim is not there, and says so', async () => {
    await run('claimless', {
      template: {
        spec: {
          ...pod(image, 'true'),
          volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'nowhere' } }],
        },
      },
    });
    await until(
      () => api(`/api/v1/namespaces/${NS}/events?fieldSelector=reason=FailedScheduling`),
      (answer) =>
        answer.body.items.some((event: { message: string }) =>
          event.message.includes('persistentvolumeclaim "nowhere" not found'),
        ),
    );
    await api(`${jobs}/claimless`, { method: 'DELETE' });
  });
});

describe('cron jobs', () => {
  const MINUTE = 60_000;

  async function world(spec: Partial<CronJob['spec']>) {
    const clock = virtualClock(Date.parse('2026-11-29T11:00:30Z'));
    const store = createStore(clock, seededRandom(3));
    const controller = createCronJobController({ store, clock, speed: 1 });
    store.create(CRON_JOBS, {
      kind: 'CronJob',
      apiVersion: 'batch/v1',
      metadata: { name: 'tick', namespace: NS },
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { containers: [] } } } },
        ...spec,
      },
      status: {},
    });
    return {
      clock,
      store,
      controller,
      names: () => store.list(JOBS, NS).map(({ metadata }) => metadata.name),
    };
  }

  it('make a job when one is due, once for each time', async () => {
    const { clock, store, controller, names } = await world({});
    await pass(clock, 20_000, 1_000);
    expect(names()).toEqual([]);
    await pass(clock, MINUTE, 1_000);
    expect(names()).toEqual([`tick-${Date.parse('2026-11-29T11:01:00Z') / MINUTE}`]);
    await pass(clock, MINUTE, 1_000);
    expect(names()).toHaveLength(2);
    expect(store.get(CRON_JOBS, NS, 'tick')?.status).toMatchObject({
      lastScheduleTime: '2026-11-29T11:02:00Z',
      active: [{ kind: 'Job' }, { kind: 'Job' }],
    });
    controller.close();
  });

  it('hold a run back while another runs, when told so, and run none while suspended', async () => {
    const held = await world({ concurrencyPolicy: 'Forbid' });
    await pass(held.clock, 3 * MINUTE, 1_000);
    expect(held.names()).toHaveLength(1);
    held.controller.close();
    const suspended = await world({ suspend: true });
    await pass(suspended.clock, 3 * MINUTE, 1_000);
    expect(suspended.names()).toEqual([]);
    suspended.controller.close();
  });

  it('keep only the newest of those that ended', async () => {
    const { clock, store, controller, names } = await world({ successfulJobsHistoryLimit: 1 });
    for (let minute = 0; minute < 3; minute++) {
      await pass(clock, MINUTE, 1_000);
      for (const name of names()) {
        store.change(JOBS, NS, name, (draft) => {
          draft.status.conditions = [{ type: 'Complete', status: 'True' }];
        });
      }
    }
    await pass(clock, 1_000, 100);
    expect(names()).toEqual([`tick-${Date.parse('2026-11-29T11:03:00Z') / MINUTE}`]);
    controller.close();
  });
});

describe('when a cron job is due', () => {
  const hourly = cronSchedule('0 * * * *', 'UTC');
  const next = hourly.ok ? hourly.value.next : () => undefined;
  const at = (text: string): number => Date.parse(`2026-11-29T${text}:00Z`);

  it('only the last of several missed times counts', () => {
    expect(latestDue(next, at('09:30'), at('11:10'))).toBe(at('11:00'));
  });

  it('nothing is due between two times', () => {
    expect(latestDue(next, at('11:00'), at('11:59'))).toBeUndefined();
  });

  it('what was due while it was away for days is found without counting them all', () => {
    expect(latestDue(next, 0, at('11:10'))).toBe(at('11:00'));
  });
});
