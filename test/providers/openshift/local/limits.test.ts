import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  type Api,
  client,
  deployment,
  NS,
  paths,
  SERVER,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';

const IMAGE = 'registry.example/app:1';

describe('what the local OpenShift lets nobody have', () => {
  let cluster: TestCluster;
  let api: Api;
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'sluice-limits-'));
    const image = join(home, 'image');
    await mkdir(image);
    await writeFile(join(image, 'server.js'), SERVER);
    cluster = await startCluster(0.05, { foreignImages: { [IMAGE]: image } });
    api = client(cluster.openshift);
  });
  afterAll(async () => {
    await cluster.close();
    await rm(home, { recursive: true, force: true });
  });

  /** The administrator's: a project's own accounts may not raise their quotas on the real one. */
  function limit(plural: string, spec: object): Promise<Answer> {
    const token = cluster.openshift.tokenFor('admin', ['system:masters']);
    const path = `/api/v1/namespaces/${NS}/${plural}`;
    return api(path, { method: 'POST', token, body: { metadata: { name: 'limits' }, spec } });
  }

  function lift(plural: string): Promise<Answer> {
    const token = cluster.openshift.tokenFor('admin', ['system:masters']);
    return api(`/api/v1/namespaces/${NS}/${plural}/limits`, { method: 'DELETE', token });
  }

  async function refusalOf(container: object): Promise<string> {
    await api(paths.deployments, { method: 'POST', body: deployment(IMAGE, {}, container) });
    const refused = await until(
      () => api(`${paths.deployments}/app`),
      (answer) => failure(answer) !== undefined,
    );
    await api(`${paths.deployments}/app`, { method: 'DELETE' });
    await until(
      () => api(paths.replicaSets),
      (answer) => answer.body.items.length === 0,
    );
    return failure(refused) ?? '';
  }

  function failure(answer: Answer): string | undefined {
    const conditions: { type: string; message: string }[] = answer.body?.status?.conditions ?? [];
    return conditions.find(({ type }) => type === 'ReplicaFailure')?.message;
  }

  it('pods as a user of their own choice, or with privileges', async () => {
    const message = await refusalOf({ securityContext: { runAsUser: 0, privileged: true } });
    expect(message).toContain('unable to validate against any security context constraint');
    expect(message).toContain(
      'provider restricted-v2: .containers[0].runAsUser: Invalid value: 0: must be in the ranges',
    );
    expect(message).toContain(
      '.containers[0].privileged: Invalid value: true: Privileged containers are not allowed',
    );
  });

  it('a quota of their own choice: the project’s accounts may only look at it', async () => {
    const path = `/api/v1/namespaces/${NS}/resourcequotas`;
    await limit('resourcequotas', { hard: { pods: '100' } });
    expect((await api(`${path}/limits`)).status).toBe(200);
    const refused = await api(`${path}/limits`, { method: 'DELETE' });
    expect([refused.status, refused.body.message]).toEqual([
      403,
      `resourcequotas "limits" is forbidden: User "system:serviceaccount:${NS}:deployer" cannot delete resource "resourcequotas" in API group "" in the namespace "${NS}"`,
    ]);
    expect((await lift('resourcequotas')).status).toBe(200);
  });

  it('more memory than a quota has left, nor pods that do not say how much they want', async () => {
    await limit('resourcequotas', { hard: { 'limits.memory': '256Mi' } });
    expect(await refusalOf({ resources: { limits: { memory: '512Mi' } } })).toMatch(
      /is forbidden: exceeded quota: limits, requested: limits\.memory=512Mi, used: limits\.memory=0, limited: limits\.memory=256Mi$/,
    );
    expect(await refusalOf({})).toContain('failed quota: limits: must specify limits.memory for: app');
    await lift('resourcequotas');
  });

  it('containers above a limit range; those that say nothing get its default', async () => {
    await limit('limitranges', {
      limits: [{ type: 'Container', max: { memory: '256Mi' }, default: { memory: '128Mi' } }],
    });
    expect(await refusalOf({ resources: { limits: { memory: '1Gi' } } })).toContain(
      'maximum memory usage per Container is 256Mi, but limit is 1Gi',
    );
    await api(paths.deployments, { method: 'POST', body: deployment(IMAGE) });
    const pods = await until(
      () => api(paths.pods),
      (answer) => answer.body.items.length === 2,
    );
    expect(pods.body.items[0].spec.containers[0].resources).toEqual({
      limits: { memory: '128Mi' },
      requests: { memory: '128Mi' },
    });
    await lift('limitranges');
  });
});
