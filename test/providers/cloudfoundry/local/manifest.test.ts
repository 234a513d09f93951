import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Foundation, shop, startFoundation } from './foundation.ts';

const manifest = `applications:
- name: demo
  instances: 2
  memory: 64M
  default-route: true
  env:
    A: "1"
    DEBUG: true
`;

describe('manifests, as cf push sends them', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let space: string;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    space = `/v3/spaces/${await foundation.spaceGuid()}`;
  });
  afterAll(() => foundation.close());

  function yaml(path: string, text: string): Promise<Answer> {
    return call('POST', `${space}/${path}`, text, { 'content-type': 'application/x-yaml' });
  }

  it('create the app at once and apply the rest in a job', async () => {
    const diff = await yaml('manifest_diff', manifest);
    expect([diff.status, diff.body]).toEqual([
      201,
      { diff: [{ op: 'add', path: '/applications/0/name', value: 'demo' }] },
    ]);
    const answer = await yaml('actions/apply_manifest', manifest);
    expect([answer.status, answer.text]).toEqual([202, '']);
    const { resources } = (await call('GET', '/v3/apps?names=demo')).body;
    expect(resources).toHaveLength(1);
    expect(await foundation.job(answer)).toMatchObject({ state: 'COMPLETE' });
    const { guid } = resources[0];
    const web = (await call('GET', `/v3/apps/${guid}/processes/web`)).body;
    expect(web).toMatchObject({ instances: 2, memory_in_mb: 64 });
    const env = (await call('GET', `/v3/apps/${guid}/environment_variables`)).body;
    expect(env.var).toEqual({ A: '1', DEBUG: 'true' });
    const droplet = await foundation.stage(guid, shop('v1'));
    await call('PATCH', `/v3/apps/${guid}/relationships/current_droplet`, { data: { guid: droplet } });
    await call('POST', `/v3/apps/${guid}/actions/restart`);
    await foundation.until('an answer', async () => (await foundation.get('demo')).status === 200);
  });

  it('change nothing when applied again, and show what would change', async () => {
    await foundation.job(await yaml('actions/apply_manifest', manifest));
    expect((await call('GET', '/v3/routes?hosts=demo')).body.resources).toHaveLength(1);
    const diff = await yaml('manifest_diff', manifest.replace('instances: 2', 'instances: 3'));
    expect(diff.body.diff).toEqual([{ op: 'replace', path: '/applications/0/instances', was: 2, value: 3 }]);
  });

  it('report what fails by application, in a job that is answered with 200', async () => {
    const answer = await yaml(
      'actions/apply_manifest',
      'applications: [{name: other, routes: [{route: a.b.c}]}]',
    );
    const job = await foundation.job(answer);
    expect(job).toMatchObject({
      state: 'FAILED',
      errors: [{ detail: "For application 'other': The route 'a.b.c' did not match any existing domains." }],
    });
  });

  it('are refused when they are no YAML or say what is not understood', async () => {
    const json = await call('POST', `${space}/manifest_diff`, {});
    expect([json.status, json.body.errors[0].detail]).toEqual([
      400,
      'Bad request: Content-Type must be yaml',
    ]);
    expect((await yaml('manifest_diff', 'applications: [{name: x, colour: red}]')).status).toBe(422);
    expect((await yaml('manifest_diff', 'applications: [')).status).toBe(400);
  });
});
