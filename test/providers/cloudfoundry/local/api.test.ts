import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, type Json, send, shop, startFoundation } from './foundation.ts';

describe('the local Cloud Controller', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
  });
  afterAll(() => foundation.close());

  function error(code: number, title: string, detail: unknown): object {
    return { errors: [{ code, title, detail }] };
  }

  it('answers what it does not know with 404 Unknown request', async () => {
    const answer = await call('GET', '/v3/nothing_of_the_kind');
    expect([answer.status, answer.body]).toEqual([404, error(10000, 'CF-NotFound', 'Unknown request')]);
  });

  it('answers missing resources with 404 and the name of the resource', async () => {
    const answer = await call('GET', '/v3/apps/none');
    expect([answer.status, answer.body]).toEqual([404, error(10010, 'CF-ResourceNotFound', 'App not found')]);
  });

  it('refuses unknown query parameters, bad pages and bodies that are no JSON', async () => {
    const query = await call('GET', '/v3/apps?nmaes=x');
    expect([query.status, query.body]).toEqual([
      400,
      error(10005, 'CF-BadQueryParameter', expect.stringContaining("Unknown query parameter(s): 'nmaes'")),
    ]);
    expect((await call('GET', '/v3/apps?per_page=5001')).status).toBe(400);
    expect((await call('GET', '/v3/apps?page=0')).status).toBe(400);
    expect((await call('GET', '/v3/apps?order_by=color')).status).toBe(400);
    const body = await call('POST', '/v3/apps', '{"name":');
    expect([body.status, body.body.errors[0].code]).toEqual([400, 1001]);
  });

  it('names what is wrong with a body', async () => {
    const missing = await call('POST', '/v3/apps', { relationships: {} });
    expect(missing.status).toBe(422);
    expect(missing.body.errors[0]).toMatchObject({ code: 10008, title: 'CF-UnprocessableEntity' });
    expect(missing.body.errors[0].detail).toContain("Name can't be blank");
    const unknown = await call('POST', '/v3/packages', { color: 'red' });
    expect(unknown.body.errors[0].detail).toContain("Unknown field(s): 'color'");
  });

  it('carries rate-limit headers on counted answers and a request id on all', async () => {
    const counted = await call('GET', '/v3/apps');
    expect(counted.headers).toMatchObject({
      'x-ratelimit-limit': '20000',
      'x-ratelimit-remaining': '18000',
      'x-ratelimit-reset': expect.stringMatching(/^\d{10}$/),
      'x-vcap-request-id': expect.any(String),
    });
    const root = await send('GET', foundation.cf.apiUrl, {});
    expect(root.headers).not.toHaveProperty('x-ratelimit-limit');
    expect(root.headers).toHaveProperty('x-vcap-request-id');
  });

  it('pages, filters, orders and selects by label', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) {
      const app = await foundation.createApp(name, { metadata: { labels: { set: 'pages', own: name } } });
      expect(app.state).toBe('STOPPED');
    }
    const first = await call('GET', '/v3/apps?label_selector=set%3Dpages&order_by=-created_at&per_page=2');
    expect(first.body.resources.map((app: Json) => app.name)).toEqual(['page-c', 'page-b']);
    expect(first.body.pagination).toMatchObject({ total_results: 3, total_pages: 2, previous: null });
    const second = await call('GET', first.body.pagination.next.href);
    expect(second.body.resources.map((app: Json) => app.name)).toEqual(['page-a']);
    expect(second.body.pagination.next).toBeNull();
    expect(second.body.pagination.previous.href).toContain('page=1');
    const named = await call('GET', '/v3/apps?names=page-a,page-c&order_by=name');
    expect(named.body.resources.map((app: Json) => app.name)).toEqual(['page-a', 'page-c']);
    const own = await call('GET', '/v3/apps?label_selector=own%20in%20(page-b)');
    expect(own.body.pagination.total_results).toBe(1);
    const bad = await call('GET', '/v3/apps?label_selector=own%20in%20page-b');
    expect(bad.status).toBe(400);
    const dated = await call('GET', '/v3/apps?created_ats[gt]=2999-01-01T00:00:00Z');
    expect(dated.body.pagination.total_results).toBe(0);
  });

  it('adds what the listed ones are related to, once each', async () => {
    await foundation.createApp('related');
    const apps = await call('GET', '/v3/apps?include=space,space.organization');
    expect(apps.body.included.spaces.map((one: Json) => one.name)).toEqual(['dev']);
    expect(apps.body.included.organizations.map((one: Json) => one.name)).toEqual(['demo']);
    const spaces = await call('GET', '/v3/spaces?include=organization');
    expect(spaces.body.included.organizations).toHaveLength(1);
    expect((await call('GET', '/v3/apps')).body).not.toHaveProperty('included');
  });

  it('keeps names unique in a space, and says so with 10016', async () => {
    const app = await foundation.createApp('unique');
    expect(app.guid).toBeDefined();
    const twice = await foundation.createApp('unique');
    expect(twice).toEqual(error(10016, 'CF-UniquenessError', "App with the name 'unique' already exists."));
  });

  it('merges environment variables and metadata; null removes', async () => {
    const { guid } = await foundation.createApp('environment');
    await call('PATCH', `/v3/apps/${guid}/environment_variables`, { var: { A: '1', B: '2' } });
    const env = await call('PATCH', `/v3/apps/${guid}/environment_variables`, { var: { A: null, C: '3' } });
    expect(env.body.var).toEqual({ B: '2', C: '3' });
    const port = await call('PATCH', `/v3/apps/${guid}/environment_variables`, { var: { PORT: '1' } });
    expect(port.status).toBe(422);
    const number = await call('PATCH', `/v3/apps/${guid}/environment_variables`, { var: { D: 1 } });
    expect(number.status).toBe(422);
    await call('PATCH', `/v3/apps/${guid}`, { metadata: { labels: { a: '1', b: '2' } } });
    const labels = await call('PATCH', `/v3/apps/${guid}`, { metadata: { labels: { a: null } } });
    expect(labels.body.metadata.labels).toEqual({ b: '2' });
    const bad = await call('PATCH', `/v3/apps/${guid}`, { metadata: { labels: { a: 'no spaces here' } } });
    expect(bad.status).toBe(422);
  });

  it('does not start an app without a droplet', async () => {
    const { guid } = await foundation.createApp('bare');
    const answer = await call('POST', `/v3/apps/${guid}/actions/start`);
    expect([answer.status, answer.body.errors[0].detail]).toEqual([
      422,
      'Assign a droplet before starting this app.',
    ]);
  });

  it('takes bits once, stages one build at a time and reports a bundle nobody can build', async () => {
    const { guid } = await foundation.createApp('staging');
    const relationships = { app: { data: { guid } } };
    const bundle = await call('POST', '/v3/packages', { type: 'bits', relationships });
    expect(bundle.body.state).toBe('AWAITING_UPLOAD');
    const early = await call('POST', '/v3/builds', { package: { guid: bundle.body.guid } });
    expect(early.status).toBe(422);
    const uploaded = await foundation.upload(bundle.body.guid, { 'README.md': 'nothing to run' });
    expect([uploaded.status, uploaded.body.state]).toEqual([200, 'PROCESSING_UPLOAD']);
    const again = await foundation.upload(bundle.body.guid, {});
    expect([again.status, again.body.errors[0].code]).toEqual([400, 150004]);
    const ready = await foundation.until('the package', async () => {
      const { body } = await call('GET', `/v3/packages/${bundle.body.guid}`);
      return body.state === 'READY' && body;
    });
    expect(ready.data.checksum.value).toMatch(/^[0-9a-f]{64}$/);
    const build = await call('POST', '/v3/builds', { package: { guid: bundle.body.guid } });
    const second = await call('POST', '/v3/builds', { package: { guid: bundle.body.guid } });
    expect(second.body.errors[0].detail).toBe('Only one build can be STAGING at a time per application.');
    const failed = await foundation.until('the build', async () => {
      const { body } = await call('GET', `/v3/builds/${build.body.guid}`);
      return body.state !== 'STAGING' && body;
    });
    expect(failed).toMatchObject({ state: 'FAILED', droplet: null });
    expect(failed.error).toContain('NoAppDetectedError');
  });

  it('marks an upload that is no archive as failed', async () => {
    const { guid } = await foundation.createApp('broken-upload');
    const relationships = { app: { data: { guid } } };
    const bundle = await call('POST', '/v3/packages', { type: 'bits', relationships });
    const form =
      '--b\r\nContent-Disposition: form-data; name="bits"; filename="x.zip"\r\n' +
      'Content-Type: application/octet-stream\r\n\r\nnot a zip\r\n--b--\r\n';
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    await call('POST', `/v3/packages/${bundle.body.guid}/upload`, form, headers);
    const failed = await foundation.until('the package', async () => {
      const { body } = await call('GET', `/v3/packages/${bundle.body.guid}`);
      return body.state === 'FAILED' && body;
    });
    expect(failed.data.error).toContain('not a zip');
  });

  it('deletes by a job whose resource is gone afterwards', async () => {
    const app = await foundation.push('deleted', shop('v1'));
    const deleted = await call('DELETE', `/v3/apps/${app.guid}`);
    expect([deleted.status, deleted.text]).toEqual([202, '']);
    expect(await foundation.job(deleted)).toMatchObject({
      operation: 'app.delete',
      state: 'COMPLETE',
      errors: [],
    });
    expect((await call('GET', `/v3/apps/${app.guid}`)).status).toBe(404);
    const routes = await call('GET', '/v3/routes?hosts=deleted');
    expect(routes.body.resources[0].destinations).toEqual([]);
    expect((await foundation.get('deleted')).headers['x-cf-routererror']).toBeDefined();
  });

  it('maps destinations idempotently, checks weights and unmaps by guid', async () => {
    const app = await foundation.createApp('mapped');
    const route = await foundation.mapRoute(app.guid, 'mapped');
    const path = `/v3/routes/${route.guid}/destinations`;
    const once = { destinations: [{ app: { guid: app.guid } }] };
    const again = await call('POST', path, once);
    expect(again.body.destinations).toHaveLength(1);
    const weighted = { destinations: [{ app: { guid: app.guid }, weight: 50 }] };
    expect((await call('PATCH', path, weighted)).body.errors[0].detail).toContain('sum to 100');
    const twice = await foundation.mapRoute(app.guid, 'mapped').catch(() => undefined);
    expect(twice.errors[0].detail).toBe(
      "Route already exists with host 'mapped' for domain 'apps.cf.localhost'.",
    );
    const gone = await call('DELETE', `${path}/${again.body.destinations[0].guid}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect((await call('GET', path)).body.destinations).toEqual([]);
  });

  it('hands out what the app printed through log-cache, newest first when asked', async () => {
    const app = await foundation.push('talker', shop('v7'));
    const { body } = await call('GET', '/');
    const url = `${body.links.log_cache.href}/api/v1/read/${app.guid}`;
    const read = await call(
      'GET',
      `${url}?descending=true&limit=1000&envelope_types=LOG&start_time=-6795364578871345152`,
    );
    const batch = read.body.envelopes.batch;
    const lines = batch.map((one: Json) => Buffer.from(one.log.payload, 'base64').toString());
    expect(lines).toContain('shop v7 listens');
    expect(lines.indexOf('Staging complete')).toBeGreaterThan(lines.indexOf('shop v7 listens'));
    expect(batch[0]).toMatchObject({
      timestamp: expect.stringMatching(/^\d{19}$/),
      source_id: app.guid,
      log: { type: expect.stringMatching(/^(OUT|ERR)$/) },
    });
    const said = batch.find((one: Json) => one.tags.source_type === 'APP/PROC/WEB');
    expect(said.tags).toMatchObject({
      process_id: app.guid,
      process_type: 'web',
      instance_id: '0',
      space_name: 'dev',
    });
    const since = await call('GET', `${url}?start_time=${batch[0].timestamp}`);
    expect(since.body.envelopes.batch).toEqual([batch[0]]);
    const gauges = await call('GET', `${url}?envelope_types=GAUGE`);
    expect(gauges.body.envelopes.batch).toEqual([]);
    const meta = (await call('GET', `${body.links.log_cache.href}/api/v1/meta`)).body.meta[app.guid];
    expect(meta).toMatchObject({ count: String(batch.length), newest_timestamp: batch[0].timestamp });
  });
});
