import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, call, client, deployApp, HOST, paths, startCluster, type TestCluster } from './cluster.ts';

describe('an application on the local OpenShift', () => {
  let cluster: TestCluster;
  let api: Api;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
    await deployApp(cluster.openshift, api);
  });
  afterAll(() => cluster.close());

  it('is built, rolled out, exposed and answers through the router', async () => {
    const answer = await call(`${cluster.openshift.routerUrl}/hello?x=1`, { headers: { host: HOST } });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-release']).toBe('r-0123456789');
    expect(answer.body.url).toBe('/hello?x=1');
    const pods = await api(paths.pods);
    expect(pods.body.items).toHaveLength(2);
    expect(pods.body.items.map((pod: { metadata: { name: string } }) => pod.metadata.name)).toContain(
      answer.body.host,
    );
  });
});
