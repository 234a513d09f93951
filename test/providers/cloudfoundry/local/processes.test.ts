import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, type Json, shop, startFoundation } from './foundation.ts';

describe('processes and their instances', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    app = await foundation.push('shop', shop('v1'), 2);
  });
  afterAll(() => foundation.close());

  async function stats(guid = app.guid): Promise<Json[]> {
    return (await call('GET', `/v3/apps/${guid}/processes/web/stats`)).body.resources;
  }

  it('scales live with 202 and the process, and takes instances out again', async () => {
    const up = await call('POST', `/v3/processes/${app.guid}/actions/scale`, { instances: 3 });
    expect([up.status, up.body.instances]).toEqual([202, 3]);
    await foundation.until('a third instance', async () => {
      const all = await stats();
      return all.length === 3 && all.every((one) => one.state === 'RUNNING');
    });
    await call('POST', `/v3/apps/${app.guid}/processes/web/actions/scale`, { instances: 1 });
    expect(await stats()).toHaveLength(1);
    for (let i = 0; i < 6; i++) expect((await foundation.get('shop')).body.index).toBe('0');
    await call('POST', `/v3/processes/${app.guid}/actions/scale`, { instances: 2 });
    await foundation.until('two instances', async () => (await stats()).every((one) => one.routable));
  });

  it('restarts a crashed instance at once and leaves an audit event', async () => {
    const before = new Set((await stats()).map((one) => one.instance_guid));
    const crash = await foundation.get('shop', '/crash');
    expect([crash.status, crash.headers['x-cf-routererror']]).toEqual([
      502,
      expect.stringMatching(/^endpoint_failure/),
    ]);
    await foundation.until('a new instance', async () => {
      const all = await stats();
      return all.every((one) => one.routable) && all.some((one) => !before.has(one.instance_guid));
    });
    const events = await call('GET', `/v3/audit_events?types=app.crash&target_guids=${app.guid}`);
    expect(events.body.resources[0].data).toMatchObject({ exit_description: 'exited with code 3' });
  });

  it('replaces an instance that is asked to go', async () => {
    const [first] = await stats();
    const gone = await call('DELETE', `/v3/processes/${app.guid}/instances/0`);
    expect(gone.status).toBe(204);
    await foundation.until('its successor', async () => {
      const [next] = await stats();
      return next.state === 'RUNNING' && next.instance_guid !== first.instance_guid;
    });
    expect((await call('DELETE', `/v3/processes/${app.guid}/instances/9`)).status).toBe(404);
  });

  it('goes from RUNNING to CRASHED with a back-off when the new settings cannot work', async () => {
    const other = await foundation.push('crasher', shop('v1'));
    const patch = await call('PATCH', `/v3/processes/${other.guid}`, { command: 'exit 7' });
    expect(patch.body.command).toBe('exit 7');
    expect((await foundation.get('crasher')).status).toBe(200);
    await call('POST', `/v3/apps/${other.guid}/actions/restart`);
    const crashed = await foundation.until('the back-off', async () => {
      const [one] = await stats(other.guid);
      return one.state === 'CRASHED' && one;
    });
    expect(crashed).toMatchObject({ routable: false, details: 'exited with code 7' });
    const router = (await foundation.get('crasher')).headers['x-cf-routererror'];
    expect(['no_endpoints', 'unknown_route']).toContain(router);
  });

  it('holds an instance that is not ready out of the router without restarting it', async () => {
    const files = shop('v1');
    const slow = { ...files, 'server.js': readiness };
    const other = await foundation.createApp('slow');
    const droplet = await foundation.stage(other.guid, slow);
    await call('PATCH', `/v3/apps/${other.guid}/relationships/current_droplet`, { data: { guid: droplet } });
    await call('PATCH', `/v3/processes/${other.guid}`, {
      readiness_health_check: { type: 'http', data: { endpoint: '/ready' } },
    });
    await foundation.mapRoute(other.guid, 'slow');
    await call('POST', `/v3/apps/${other.guid}/actions/start`);
    const running = await foundation.until('a running instance', async () => {
      const [one] = await stats(other.guid);
      return one.state === 'RUNNING' && one;
    });
    expect(running.routable).toBe(false);
    const ready = await foundation.until('readiness', async () => {
      const [one] = await stats(other.guid);
      return one.routable && one;
    });
    expect(ready.instance_guid).toBe(running.instance_guid);
  });

  it('shows missing instances of a stopped app as DOWN, and none to the router', async () => {
    await call('POST', `/v3/apps/${app.guid}/actions/stop`);
    expect(await stats()).toEqual([0, 1].map((index) => expect.objectContaining({ index, state: 'DOWN' })));
    const answer = await foundation.get('shop');
    expect([answer.status, answer.headers['x-cf-routererror']]).toEqual([503, 'no_endpoints']);
    await foundation.until('the route to be forgotten', async () => {
      const later = await foundation.get('shop');
      return later.status === 404 && later.headers['x-cf-routererror'] === 'unknown_route';
    });
  });
});

const readiness = `
  import('node:http').then((http) => {
    const started = Date.now();
    http.createServer((req, res) => {
      res.statusCode = req.url === '/ready' && Date.now() - started < 250 ? 503 : 200;
      res.end();
    }).listen(process.env.PORT);
  });
`;
