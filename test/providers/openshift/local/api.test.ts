import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Api,
  apply,
  call,
  client,
  deployment,
  NS,
  paths,
  SERVICE,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';

function configMap(name: string, data: Record<string, string> = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { of: name } }, data };
}

describe('the API of the local OpenShift', () => {
  let cluster: TestCluster;
  let api: Api;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
  });
  afterAll(() => cluster.close());

  it('tells no token (403) from a bad one (401)', async () => {
    const anonymous = await api('/api/v1/namespaces', { token: undefined });
    expect(anonymous.status).toBe(403);
    expect(anonymous.body.message).toContain('User "system:anonymous" cannot list resource "namespaces"');
    const bad = await api('/api/v1/namespaces', { token: 'nonsense' });
    expect(bad.status).toBe(401);
    expect(bad.body).toMatchObject({ reason: 'Unauthorized', message: 'Unauthorized' });
  });

  it('refuses other namespaces and the list of all', async () => {
    expect((await api('/api/v1/namespaces/kube-system/secrets')).status).toBe(403);
    expect((await api('/api/v1/namespaces')).status).toBe(403);
    expect((await api('/api/v1/pods')).status).toBe(403);
  });

  it('lets nobody write over all namespaces, and shows nothing of one kind by name there', async () => {
    const token = cluster.openshift.tokenFor('admin', ['system:masters']);
    const made = await api('/api/v1/configmaps', {
      method: 'POST',
      token,
      body: { metadata: { name: 'x' } },
    });
    expect([made.status, made.body.reason]).toEqual([405, 'MethodNotAllowed']);
    expect((await api('/api/v1/configmaps', { method: 'POST', body: {} })).status).toBe(403);
    expect((await api('/api/v1/configmaps', { token })).status).toBe(200);
    expect((await api('/api/v1/configmaps/x', { token })).status).toBe(404);
  });

  it('has the security context constraints of a new cluster, for administrators to see', async () => {
    const path = '/apis/security.openshift.io/v1/securitycontextconstraints';
    expect((await api(path)).status).toBe(403);
    const token = cluster.openshift.tokenFor('admin', ['system:masters']);
    const { items } = (await api(path, { token })).body;
    const names = items.map((one: { metadata: { name: string } }) => one.metadata.name);
    expect(names).toContain('restricted-v2');
    expect(names).toHaveLength(10);
  });

  it('answers unknown groups in plain text and unknown resources with a Status', async () => {
    const group = await api('/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes');
    expect([group.status, group.headers['content-type'], group.text]).toEqual([
      404,
      'text/plain; charset=utf-8',
      '404 page not found\n',
    ]);
    const resource = await api(`/apis/apps/v1/namespaces/${NS}/statefulsets`);
    expect([resource.status, resource.body.reason]).toEqual([404, 'NotFound']);
  });

  it('serves health and version to everybody', async () => {
    for (const path of ['/readyz', '/livez']) expect((await api(path, { token: undefined })).text).toBe('ok');
    expect((await api('/version', { token: undefined })).body.gitVersion).toBe('v1.32.13');
  });

  it('creates once, then says that it exists', async () => {
    expect((await api(paths.configMaps, { method: 'POST', body: configMap('once') })).status).toBe(201);
    const again = await api(paths.configMaps, { method: 'POST', body: configMap('once') });
    expect([again.status, again.body.reason]).toEqual([409, 'AlreadyExists']);
  });

  it('refuses a PUT with a stale version and takes a fresh one', async () => {
    const created = (await api(paths.configMaps, { method: 'POST', body: configMap('put', { a: '1' }) }))
      .body;
    const changed = { ...created, data: { a: '2' } };
    expect((await api(`${paths.configMaps}/put`, { method: 'PUT', body: changed })).status).toBe(200);
    const stale = await api(`${paths.configMaps}/put`, {
      method: 'PUT',
      body: { ...changed, data: { a: '3' } },
    });
    expect([stale.status, stale.body.reason]).toEqual([409, 'Conflict']);
  });

  it('does not store what was only a dry run', async () => {
    const dry = await api(`${paths.configMaps}?dryRun=All`, { method: 'POST', body: configMap('dry') });
    expect([dry.status, dry.body.metadata.resourceVersion]).toEqual([201, undefined]);
    expect((await api(`${paths.configMaps}/dry`)).status).toBe(404);
  });

  it('warns of unknown fields, and refuses them when asked to be strict', async () => {
    const body = deployment('x', { replicsa: 2 });
    const strict = await api(`${paths.deployments}?fieldValidation=Strict`, { method: 'POST', body });
    expect([strict.status, strict.body.message]).toEqual([
      400,
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replicsa"',
    ]);
    const warned = await api(`${paths.deployments}?dryRun=All`, { method: 'POST', body });
    expect([warned.status, warned.headers['warning']]).toEqual([
      201,
      '299 - "unknown field \\"spec.replicsa\\""',
    ]);
  });

  it('names every fault of an invalid object', async () => {
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'Bad_Name' } };
    const spec = {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'c' } }, spec: { containers: [] } },
    };
    const refused = await api(paths.deployments, { method: 'POST', body: { ...body, spec } });
    expect(refused.status).toBe(422);
    expect(refused.body.details.causes.map((cause: { field: string }) => cause.field)).toEqual([
      'metadata.name',
      'spec.template.metadata.labels',
      'spec.template.spec.containers',
    ]);
  });

  it('refuses media types it cannot patch with', async () => {
    const refused = await api(`${paths.configMaps}/once`, { method: 'PATCH', type: 'text/plain', body: {} });
    expect([refused.status, refused.body.reason]).toEqual([415, 'UnsupportedMediaType']);
  });

  it('hides stringData and gives base64 back', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'hidden' },
      stringData: { KEY: 'värde' },
    };
    const created = await apply(api, paths.secrets, secret);
    expect(created.body.data).toEqual({ KEY: Buffer.from('värde').toString('base64') });
    expect(created.body.stringData).toBeUndefined();
  });

  it('lists by label and field and in pages', async () => {
    for (const name of ['page-a', 'page-b', 'page-c'])
      await api(paths.configMaps, { method: 'POST', body: configMap(name) });
    const labelled = await api(`${paths.configMaps}?labelSelector=of%20in%20(page-a,page-b)`);
    expect(labelled.body.items).toHaveLength(2);
    expect(labelled.body.items[0].kind).toBeUndefined();
    expect((await api(`${paths.configMaps}?fieldSelector=metadata.name=page-c`)).body.items).toHaveLength(1);
    const first = await api(`${paths.configMaps}?labelSelector=of&limit=2`);
    const next = await api(
      `${paths.configMaps}?labelSelector=of&limit=2&continue=${first.body.metadata.continue}`,
    );
    expect(next.body.items[0].metadata.name).not.toBe(first.body.items[0].metadata.name);
  });

  it('makes projects, which get their builder a moment later, and ends them', async () => {
    const request = {
      apiVersion: 'project.openshift.io/v1',
      kind: 'ProjectRequest',
      metadata: { name: 'fresh' },
    };
    const created = await api('/apis/project.openshift.io/v1/projectrequests', {
      method: 'POST',
      body: request,
    });
    expect([created.status, created.body.kind]).toEqual([201, 'Project']);
    const builder = await until(
      () => api('/api/v1/namespaces/fresh/serviceaccounts/builder'),
      (answer) => answer.status === 200,
    );
    expect(Number(builder.body.metadata.resourceVersion)).toBeGreaterThan(
      Number(created.body.metadata.resourceVersion),
    );
    const again = await api('/apis/project.openshift.io/v1/projectrequests', {
      method: 'POST',
      body: request,
    });
    expect([again.status, again.body.message]).toEqual([
      409,
      'project.project.openshift.io "fresh" already exists',
    ]);
    // What has a finalizer holds the project back until somebody takes it off.
    const held = '/api/v1/namespaces/fresh/configmaps/held';
    const holding = configMap('held');
    await api('/api/v1/namespaces/fresh/configmaps', {
      method: 'POST',
      body: { ...holding, metadata: { name: 'held', finalizers: ['example.test/wait'] } },
    });
    await api('/apis/project.openshift.io/v1/projects/fresh', { method: 'DELETE' });
    const late = await api('/api/v1/namespaces/fresh/configmaps', {
      method: 'POST',
      body: configMap('late'),
    });
    expect([late.status, late.body.details.causes[0].reason]).toEqual([403, 'NamespaceTerminating']);
    await until(
      () => api(held),
      (answer) => answer.body.metadata.deletionTimestamp !== undefined,
    );
    await api(held, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { metadata: { finalizers: null } },
    });
    await until(
      () => api('/apis/project.openshift.io/v1/projects/fresh'),
      (answer) => answer.status === 403,
    );
  });

  it('says who one is and what one may', async () => {
    const review = await api('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      method: 'POST',
      body: {},
    });
    expect(review.body.status.userInfo.username).toBe(`system:serviceaccount:${NS}:deployer`);
    const ask = async (namespace: string, resource: string, group: string): Promise<boolean> => {
      const body = { spec: { resourceAttributes: { namespace, verb: 'create', group, resource } } };
      const answer = await api('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        method: 'POST',
        body,
      });
      return answer.body.status.allowed;
    };
    expect(await ask(NS, 'deployments', 'apps')).toBe(true);
    expect(await ask('kube-system', 'deployments', 'apps')).toBe(false);
  });

  it('issues tokens of service accounts that work in their project only', async () => {
    await until(
      () => api(`${paths.serviceAccounts}/default`),
      (answer) => answer.status === 200,
    );
    const issued = await api(`${paths.serviceAccounts}/default/token`, {
      method: 'POST',
      body: { spec: { expirationSeconds: 600 } },
    });
    expect(issued.status).toBe(201);
    expect((await api(paths.pods, { token: issued.body.status.token })).status).toBe(200);
  });

  it('generates hosts, keeps them, and admits them', async () => {
    const route = {
      apiVersion: 'route.openshift.io/v1',
      kind: 'Route',
      metadata: { name: 'gen' },
      spec: { to: { kind: 'Service', name: 'none' } },
    };
    const created = await apply(api, paths.routes, route);
    expect(created.body.spec.host).toBe(`gen-${NS}.apps.ocp.localhost`);
    expect(created.body.metadata.annotations['openshift.io/host.generated']).toBe('true');
    expect(created.body.metadata.generation).toBeUndefined();
    const again = await apply(api, paths.routes, { ...route, metadata: { name: 'gen', labels: { x: 'y' } } });
    expect(again.body.spec.host).toBe(`gen-${NS}.apps.ocp.localhost`);
    const admitted = await until(
      () => api(`${paths.routes}/gen`),
      (answer) => answer.body.status.ingress !== undefined,
    );
    expect(admitted.body.status.ingress[0]).toMatchObject({
      routerName: 'default',
      conditions: [{ type: 'Admitted', status: 'True' }],
    });
  });

  it('scales without owning the rest, and apply notices', async () => {
    const body = { ...deployment('nope:1'), metadata: { name: 'scaled' } };
    await apply(api, paths.deployments, body);
    const scale = await api(`${paths.deployments}/scaled/scale`, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { spec: { replicas: 0 } },
      headers: { 'user-agent': 'kubectl/v1' },
    });
    expect(scale.body).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 0 },
      status: { selector: 'app=app' },
    });
    const conflict = await apply(api, paths.deployments, body, false);
    expect([conflict.status, conflict.body.details.causes[0].reason]).toEqual([409, 'FieldManagerConflict']);
    expect((await apply(api, paths.deployments, body)).body.spec.replicas).toBe(2);
    await api(`${paths.deployments}/scaled`, { method: 'DELETE' });
  });

  it('says why a pod does not start: no such image, no such name, no such secret', async () => {
    const waiting = async (name: string, image: string, container: object = {}): Promise<string> => {
      const labels = { app: name };
      const body = deployment(image, {}, container) as {
        metadata: object;
        spec: { selector: object; template: { metadata: object } };
      };
      body.metadata = { name };
      body.spec.selector = { matchLabels: labels };
      body.spec.template.metadata = { labels };
      const applied = await apply(api, paths.deployments, body);
      if (applied.status !== 201) throw new Error(applied.text);
      const seen = new Set(['', 'ContainerCreating', 'ErrImagePull']);
      const answer = await until(
        () => api(`${paths.pods}?labelSelector=app=${name}`),
        (pods) => !seen.has(pods.body?.items[0]?.status.containerStatuses?.[0]?.state.waiting?.reason ?? ''),
      );
      await api(`${paths.deployments}/${name}`, { method: 'DELETE' });
      return answer.body.items[0].status.containerStatuses[0].state.waiting.reason;
    };
    expect(await waiting('unknown', 'quay.io/nobody/nothing:1')).toBe('ImagePullBackOff');
    expect(await waiting('misnamed', 'NOT A NAME')).toBe('InvalidImageName');
  });

  describe('watches', () => {
    interface Stream {
      readonly events: {
        type: string;
        object: { metadata: { name: string; resourceVersion: string }; code?: number };
      }[];
      readonly ended: boolean;
    }

    async function watch(query: string, path = paths.configMaps): Promise<Stream> {
      const answer = await api(`${path}?watch=1&${query}`);
      return {
        events: answer.text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
        ended: true,
      };
    }

    it('begin with what is there, follow changes, and end in time', async () => {
      const stream = watch('timeoutSeconds=1&labelSelector=of=watched&allowWatchBookmarks=true');
      await api(paths.configMaps, { method: 'POST', body: configMap('watched') });
      const patch = { method: 'PATCH', type: 'application/merge-patch+json' };
      await api(`${paths.configMaps}/watched`, { ...patch, body: { data: { a: '1' } } });
      await api(`${paths.configMaps}/watched`, { ...patch, body: { metadata: { labels: { of: 'other' } } } });
      const { events } = await stream;
      // Leaving the selector's view is a DELETED for this watch; the last bookmark is where to resume.
      expect(events.map((event) => event.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);
    });

    it('answer a version too old with one ERROR event of status 200', async () => {
      // A server of its own remembers only what it saw itself; the store forgets when it is compacted.
      const fresh = await watch('resourceVersion=2', paths.routes);
      cluster.openshift.compact();
      const forgotten = await watch('resourceVersion=210');
      for (const { events } of [fresh, forgotten]) {
        expect(events).toHaveLength(1);
        expect(events[0]).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
      }
    });

    it('resume after a version without repeating it', async () => {
      const list = await api(paths.configMaps);
      const created = await api(paths.configMaps, { method: 'POST', body: configMap('resumed') });
      const { events } = await watch(
        `timeoutSeconds=1&resourceVersion=${list.body.metadata.resourceVersion}`,
      );
      expect(events.map((event) => event.object.metadata.resourceVersion)).toEqual([
        created.body.metadata.resourceVersion,
      ]);
    });
  });

  describe('faults', () => {
    it('429 with Retry-After, 502 that is not its own, 401 for one call', async () => {
      const { openshift } = cluster;
      openshift.setFault('api-429', true);
      const busy = await api(paths.pods);
      expect([busy.status, busy.headers['retry-after'], busy.body.reason]).toEqual([
        429,
        '1',
        'TooManyRequests',
      ]);
      openshift.setFault('api-429', false);
      openshift.setFault('api-502', true);
      expect((await api(paths.pods)).headers['content-type']).toBe('text/html');
      openshift.setFault('api-502', false);
      openshift.setFault('api-401-once', true);
      expect([(await api(paths.pods)).status, (await api(paths.pods)).status]).toEqual([401, 200]);
    });

    it('are switched by the control port, which says where everything is', async () => {
      const { openshift } = cluster;
      expect((await call(openshift.controlUrl)).body).toMatchObject({
        api: openshift.apiUrl,
        router: openshift.routerUrl,
        token: openshift.token,
      });
      const switched = await call(`${openshift.controlUrl}/faults`, {
        method: 'POST',
        body: { fault: 'api-down', on: true },
      });
      expect(switched.body.on).toEqual(['api-down']);
      await expect(api('/readyz')).rejects.toThrow('ECONNREFUSED');
      await call(`${openshift.controlUrl}/faults`, {
        method: 'POST',
        body: { fault: 'api-down', on: false },
      });
      expect((await api('/readyz')).text).toBe('ok');
      expect(
        (await call(`${openshift.controlUrl}/faults`, { method: 'POST', body: { fault: 'nonsense' } }))
          .status,
      ).toBe(400);
    });

    it('a used-up quota refuses pods and says so in the deployment', async () => {
      cluster.openshift.setFault('quota-exceeded', true);
      await apply(api, paths.services, SERVICE);
      await apply(api, paths.deployments, { ...deployment('nope:1'), metadata: { name: 'greedy' } });
      const refused = await until(
        () => api(`${paths.deployments}/greedy`),
        (answer) =>
          answer.body.status.conditions?.some((found: { type: string }) => found.type === 'ReplicaFailure'),
      );
      const failure = refused.body.status.conditions.find(
        (found: { type: string }) => found.type === 'ReplicaFailure',
      );
      expect(failure.message).toContain('exceeded quota');
      cluster.openshift.setFault('quota-exceeded', false);
      await until(
        () => api(`${paths.pods}?labelSelector=app=app`),
        (answer) => answer.body.items.length === 2,
      );
      await api(`${paths.deployments}/greedy`, { method: 'DELETE' });
    });
  });
});
