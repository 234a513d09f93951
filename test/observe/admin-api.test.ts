import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { WireWish } from '../../src/core/control.ts';
import { platformError, SluiceError } from '../../src/core/errors.ts';
import { EMPTY_TABLE } from '../../src/core/routing-table.ts';
import { createAdminApi } from '../../src/observe/admin-api.ts';
import { METRICS } from '../../src/observe/metrics.ts';
import { sampleRelease } from '../support/sample-app.ts';
import { CANARY, STATUS, type TestAdmin, testAdmin } from './admin.ts';

let admin: TestAdmin;
afterEach(() => admin.close());

const gzip = { 'content-type': 'application/gzip' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const tokens = {
  viewer: { token: 'token-of-the-viewer', role: 'read' },
  ci: { token: 'token-of-the-ci', role: 'operate' },
} as const;

describe('what anybody may ask', () => {
  it('lives, and is ready once a table is served', async () => {
    let ready = false;
    admin = await testAdmin({ tokens, ready: () => ready });
    expect(await admin.ask('/livez')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await admin.ask('/readyz')).toMatchObject({ status: 503, text: 'no routing table yet\n' });
    ready = true;
    expect(await admin.ask('/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
  });

  it('has every metric of the table, and what the workers counted', async () => {
    admin = await testAdmin({ tokens });
    const { status, headers, text } = await admin.ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const name of Object.keys(METRICS)) expect(text).toContain(`# HELP ${name} `);
    expect(text).toMatch(/^sluice_requests_total\{class="2xx"\} 40$/m);
    expect(text).toMatch(/^sluice_active_requests 7$/m);
    // Asked again it must not have grown.
    expect((await admin.ask('/metrics')).text).toMatch(/^sluice_replays_total\{cause="connect"\} 3$/m);
  });
});

describe('who takes the writes', () => {
  it('is told to applications that ask', async () => {
    const route = { application: 'shop', host: '*', path: '/', publicHost: 'map', retry: 'safe' } as const;
    const writes = { kind: 'single', writer: undefined, epoch: 4, next: 'rack' } as const;
    const table = {
      ...EMPTY_TABLE,
      routes: [
        { ...route, writes, targets: [] },
        { ...route, application: 'blog', targets: [] },
      ],
    };
    admin = await testAdmin({ table: () => table });
    expect((await admin.ask('/v1/writer/shop')).json).toEqual({
      ...{ application: 'shop', writes: 'single', writer: null, epoch: 4, next: 'rack' },
    });
    expect((await admin.ask('/v1/writer/blog')).json).toEqual({ application: 'blog', writes: 'anywhere' });
    expect((await admin.ask('/v1/writer/none')).status).toBe(400);
  });
});

describe('who may ask for the rest', () => {
  it('without tokens: no foreign Host, no web page', async () => {
    admin = await testAdmin();
    expect((await admin.ask('/v1/status')).status).toBe(200);
    for (const headers of [{ host: 'evil.example' }, { origin: 'http://evil.example' }]) {
      const refused = await admin.ask('/v1/status', { headers });
      expect(refused.status).toBe(401);
      expect(refused.json).toMatchObject({ error: { code: 'SERVER_REFUSED' } });
    }
  });

  it('with tokens: 401 without a valid one, 403 when its role is too small', async () => {
    admin = await testAdmin({ tokens });
    const none = await admin.ask('/v1/status');
    expect(none).toMatchObject({ status: 401, json: { error: { code: 'SERVER_REFUSED' } } });
    expect(none.headers['www-authenticate']).toBe('Bearer');
    expect((await admin.ask('/v1/status', { headers: bearer('nonsense') })).status).toBe(401);
    expect((await admin.ask('/v1/status', { headers: bearer('token-of-the-viewer') })).status).toBe(200);
    const small = await admin.ask('/v1/deployments?application=a&digest=b', {
      method: 'POST',
      headers: { ...gzip, ...bearer('token-of-the-viewer') },
      body: 'x',
    });
    expect(small).toMatchObject({ status: 403, json: { error: { code: 'SERVER_REFUSED' } } });
    const destroy = { method: 'POST' as const, headers: bearer('token-of-the-ci') };
    expect((await admin.ask('/v1/applications/shop/destroy', destroy)).status).toBe(403);
  });

  it('is asked before the body is read: a stranger cannot fill our memory', async () => {
    let read = false;
    admin = await testAdmin({
      tokens,
      control: {
        async deploy() {
          read = true;
          throw new Error('unreachable');
        },
      },
    });
    // Of another type than it takes: whoever reads the body first would say so.
    const refused = await admin.ask('/v1/deployments', {
      method: 'POST',
      headers: { 'content-type': 'text/nonsense' },
      body: 'x'.repeat(100_000),
    });
    expect(refused.status).toBe(401);
    expect(read).toBe(false);
  });
});

describe('acts', () => {
  it('hands a bundle over as it came', async () => {
    const wishes: WireWish[] = [];
    const release = sampleRelease('shop', 7);
    admin = await testAdmin({
      control: {
        async deploy(wish) {
          wishes.push(wish);
          return { id: 'd-1', release };
        },
      },
    });
    const path = '/v1/deployments?application=shop&digest=sha256%3Aabc&platforms=cf,rack';
    const answer = await admin.ask(path, { method: 'POST', headers: gzip, body: Buffer.from([1, 2, 3]) });
    expect(answer).toMatchObject({ status: 202, json: { id: 'd-1', release } });
    expect(wishes).toEqual([
      {
        application: 'shop',
        digest: 'sha256:abc',
        platforms: ['cf', 'rack'],
        archive: Buffer.from([1, 2, 3]),
      },
    ]);
  });

  it('takes an image without a body', async () => {
    const wishes: WireWish[] = [];
    admin = await testAdmin({
      control: {
        async deploy(wish) {
          wishes.push(wish);
          return { id: 'd-1', release: sampleRelease('shop', 7) };
        },
      },
    });
    const answer = await admin.ask('/v1/deployments?application=shop&digest=sha256%3Aabc', {
      method: 'POST',
    });
    expect(answer.status).toBe(202);
    expect(wishes).toMatchObject([{ archive: undefined, digest: 'sha256:abc' }]);
  });

  it.each([
    ['no digest', '?application=shop', gzip],
    ['a name given twice', '?application=a&application=b&digest=c', gzip],
    ['something else', '?application=shop&digest=c', { 'content-type': 'application/json' }],
  ])('refuses a deployment with %s as bad usage', async (_what, query, headers) => {
    admin = await testAdmin();
    const answer = await admin.ask(`/v1/deployments${query}`, { method: 'POST', headers, body: '{}' });
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'USAGE' } } });
  });

  it('answers a held lease with 409, a bundle that lies with 400', async () => {
    let code: 'LOCK_HELD' | 'SOURCE_UNREADABLE' = 'LOCK_HELD';
    admin = await testAdmin({ control: { deploy: async () => Promise.reject(new SluiceError(code, 'no')) } });
    const path = '/v1/deployments?application=a&digest=b';
    const post = { method: 'POST' as const, headers: gzip, body: 'x' };
    expect(await admin.ask(path, post)).toMatchObject({ status: 409, json: { error: { code } } });
    code = 'SOURCE_UNREADABLE';
    expect(await admin.ask(path, post)).toMatchObject({ status: 400, json: { error: { code } } });
  });

  it('says who destroyed what', async () => {
    admin = await testAdmin({
      tokens: { root: { token: 'token-of-root', role: 'admin' } },
      control: {
        destroy: async ({ services }) => ({ cf: { error: null, left: [`services: ${services}`] } }),
      },
    });
    const root = { method: 'POST', headers: bearer('token-of-root') } as const;
    const answer = await admin.ask('/v1/applications/shop/destroy?platforms=cf', root);
    expect(answer).toMatchObject({ status: 200, json: { cf: { error: null, left: ['services: false'] } } });
    const all = await admin.ask('/v1/applications/shop/destroy?services=true', root);
    expect(all.json).toMatchObject({ cf: { left: ['services: true'] } });
    expect(admin.events.since(0)).toMatchObject([
      { type: 'operator.act', act: 'destroy', who: 'root', subject: 'shop on cf' },
      { type: 'operator.act', act: 'destroy', subject: 'shop with its services on all platforms' },
    ]);
  });
});

