import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Foundation, type Json, shop, startFoundation } from './foundation.ts';

describe('revisions and sidecars', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    app = await foundation.push('shop', shop('v1'));
  });
  afterAll(() => foundation.close());

  async function listed(path = 'revisions'): Promise<Json[]> {
    return (await call('GET', `/v3/apps/${app.guid}/${path}`)).body.resources;
  }

  function deploy(wish: object): Promise<Answer> {
    return call('POST', '/v3/deployments', { ...wish, relationships: { app: { data: { guid: app.guid } } } });
  }

  async function deployed(wish: object): Promise<Json> {
    const { body } = await deploy(wish);
    return foundation.until('the deployment', async () => {
      const now = await call('GET', `/v3/deployments/${body.guid}`);
      return now.body.status.value === 'FINALIZED' && now.body;
    });
  }

  it('are kept for each start that differs, and for no other', async () => {
    expect(await listed()).toEqual([
      expect.objectContaining({ version: 1, description: 'Initial revision.' }),
    ]);
    await call('POST', `/v3/apps/${app.guid}/actions/restart`);
    expect(await listed()).toHaveLength(1);
    await call('PATCH', `/v3/apps/${app.guid}/environment_variables`, { var: { MODE: 'loud' } });
    const droplet = { guid: await foundation.stage(app.guid, shop('v2')) };
    const { revision } = await deployed({ droplet });
    expect(revision.version).toBe(2);
    const second = (await listed('revisions?versions=2'))[0];
    expect(second.description).toBe('New droplet deployed. New environment variables deployed.');
    expect((await listed('revisions/deployed')).map((one) => one.version)).toEqual([2]);
    const web = (await call('GET', `/v3/apps/${app.guid}/processes/web`)).body;
    expect(web.relationships.revision.data.guid).toBe(second.guid);
    const variables = await call('GET', `/v3/revisions/${second.guid}/environment_variables`);
    expect(variables.body.var).toEqual({ MODE: 'loud' });
  });

  it('take droplet and environment back together, as a new one', async () => {
    const [first, second] = await listed();
    const same = await deploy({ revision: { guid: second.guid } });
    expect(same.body.errors[0].detail).toBe(
      'Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision.',
    );
    const { revision } = await deployed({ revision: { guid: first.guid } });
    expect(revision.version).toBe(3);
    expect((await listed()).at(-1).description).toContain('Rolled back to revision 1.');
    expect((await foundation.get('shop')).body.version).toBe('v1');
    expect((await foundation.get('shop', '/env')).body).not.toHaveProperty('MODE');
  });

  it('cannot be deployed once their droplet is gone, and are not made where the feature is off', async () => {
    const second = (await listed('revisions?versions=2'))[0];
    await foundation.job(await call('DELETE', `/v3/droplets/${second.droplet.guid}`));
    expect((await call('GET', `/v3/revisions/${second.guid}`)).body.deployable).toBe(false);
    expect((await deploy({ revision: { guid: second.guid } })).body.errors[0].detail).toContain(
      'no longer exists',
    );
    await call('PATCH', `/v3/apps/${app.guid}/features/revisions`, { enabled: false });
    await call('PATCH', `/v3/apps/${app.guid}/environment_variables`, { var: { MODE: 'quiet' } });
    await call('POST', `/v3/apps/${app.guid}/actions/restart`);
    expect(await listed()).toHaveLength(3);
    expect(await listed('revisions/deployed')).toEqual([]);
  });

  it('sidecars run beside each instance from its next start on, and end it when they end', async () => {
    const other = await foundation.push('beside', shop('v1'));
    const sidecar = { name: 'helper', command: 'echo helper is here; sleep 600', process_types: ['web'] };
    const made = await call('POST', `/v3/apps/${other.guid}/sidecars`, sidecar);
    expect([made.status, made.body.origin]).toEqual([201, 'user']);
    expect((await call('POST', `/v3/apps/${other.guid}/sidecars`, sidecar)).status).toBe(422);
    expect((await call('GET', `/v3/processes/${other.guid}/sidecars`)).body.resources).toHaveLength(1);
    await call('POST', `/v3/apps/${other.guid}/actions/restart`);
    const { body } = await call('GET', '/');
    await foundation.until('its words', async () => {
      const read = await call('GET', `${body.links.log_cache.href}/api/v1/read/${other.guid}?limit=1000`);
      return read.body.envelopes.batch.some(
        (one: Json) => Buffer.from(one.log.payload, 'base64').toString() === 'helper is here',
      );
    });
    await call('PATCH', `/v3/sidecars/${made.body.guid}`, { command: 'sleep 0.2' });
    await call('POST', `/v3/apps/${other.guid}/actions/restart`);
    await foundation.until('a crash', async () => {
      const events = await call('GET', `/v3/audit_events?types=app.crash&target_guids=${other.guid}`);
      return events.body.resources.length > 0;
    });
    expect((await call('DELETE', `/v3/sidecars/${made.body.guid}`)).status).toBe(204);
  });
});
