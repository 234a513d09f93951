import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Api,
  appBundle,
  bundle,
  client,
  NS,
  paths,
  prepareBuild,
  startCluster,
  type TestCluster,
  until,
  upload,
} from './cluster.ts';

describe('binary builds', () => {
  let cluster: TestCluster;
  let api: Api;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
  });
  afterAll(() => cluster.close());

  function phase(name: string, wanted: string): ReturnType<typeof until> {
    return until(
      () => api(`${paths.builds}/${name}`),
      (answer) => answer.body?.status?.phase === wanted,
    );
  }

  it('answer 404 for no configuration and 405 for no upload', async () => {
    const none = await api(`${paths.buildConfigs}/none/instantiatebinary?name=none`, {
      method: 'POST',
      body: Buffer.from('x'),
    });
    expect([none.status, none.body.message]).toEqual([
      404,
      'buildconfigs.build.openshift.io "none" not found',
    ]);
    expect((await api(`${paths.buildConfigs}/none/instantiatebinary`)).status).toBe(405);
  });

  it('answer 201 with the running build after the whole body, then go on to an image', async () => {
    await prepareBuild(api);
    const started = await upload(api, await appBundle());
    expect(started.status).toBe(201);
    expect(started.body).toMatchObject({
      kind: 'Build',
      metadata: { name: 'app-1', labels: { buildconfig: 'app', 'openshift.io/build-config.name': 'app' } },
      status: { phase: 'Running' },
    });
    const log = await api(`${paths.builds}/app-1/log?follow=true`);
    expect(log.headers['content-type']).toBe('application/octet-stream');
    expect(log.text).toContain('Push successful');
    const done = await phase('app-1', 'Complete');
    const digest = done.body.status.output.to.imageDigest;
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(done.body.status.outputDockerImageReference).toBe(
      `image-registry.openshift-image-registry.svc:5000/${NS}/app:latest`,
    );
    const tag = await api(`${paths.imageStreamTags}/app:latest`);
    expect(tag.body.image.dockerImageReference).toBe(
      `image-registry.openshift-image-registry.svc:5000/${NS}/app@${digest}`,
    );
  });

  it('fail with the reason and the log of what was missing', async () => {
    const started = await upload(api, await bundle({ 'readme.txt': 'no package.json here' }));
    const failed = await phase(started.body.metadata.name, 'Failed');
    expect(failed.body.status).toMatchObject({
      reason: 'AssembleFailed',
      logSnippet: expect.stringContaining('exit status'),
    });
    expect((await api(`${paths.builds}/${started.body.metadata.name}/log`)).text).toContain('package.json');
  });

  it('fail on an upload that is no archive', async () => {
    const started = await upload(api, Buffer.from('not an archive at all'));
    const failed = await phase(started.body.metadata.name, 'Failed');
    expect(failed.body.status.reason).toBe('FetchSourceFailed');
  });

  it('leave the body unread until the build pod runs', async () => {
    cluster.openshift.setFault('quota-exceeded', true);
    const sent = upload(api, await appBundle());
    const stuck = await until(
      () => api(`${paths.builds}?labelSelector=buildconfig=app`),
      (answer) =>
        answer.body.items.some(
          (item: { status: { reason?: string } }) => item.status.reason === 'CannotCreateBuildPod',
        ),
    );
    const name = stuck.body.items.find((item: { status: { phase: string } }) => item.status.phase === 'New')
      .metadata.name;
    await api(`${paths.builds}/${name}`, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { status: { cancelled: true } },
    });
    cluster.openshift.setFault('quota-exceeded', false);
    const answer = await sent;
    expect([answer.status, answer.body.message]).toEqual([
      400,
      `build ${name} was cancelled: No logs are available.`,
    ]);
    await phase(name, 'Cancelled');
  });

  it('are cancelled when the client goes away', async () => {
    const before = (await api(`${paths.buildConfigs}/app`)).body.status.lastVersion;
    const url = new URL(`${cluster.openshift.apiUrl}${paths.buildConfigs}/app/instantiatebinary?name=app`);
    const outgoing = request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${cluster.openshift.token}` },
    });
    outgoing.on('error', () => undefined);
    outgoing.write('the beginning of a body that never ends');
    await until(
      () => api(`${paths.builds}/app-${before + 1}`),
      (answer) => answer.status === 200,
    );
    outgoing.destroy();
    await phase(`app-${before + 1}`, 'Cancelled');
  });

  it('all fail when told to', async () => {
    cluster.openshift.setFault('build-fails', true);
    const started = await upload(api, await appBundle());
    expect((await phase(started.body.metadata.name, 'Failed')).body.status.reason).toBe('AssembleFailed');
    cluster.openshift.setFault('build-fails', false);
  });
});
