import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Api,
  call,
  client,
  deployment,
  NS,
  paths,
  SERVER,
  SERVICE,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';

const IMAGE = 'registry.example/app:1';
const INGRESS = `/apis/networking.k8s.io/v1/namespaces/${NS}/ingresses`;
const HOST = 'app.ingress.test';

describe.each(['openshift', 'kubernetes'] as const)('an Ingress, mode %s', (mode) => {
  let cluster: TestCluster;
  let api: Api;
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'sluice-ingress-'));
    const image = join(home, 'image');
    await mkdir(image);
    await writeFile(join(image, 'server.js'), SERVER);
    cluster = await startCluster(0.05, { mode, foreignImages: { [IMAGE]: image } });
    api = client(cluster.openshift);
    await api(paths.deployments, { method: 'POST', body: deployment(IMAGE) });
    await api(paths.services, { method: 'POST', body: SERVICE });
  });
  afterAll(async () => {
    await cluster.close();
    await rm(home, { recursive: true, force: true });
  });

  function statusIs(status: number): Promise<unknown> {
    return until(
      () => call(cluster.openshift.routerUrl, { headers: { host: HOST } }),
      (answer) => answer.status === status,
    );
  }

  it('is served by the router, told its address, and gone with its routes', async () => {
    const backend = { service: { name: 'app', port: { name: 'http' } } };
    await api(INGRESS, {
      method: 'POST',
      body: {
        metadata: { name: 'app' },
        spec: { rules: [{ host: HOST, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
      },
    });
    await statusIs(200);
    const { body } = await api(`${INGRESS}/app`);
    expect(body.status.loadBalancer.ingress).toEqual([{ hostname: 'router-default.apps.ocp.localhost' }]);
    await api(`${INGRESS}/app`, { method: 'DELETE' });
    await statusIs(503);
  });

  it(
    mode === 'openshift' ? 'becomes a Route' : 'is all there is: the group of routes is unknown',
    async () => {
      const routes = await api(paths.routes);
      expect([routes.status, routes.headers['content-type']]).toEqual(
        mode === 'openshift' ? [200, 'application/json'] : [404, 'text/plain; charset=utf-8'],
      );
    },
  );
});
