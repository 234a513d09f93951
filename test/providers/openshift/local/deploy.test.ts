import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  type Api,
  appBundle,
  apply,
  build,
  call,
  client,
  deployApp,
  deployment,
  HOST,
  isRolledOut,
  paths,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';

describe('an application on the local OpenShift', () => {
  let cluster: TestCluster;
  let api: Api;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
    image = await deployApp(cluster.openshift, api);
  });
  afterAll(() => cluster.close());

  function get(path = '/'): Promise<Answer> {
    return call(`${cluster.openshift.routerUrl}${path}`, { headers: { host: HOST } });
  }

  function rolledOut(): Promise<Answer> {
    return until(() => api(`${paths.deployments}/app`), isRolledOut);
  }

  function condition(answer: Answer, type: string): { status: string; reason: string } | undefined {
    return answer.body.status.conditions?.find((found: { type: string }) => found.type === type);
  }

  it('is built, rolled out, exposed and answers through the router', async () => {
    const answer = await get('/hello?x=1');
    expect(answer.status).toBe(200);
    expect(answer.headers['x-release']).toBe('r-0123456789');
    expect(answer.body.url).toBe('/hello?x=1');
    const pods = await api(paths.pods);
    expect(pods.body.items.map((pod: { metadata: { name: string } }) => pod.metadata.name)).toContain(
      answer.body.host,
    );
    expect(pods.body.items[0]).toMatchObject({
      metadata: {
        ownerReferences: [{ kind: 'ReplicaSet' }],
        labels: { 'pod-template-hash': expect.any(String) },
      },
      status: {
        phase: 'Running',
        containerStatuses: [{ ready: true, restartCount: 0, state: { running: {} } }],
      },
    });
    const slices = await api(`${paths.slices}?labelSelector=kubernetes.io/service-name=app`);
    expect(slices.body.items[0].endpoints).toHaveLength(2);
    expect(slices.body.items[0].ports).toEqual([{ name: 'http', protocol: 'TCP', port: 8080 }]);
  });

  it('sees secrets, config maps and its own pod in its environment', async () => {
    await apply(api, paths.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec' },
      stringData: { PASSWORD: 'geheim' },
    });
    await apply(api, paths.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf' },
      data: { GREETING: 'hej' },
    });
    const container = {
      env: [
        { name: 'PORT', value: '8080' },
        { name: 'WORD', valueFrom: { secretKeyRef: { name: 'sec', key: 'PASSWORD' } } },
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'BOTH', value: '$(WORD)-$(GREETING)' },
      ],
      envFrom: [{ secretRef: { name: 'sec' }, prefix: 'S_' }, { configMapRef: { name: 'conf' } }],
    };
    await apply(api, paths.deployments, deployment(image, {}, container));
    await rolledOut();
    const answer = await until(get, (found) => found.body?.env?.WORD !== undefined);
    expect(answer.body.env).toMatchObject({
      WORD: 'geheim',
      S_PASSWORD: 'geheim',
      GREETING: 'hej',
      BOTH: 'geheim-hej',
      POD: answer.body.host,
    });
    // The port in the spec is the pod's; the process has one of its own on this machine.
    expect(answer.body.env.PORT).not.toBe('8080');
    expect(answer.body.env.HOME).not.toBeUndefined();
    expect(answer.body.env.JEST_WORKER_ID).toBeUndefined();
  });

  it('is replaced by a new release without a failed request, and rolled back to the old replica set', async () => {
    const before = await api(`${paths.deployments}/app`);
    const revision = Number(before.body.metadata.annotations['deployment.kubernetes.io/revision']);
    const statuses = new Set<number>();
    let rolling = true;
    const load = (async () => {
      while (rolling) statuses.add((await get()).status);
    })();
    await apply(
      api,
      paths.deployments,
      deployment(image, {}, { env: [{ name: 'SLUICE_RELEASE', value: 'r-2' }] }),
    );
    const after = await rolledOut();
    await until(get, (answer) => answer.headers['x-release'] === 'r-2');
    expect(Number(after.body.metadata.annotations['deployment.kubernetes.io/revision'])).toBe(revision + 1);
    await api(`${paths.deployments}/app`, {
      method: 'PATCH',
      type: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/spec/template', value: before.body.spec.template }],
    });
    const back = await rolledOut();
    rolling = false;
    await load;
    expect([...statuses]).toEqual([200]);
    expect(Number(back.body.metadata.annotations['deployment.kubernetes.io/revision'])).toBe(revision + 2);
    const sets = await api(paths.replicaSets);
    expect(
      sets.body.items.map(
        (set: { metadata: { annotations: Record<string, string> } }) =>
          set.metadata.annotations['deployment.kubernetes.io/revision-history'],
      ),
    ).toContain(String(revision));
  });

  it('misses its deadline when the new release crashes, while the old one goes on serving', async () => {
    const crashing = { command: ['sh', '-c', 'echo going down; exit 7'] };
    await apply(api, paths.deployments, deployment(image, { progressDeadlineSeconds: 1 }, crashing));
    const late = await until(
      () => api(`${paths.deployments}/app`),
      (answer) => condition(answer, 'Progressing')?.reason === 'ProgressDeadlineExceeded',
    );
    expect(condition(late, 'Available')).toMatchObject({ status: 'True' });
    expect((await get()).status).toBe(200);
    const crash = await until(
      () => api(paths.pods),
      (answer) =>
        answer.body.items.some(
          (pod: { status: { containerStatuses?: { state: { waiting?: { reason: string } } }[] } }) =>
            pod.status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff',
        ),
    );
    const pod = crash.body.items.find(
      (one: { status: { containerStatuses: { restartCount: number }[] } }) =>
        (one.status.containerStatuses[0]?.restartCount ?? 0) > 0,
    );
    expect(pod.status.containerStatuses[0]).toMatchObject({
      ready: false,
      lastState: { terminated: { exitCode: 7, reason: 'Error' } },
    });
    expect((await api(`${paths.pods}/${pod.metadata.name}/log?tailLines=1`)).text).toBe('going down\n');
    expect((await api(`${paths.pods}/${pod.metadata.name}/log?container=nope`)).status).toBe(400);
    const events = await api(paths.pods.replace('/pods', '/events'));
    expect(events.body.items.map((event: { reason: string }) => event.reason)).toContain('BackOff');
    await apply(api, paths.deployments, deployment(image));
    await rolledOut();
  });

  it('is not served by what is not ready', async () => {
    const notReady = {
      readinessProbe: { tcpSocket: { port: 1 }, httpGet: { path: '/cut', port: 'http' }, periodSeconds: 1 },
    };
    await apply(
      api,
      paths.deployments,
      deployment(image, { replicas: 1, strategy: { type: 'Recreate' } }, notReady),
    );
    await until(get, (answer) => answer.status === 503);
    const seen = await api(`${paths.deployments}/app`);
    expect(seen.body.status.availableReplicas).toBeUndefined();
    await apply(api, paths.deployments, deployment(image));
    await rolledOut();
    await until(get, (answer) => answer.status === 200);
  });

  it('comes back by itself after a crash, and its pods after they were killed and held down', async () => {
    const { body } = await get();
    await get('/die').catch(() => undefined);
    await until(
      () => api(`${paths.pods}/${body.host}`),
      () => true,
    );
    await until(
      () => api(paths.pods),
      (answer) =>
        answer.body.items.some(
          (pod: { status: { containerStatuses: { restartCount: number }[] } }) =>
            (pod.status.containerStatuses[0]?.restartCount ?? 0) > 0,
        ),
    );
    await rolledOut();
    cluster.openshift.setFault('apps-down', true);
    await until(get, (answer) => answer.status === 503);
    await until(
      async () => ({
        status: 0,
        httpVersion: '',
        headers: {},
        text: 'processes',
        body: cluster.runner.list(),
      }),
      (answer) => answer.body.every((instance: { pid?: number }) => instance.pid === undefined),
    );
    cluster.openshift.setFault('apps-down', false);
    await until(get, (answer) => answer.status === 200);
  });

  it('reports another release when told to', async () => {
    cluster.openshift.setFault('wrong-release', true);
    await api(`${paths.pods}?labelSelector=app=app`, { method: 'DELETE' });
    await until(get, (answer) => answer.headers['x-release'] === 'r-0000000000');
    cluster.openshift.setFault('wrong-release', false);
  });

  it('scaled to nothing counts as available and gets the 503 page', async () => {
    await api(`${paths.deployments}/app/scale`, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { spec: { replicas: 0 } },
    });
    const idle = await rolledOut();
    expect(condition(idle, 'Available')).toMatchObject({ status: 'True' });
    await until(get, (answer) => answer.status === 503);
  });

  it('starts nothing in a pod that was deleted while its image was unpacked', async () => {
    await apply(api, paths.deployments, deployment(image));
    const deleted = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const pods = await until(
        () => api(paths.pods),
        (answer) => answer.body.items.length > 0,
      );
      for (const pod of pods.body.items) {
        if (pod.metadata.deletionTimestamp === undefined) deleted.add(pod.metadata.uid);
        await api(`${paths.pods}/${pod.metadata.name}`, { method: 'DELETE' });
      }
    }
    await until(
      () => api(paths.pods),
      (answer) =>
        answer.body.items.every((pod: { metadata: { uid: string } }) => !deleted.has(pod.metadata.uid)),
    );
    const running = cluster.runner.list().map((instance) => instance.id.split('/')[0] ?? '');
    expect(running.filter((uid) => deleted.has(uid))).toEqual([]);
  });

  it('leaves no pod and no process when its deployment is deleted', async () => {
    await apply(api, paths.deployments, deployment(image));
    await rolledOut();
    const deleted = await api(`${paths.deployments}/app`, { method: 'DELETE' });
    expect(deleted.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'app', kind: 'deployments' },
    });
    await until(
      () => api(paths.pods),
      (answer) => answer.body.items.length === 0,
    );
    expect((await api(paths.replicaSets)).body.items).toEqual([]);
    expect(cluster.runner.list()).toEqual([]);
  });

  it('waits for its dependents when deleted in the foreground', async () => {
    await apply(api, paths.deployments, deployment(await build(api, await appBundle())));
    await rolledOut();
    const waiting = await api(`${paths.deployments}/app?propagationPolicy=Foreground`, { method: 'DELETE' });
    expect(waiting.body.metadata).toMatchObject({
      finalizers: ['foregroundDeletion'],
      deletionTimestamp: expect.any(String),
    });
    await until(
      () => api(`${paths.deployments}/app`),
      (answer) => answer.status === 404,
    );
    expect((await api(paths.pods)).body.items).toEqual([]);
  });
});
