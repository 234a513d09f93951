import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Foundation, type Json, shop, startFoundation } from './foundation.ts';

describe('services', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  let space: Json;
  beforeAll(async () => {
    // Slow enough that what is in progress is still so when it is looked at on a busy machine.
    foundation = await startFoundation({ speed: 0.4 });
    call = foundation.call;
    app = await foundation.push('shop', shop('v1'));
    space = { data: { guid: await foundation.spaceGuid() } };
  });
  afterAll(() => foundation.close());

  async function plan(name: string): Promise<string> {
    const { body } = await call('GET', `/v3/service_plans?names=${name}&include=service_offering`);
    expect(body.included.service_offerings).toHaveLength(1);
    return body.resources[0].guid;
  }

  async function order(name: string, planName: string): Promise<Answer> {
    const relationships = { space, service_plan: { data: { guid: await plan(planName) } } };
    return call('POST', '/v3/service_instances', {
      type: 'managed',
      name,
      relationships,
      parameters: { a: 1 },
    });
  }

  async function named(name: string): Promise<Json> {
    return (await call('GET', `/v3/service_instances?names=${name}`)).body.resources[0];
  }

  function bind(instance: string, extra: object = {}): Promise<Answer> {
    const relationships = {
      app: { data: { guid: app.guid } },
      service_instance: { data: { guid: instance } },
    };
    return call('POST', '/v3/service_credential_bindings', { type: 'app', relationships, ...extra });
  }

  async function environment(): Promise<Json> {
    await call('POST', `/v3/apps/${app.guid}/actions/restart`);
    const body = await foundation.until(
      'the new instance',
      async () => (await foundation.get('shop', '/env')).body,
    );
    return JSON.parse(body.VCAP_SERVICES);
  }

  it('are ordered and bound by jobs that poll the broker, and reach the application when it starts', async () => {
    const ordered = await order('orders', 'small');
    expect([ordered.status, ordered.text]).toEqual([202, '']);
    const instance = await named('orders');
    expect(instance.last_operation).toMatchObject({ type: 'create', state: 'in progress' });
    const early = await bind(instance.guid);
    expect(early.body.errors[0].detail).toBe('There is an operation in progress for the service instance.');
    const busy = await call('PATCH', `/v3/service_instances/${instance.guid}`, { name: 'other' });
    expect([busy.status, busy.body.errors[0].title]).toEqual([
      409,
      'CF-AsyncServiceInstanceOperationInProgress',
    ]);
    const states = new Set<string>();
    await foundation.until('the broker', async () => {
      const { body } = await call('GET', String(ordered.headers.location));
      states.add(body.state);
      return body.state === 'COMPLETE';
    });
    expect(states).toContain('POLLING');
    expect((await named('orders')).last_operation.state).toBe('succeeded');

    const bound = await bind(instance.guid, { name: 'db' });
    expect(bound.status).toBe(202);
    const [binding] = (await call('GET', `/v3/service_credential_bindings?app_guids=${app.guid}`)).body
      .resources;
    expect((await call('GET', `/v3/service_credential_bindings/${binding.guid}/details`)).status).toBe(404);
    expect((await foundation.job(bound)).state).toBe('COMPLETE');
    const details = await call('GET', `/v3/service_credential_bindings/${binding.guid}/details`);
    expect(details.body.credentials).toMatchObject({ uri: expect.stringMatching(/^postgres:\/\//) });
    expect((await bind(instance.guid)).body.errors[0].detail).toBe(
      'The app is already bound to the service instance.',
    );

    expect(JSON.parse((await foundation.get('shop', '/env')).body.VCAP_SERVICES)).toEqual({});
    const [entry] = (await environment()).database;
    expect(entry).toMatchObject({
      name: 'db',
      instance_name: 'orders',
      plan: 'small',
      tags: ['relational', 'sql'],
    });
    expect(entry.credentials).toEqual(details.body.credentials);
    const env = (await call('GET', `/v3/apps/${app.guid}/env`)).body;
    expect(env.system_env_json.VCAP_SERVICES.database).toHaveLength(1);

    const unbound = await call('DELETE', `/v3/service_credential_bindings/${binding.guid}`);
    expect(unbound.status).toBe(202);
    await foundation.job(unbound);
    expect(await environment()).toEqual({});
    const deleted = await call('DELETE', `/v3/service_instances/${instance.guid}`);
    expect(await foundation.job(deleted)).toMatchObject({
      operation: 'service_instance.delete',
      state: 'COMPLETE',
    });
    expect(await named('orders')).toBeUndefined();
  });

  it('fail in their job and in their last operation when the broker refuses', async () => {
    const ordered = await order('never', 'out-of-stock');
    expect(await foundation.job(ordered)).toMatchObject({
      state: 'FAILED',
      errors: [
        { code: 10009, title: 'CF-UnableToPerform', detail: 'create could not be completed: out of stock' },
      ],
    });
    const instance = await named('never');
    expect(instance.last_operation).toMatchObject({ state: 'failed', description: 'out of stock' });
    expect((await bind(instance.guid)).body.errors[0].detail).toBe('Service instance not found');
  });

  it('provided by the user are there at once, and their credentials can be changed', async () => {
    const wish = {
      type: 'user-provided',
      name: 'legacy',
      relationships: { space },
      credentials: { key: 'one' },
    };
    const made = await call('POST', '/v3/service_instances', wish);
    expect([made.status, made.body.type]).toEqual([201, 'user-provided']);
    const twice = await call('POST', '/v3/service_instances', wish);
    expect(twice.body.errors[0].detail).toBe('The service instance name is taken: legacy.');
    const self = `/v3/service_instances/${made.body.guid}`;
    expect((await call('GET', `${self}/credentials`)).body).toEqual({ key: 'one' });
    expect((await bind(made.body.guid)).status).toBe(201);
    await call('PATCH', self, { credentials: { key: 'two' } });
    const services = await environment();
    expect(services['user-provided']).toEqual([
      expect.objectContaining({ name: 'legacy', credentials: { key: 'two' } }),
    ]);
    const key = await bind(made.body.guid, { type: 'key', name: 'k' });
    expect(key.body.errors[0].detail).toContain('not supported for user-provided');
    expect((await call('DELETE', self)).status).toBe(204);
    expect((await call('GET', '/v3/service_credential_bindings')).body.resources).toEqual([]);
  });

  it('bring volumes, and keys that no application has', async () => {
    await foundation.job(await order('files', 'existing'));
    const files = await named('files');
    await foundation.job(await bind(files.guid));
    const [binding] = (await call('GET', `/v3/service_credential_bindings?app_guids=${app.guid}`)).body
      .resources;
    const details = await call('GET', `/v3/service_credential_bindings/${binding.guid}/details`);
    expect(details.body.volume_mounts[0]).toMatchObject({ mode: 'rw', device_type: 'shared' });
    await foundation.job(await order('cached', 'shared'));
    const cached = await named('cached');
    const relationships = { service_instance: { data: { guid: cached.guid } } };
    const key = { type: 'key', name: 'tools', relationships };
    await foundation.job(await call('POST', '/v3/service_credential_bindings', key));
    const listed = await call('GET', '/v3/service_credential_bindings?type=key&include=service_instance');
    expect(listed.body.resources[0].relationships).not.toHaveProperty('app');
    expect(listed.body.included.service_instances[0].name).toBe('cached');
    const summary = await call('GET', `/v3/spaces/${space.data.guid}/usage_summary`);
    expect(summary.body.usage_summary).toMatchObject({ service_keys: 1 });
  });

  it('are listed with the fields a client asks for', async () => {
    const query =
      'fields[service_plan]=guid,name,relationships.service_offering&fields[service_plan.service_offering]=guid,name' +
      `&space_guids=${space.data.guid}&order_by=name`;
    const { body } = await call('GET', `/v3/service_instances?${query}`);
    expect(body.included.service_offerings).toContainEqual({ guid: expect.any(String), name: 'cache' });
    const [first] = body.included.service_plans;
    expect(Object.keys(first).sort()).toEqual(['guid', 'name', 'relationships']);
  });

  it('are bound by a manifest', async () => {
    const yaml = 'applications: [{name: shop, no-route: true, services: [cached]}]';
    const answer = await call('POST', `/v3/spaces/${space.data.guid}/actions/apply_manifest`, yaml, {
      'content-type': 'application/x-yaml',
    });
    expect(await foundation.job(answer)).toMatchObject({ state: 'COMPLETE' });
    await foundation.until('the binding', async () => {
      const { body } = await call(
        'GET',
        `/v3/service_credential_bindings?app_guids=${app.guid}&service_instance_names=cached`,
      );
      return body.resources[0]?.last_operation.state === 'succeeded';
    });
  });
});
