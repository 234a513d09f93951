import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, type Json, shop, startFoundation } from './foundation.ts';

describe('rolling deployments', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
  });
  afterAll(() => foundation.close());

  function deploy(app: string, droplet: string, extra: object = {}): ReturnType<Foundation['call']> {
    return call('POST', '/v3/deployments', {
      droplet: { guid: droplet },
      strategy: 'rolling',
      relationships: { app: { data: { guid: app } } },
      ...extra,
    });
  }

  async function deployment(guid: string): Promise<Json> {
    return (await call('GET', `/v3/deployments/${guid}`)).body;
  }

  function ended(guid: string): Promise<Json> {
    return foundation.until('the deployment', async () => {
      const body = await deployment(guid);
      return body.status.value === 'FINALIZED' && body;
    });
  }

  it('replaces all instances without a failed request', async () => {
    const app = await foundation.push('shop', shop('v1'), 2);
    const droplet = await foundation.stage(app.guid, shop('v2'));
    const seen = new Set<string>();
    let stop = false;
    const load = (async () => {
      while (!stop) {
        const answer = await foundation.get('shop');
        seen.add(`${answer.status} ${answer.body?.version}`);
      }
    })();
    const created = await deploy(app.guid, droplet, {
      options: {
        max_in_flight: 1,
        web_instances: null,
        memory_in_mb: null,
        disk_in_mb: null,
        log_rate_limit_in_bytes_per_second: null,
      },
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      status: { value: 'ACTIVE', reason: 'DEPLOYING' },
      options: { max_in_flight: 1 },
      links: { cancel: { method: 'POST' } },
    });
    const during = await call('GET', `/v3/apps/${app.guid}/processes?types=web`);
    expect(during.body.resources).toHaveLength(2);
    const newest = await call('GET', `/v3/apps/${app.guid}/processes/web`);
    expect(newest.body.guid).toBe(created.body.new_processes[0].guid);
    const scaled = await call('POST', `/v3/processes/${app.guid}/actions/scale`, { instances: 5 });
    expect([scaled.status, scaled.body.errors[0].code]).toEqual([422, 390016]);
    const done = await ended(created.body.guid);
    stop = true;
    await load;
    expect(done.status.reason).toBe('DEPLOYED');
    expect(done.links).not.toHaveProperty('cancel');
    expect([...seen].sort()).toEqual(['200 v1', '200 v2']);
    const after = await call('GET', `/v3/apps/${app.guid}/processes?types=web`);
    expect(after.body.resources).toHaveLength(1);
    expect(after.body.resources[0]).toMatchObject({
      guid: created.body.new_processes[0].guid,
      instances: 2,
    });
    expect((await foundation.get('shop')).body.version).toBe('v2');
  });

  it('keeps deploying for ever when the new version crashes, until it is canceled', async () => {
    const app = await foundation.push('fragile', shop('v1'));
    const broken = { ...shop('v2'), 'server.js': 'process.exit(1)' };
    const droplet = await foundation.stage(app.guid, broken);
    const { body } = await deploy(app.guid, droplet);
    const hint = await foundation.until('the hint', async () => {
      const now = await deployment(body.guid);
      return now.status.details.error !== undefined && now;
    });
    expect(hint.status).toMatchObject({ value: 'ACTIVE', reason: 'DEPLOYING' });
    expect((await foundation.get('fragile')).body.version).toBe('v1');
    const canceled = await call('POST', `/v3/deployments/${body.guid}/actions/cancel`);
    expect([canceled.status, canceled.text]).toEqual([200, '']);
    expect((await deployment(body.guid)).status.reason).toBe('CANCELING');
    expect((await ended(body.guid)).status.reason).toBe('CANCELED');
    const again = await call('POST', `/v3/deployments/${body.guid}/actions/cancel`);
    expect(again.body.errors[0].detail).toBe(
      'Cannot cancel a deployment with status: FINALIZED and reason: CANCELED',
    );
    const current = await call('GET', `/v3/apps/${app.guid}/droplets/current`);
    expect(current.body.guid).toBe(body.previous_droplet.guid);
    expect((await foundation.get('fragile')).body.version).toBe('v1');
  });

  it('is superseded by the next one', async () => {
    const app = await foundation.push('train', shop('v1'));
    const broken = await foundation.stage(app.guid, { ...shop('v2'), 'server.js': 'process.exit(1)' });
    const good = await foundation.stage(app.guid, shop('v3'));
    const first = await deploy(app.guid, broken);
    const second = await deploy(app.guid, good);
    expect((await deployment(first.body.guid)).status).toMatchObject({
      value: 'FINALIZED',
      reason: 'SUPERSEDED',
    });
    expect((await ended(second.body.guid)).status.reason).toBe('DEPLOYED');
    const web = await call('GET', `/v3/apps/${app.guid}/processes?types=web`);
    expect(web.body.resources).toHaveLength(1);
    expect((await foundation.get('train')).body.version).toBe('v3');
  });

  it('only starts an app that is stopped', async () => {
    const app = await foundation.createApp('sleeper');
    const droplet = await foundation.stage(app.guid, shop('v1'));
    const { body } = await deploy(app.guid, droplet);
    expect(body.status).toMatchObject({ value: 'FINALIZED', reason: 'DEPLOYED' });
    expect((await call('GET', `/v3/apps/${app.guid}`)).body.state).toBe('STARTED');
  });

  it('pauses a canary at each step and goes on when told', async () => {
    const app = await foundation.push('canary', shop('v1'), 2);
    const droplet = await foundation.stage(app.guid, shop('v2'));
    const { body } = await deploy(app.guid, droplet, {
      strategy: 'canary',
      options: { max_in_flight: 2, canary: { steps: [{ instance_weight: 50 }] } },
    });
    const paused = await foundation.until('the pause', async () => {
      const now = await deployment(body.guid);
      return now.status.reason === 'PAUSED' && now;
    });
    expect(paused.status.canary).toEqual({ steps: { current: 1, total: 1 } });
    expect(paused.links.continue.method).toBe('POST');
    const versions = new Set<string>();
    for (let i = 0; i < 6; i++) versions.add((await foundation.get('canary')).body.version);
    expect([...versions].sort()).toEqual(['v1', 'v2']);
    await call('POST', `/v3/deployments/${body.guid}/actions/continue`);
    expect((await ended(body.guid)).status.reason).toBe('DEPLOYED');
    const late = await call('POST', `/v3/deployments/${body.guid}/actions/continue`);
    expect(late.status).toBe(422);
  });

  it('refuses what the real one refuses', async () => {
    const { guid } = await foundation.createApp('refused');
    const details = async (body: object): Promise<string> => {
      const answer = await call('POST', '/v3/deployments', body);
      expect(answer.status).toBe(422);
      return answer.body.errors[0].detail;
    };
    const relationships = { app: { data: { guid } } };
    expect(await details({ relationships, droplet: { guid: 'a' }, revision: { guid: 'b' } })).toBe(
      "Cannot set both fields 'droplet' and 'revision'",
    );
    expect(await details({ relationships, strategy: 'blue-green' })).toContain(
      "'blue-green' is not a supported deployment strategy",
    );
    expect(await details({ relationships: { app: { data: { guid: 'none' } } } })).toBe(
      'Unable to use app. Ensure that the app exists and you have access to it.',
    );
  });
});