describe('going back', () => {
  const LOCK = {
    application: 'shop',
    what: 'deploy',
    holder: 'ada',
    reason: 'r2',
    since: 1,
    expiresAt: 2,
  } as const;
  const RELEASE = {
    ...{ id: 'r-1', number: 41, application: 'shop', createdAt: 0 },
    sourceDigest: 's',
    configHash: 'c',
  };

  it('and taking a lock away are for operators, and told with who, what and why', async () => {
    const wishes: unknown[] = [];
    admin = await testAdmin({
      tokens: {
        ci: { token: 'token-of-the-ci', role: 'operate' },
        eye: { token: 'token-of-eye', role: 'read' },
      },
      control: {
        async rollback(wish) {
          wishes.push(wish);
          return { id: 'd-1', release: RELEASE };
        },
        locks: async () => [LOCK],
        breakLock: async () => LOCK,
      },
    });
    const post = (body: object, token = 'token-of-the-ci') => ({
      method: 'POST' as const,
      headers: { ...bearer(token), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const path = '/v1/applications/shop/rollback';
    expect((await admin.ask(path, post({}, 'token-of-eye'))).status).toBe(403);
    expect(await admin.ask(path, post({ to: 'r41', force: true }))).toMatchObject({
      status: 202,
      json: { id: 'd-1' },
    });
    expect(wishes).toEqual([{ application: 'shop', to: 'r41', force: true }]);
    expect((await admin.ask(path, post({ two: 'r41' }))).status).toBe(400);
    expect(await admin.ask('/v1/locks', { headers: bearer('token-of-eye') })).toMatchObject({ json: [LOCK] });
    expect((await admin.ask('/v1/locks/shop/break', post({}))).status).toBe(400);
    expect(await admin.ask('/v1/locks/shop/break', post({ reason: 'it hangs' }))).toMatchObject({
      json: LOCK,
    });
    expect(admin.events.since(0)).toMatchObject([
      { type: 'operator.act', act: 'rollback', who: 'ci', subject: 'shop to r41', reason: 'forced' },
      {
        type: 'operator.act',
        act: 'lock break',
        who: 'ci',
        subject: 'shop, held by ada',
        reason: 'it hangs',
      },
    ]);
  });
});

describe('what is not there', () => {
  it('is answered by an error in our own form', async () => {
    admin = await testAdmin();
    expect(await admin.ask(`/nothing?token=${CANARY}`)).toMatchObject({
      status: 404,
      json: { error: { code: 'USAGE', message: 'there is no GET /nothing' } },
    });
    expect(await admin.ask('/v1/explain/nothing')).toMatchObject({
      status: 400,
      json: { error: { code: 'USAGE' } },
    });
    const huge = { method: 'POST' as const, headers: { 'content-type': 'text/xml' }, body: '<a/>' };
    expect(await admin.ask('/v1/plan', huge)).toMatchObject({
      status: 415,
      json: { error: { code: 'USAGE' } },
    });
  });
});

describe('secrets', () => {
  it('leave by no view, however they came in', async () => {
    const record = {
      id: 'd-1',
      application: 'shop',
      release: sampleRelease('shop', 1),
      startedAt: 0,
      targets: {
        cf: {
          phase: 'failed' as const,
          startedAt: 0,
          error: { code: 'PLATFORM_AUTH' as const, message: 'no', why: `bad password ${CANARY}` },
          handle: {
            platform: 'cf',
            application: 'shop',
            kind: 'stage' as const,
            native: { upload_token: 'unknown-to-the-configuration' },
            startedAt: 0,
          },
        },
      },
    };
    admin = await testAdmin({
      status: () => ({ ...STATUS, version: CANARY }),
      explain: (application) => ({ application, at: 0, shares: {}, summary: `why ${CANARY}`, steps: [] }),
      control: {
        deployments: async () => [record],
        releases: async () => {
          throw platformError('auth', 'cf', 'no', {
            why: `sent ${encodeURIComponent(CANARY)} and Basic ${Buffer.from(`me:${CANARY}`).toString('base64')}`,
            logTail: [`password=${CANARY}`],
          });
        },
      },
    });
    for (const path of ['/v1/status', '/v1/explain/shop', '/v1/deployments', '/v1/releases/shop']) {
      const { text } = await admin.ask(path);
      expect(text).toContain('<redacted>');
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain('unknown-to-the-configuration');
      expect(text).not.toContain(Buffer.from(`me:${CANARY}`).toString('base64').slice(4, 16));
    }
  });

  it('leave by no fault of ours either', async () => {
    admin = await testAdmin({
      control: {
        deployments: async () => {
          throw new Error(`cannot read /state/${CANARY}`);
        },
      },
    });
    const { status, text, json } = await admin.ask('/v1/deployments');
    expect(status).toBe(500);
    expect(json).toMatchObject({ error: { code: 'BUG' } });
    expect(text).not.toContain(CANARY);
  });
});

describe('orders', () => {
  const order = {
    method: 'POST' as const,
    headers: { 'content-type': 'application/json', ...bearer('token-of-the-ci') },
  };

  it('carry the name of who gave them', async () => {
    const given: unknown[] = [];
    admin = await testAdmin({
      tokens,
      acts: {
        async order(wish) {
          given.push(wish);
          throw new SluiceError('SAFETY_VETO', 'cf is the last');
        },
      },
    });
    const body = JSON.stringify({ kind: 'drain', platform: 'cf', reason: 'tests' });
    const { status, json } = await admin.ask('/v1/acts', { ...order, body });
    expect(given).toEqual([
      {
        kind: 'drain',
        platform: 'cf',
        application: undefined,
        reason: 'tests',
        forMs: undefined,
        force: false,
        who: 'ci',
      },
    ]);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json).toMatchObject({ error: { code: 'SAFETY_VETO' } });
  });

  it('that say nothing sensible are refused with what is wrong', async () => {
    admin = await testAdmin({ tokens });
    const { status, json } = await admin.ask('/v1/acts', {
      ...order,
      body: '{"kind":"explode","reason":""}',
    });
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { code: 'USAGE', why: expect.stringContaining('kind') } });
  });

  it('are not for who may only read', async () => {
    admin = await testAdmin({ tokens });
    const headers = { ...order.headers, ...bearer('token-of-the-viewer') };
    expect((await admin.ask('/v1/acts', { ...order, headers, body: '{}' })).status).toBe(403);
  });
});

it('says which port is taken, and where to change it', async () => {
  admin = await testAdmin();
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address() as { port: number };
  const unused = () => {
    throw new Error('not asked');
  };
  const second = createAdminApi({
    settings: { host: '127.0.0.1', port, tokens: {} },
    status: unused,
    table: unused,
    explain: unused,
    counters: unused,
    events: admin.events,
    control: {} as never,
    acts: {} as never,
    drills: {} as never,
    logs: {} as never,
    operations: {} as never,
    redact: (value) => value,
    ready: unused,
  });
  await expect(second.start()).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    details: { where: 'gateway.admin' },
  });
  await second.close();
  await new Promise((done) => other.close(done));
});
