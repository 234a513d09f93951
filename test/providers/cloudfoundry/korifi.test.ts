import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Options } from '../../../providers/cloudfoundry/config.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { PlatformProvider, TargetSpec } from '../../../src/core/provider.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { type KorifiHarness, korifiHarness } from './korifi-harness.ts';
import { context, type StubAnswer, type StubApi, silentLogger, stubApi } from './stub-api.ts';

jest.setTimeout(30_000);

function shop(number: number): TargetSpec {
  return sampleTarget({ application: 'shop', platform: 'korifi', number, instances: 1 });
}

describe('a Cloud Foundry on Kubernetes', () => {
  let korifi: KorifiHarness;
  let drive: Driver;
  let ok: Awaited<ReturnType<typeof sampleBundle>>;

  beforeAll(async () => {
    korifi = await korifiHarness();
    drive = createDriver({ provider: () => korifi.other({}) });
    ok = await sampleBundle('ok');
  });
  afterAll(async () => {
    await drive.close();
    await korifi.close();
    await ok.remove();
  });

  it('says who the cluster says we are', async () => {
    expect(await drive.fresh().describe(context)).toMatchObject({
      apiVersion: '3.117.0+cf-k8s',
      identity: 'system:serviceaccount:cf:deployer in demo/dev',
    });
  });

  it('says what would be a login there when it is given a password', async () => {
    const provider = korifi.other({ credentials: { username: 'admin', password: 'admin' } });
    await expect(provider.describe(context)).rejects.toMatchObject({
      class: 'auth',
      details: {
        why: expect.stringContaining('Korifi'),
        remedy: expect.stringContaining('credentials.tokenFile'),
      },
    });
    await provider.close();
  });

  it('deploys, replaces and retires, and shows what is there', async () => {
    const first = shop(1);
    const second = shop(2);
    await drive.deploy(first, ok);
    expect(await drive.fresh().observe(context, 'shop')).toMatchObject({ serving: first.release.id });
    await drive.deploy(second, ok);
    await drive.succeed(drive.fresh().retire(context, 'shop', first.release.id));
    const seen = await drive.fresh().observe(context, 'shop');
    expect(seen.serving).toBe(second.release.id);
    expect(seen.releases.map(({ id }) => id)).toEqual([second.release.id]);
  });

  it('checks a plan and tells no events, though there are neither quotas nor an audit', async () => {
    const provider = drive.fresh();
    const seen = await provider.observe(context, 'shop');
    await expect(provider.check?.(context, shop(3), seen)).resolves.toBeDefined();
    await expect(provider.events?.(context, 'shop', { most: 5 })).resolves.toMatchObject({ events: [] });
  });

  it('brings the release before back where no deployment can be cancelled', async () => {
    const before = await drive.fresh().observe(context, 'shop');
    const crashing = await sampleBundle('crashes');
    try {
      const want = shop(4);
      const artifact = await drive.stage(want, crashing);
      const error = await drive.fail(drive.fresh().apply(context, want, artifact));
      expect(error.class).toBe('startFailed');
    } finally {
      await crashing.remove();
    }
    const seen = await drive.fresh().observe(context, 'shop');
    expect(seen.serving).toBe(before.serving);
    expect(seen.env).toEqual(before.env);
  });

  it('refuses to order a service there, and says what to do instead', async () => {
    const source = { how: 'provision', offering: 'database', plan: 'small', parameters: undefined } as const;
    const want = { ...shop(5), services: [{ name: 'db', source }] };
    const error = await drive.fail(drive.fresh().services!.ensure(context, want));
    expect(error).toMatchObject({ class: 'unsupported', message: expect.stringContaining('no marketplace') });
    expect(error.remedy).toContain('existing');
  });
});

describe('the login of Kubernetes', () => {
  let api: StubApi;
  let dir: string;
  const opened: PlatformProvider[] = [];
  const clock = virtualClock();

  beforeEach(async () => {
    api = await stubApi();
    dir = await mkdtemp(join(tmpdir(), 'sluice-token-'));
    api.handle = ({ path }) => onKubernetes(path);
  });
  afterEach(async () => {
    for (const provider of opened.splice(0)) await provider.close();
    await api.close();
    await rm(dir, { recursive: true, force: true });
  });

  function onKubernetes(path: string): StubAnswer | undefined {
    if (path === '/whoami') return { body: { name: 'cf-admin', kind: 'User' } };
    if (path !== '/') return undefined;
    const link = { href: api.url };
    return { body: { cf_on_k8s: true, links: { cloud_controller_v3: link, login: link, uaa: null } } };
  }

  function provider(credentials: Options['credentials']): PlatformProvider {
    const made = createProvider({
      platform: 'korifi',
      options: { api: api.url, org: 'o', space: 's', domain: 'apps.test', credentials },
      clock,
      random: seededRandom(1),
      logger: silentLogger,
    });
    opened.push(made);
    return made;
  }

  const sent = () => new Set(api.requests.filter(({ path }) => path !== '/').map((one) => one.authorization));

  it('sends certificate and key as one', async () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nc\n-----END CERTIFICATE-----\n';
    const key = '-----BEGIN PRIVATE KEY-----\nplanted-canary-key\n-----END PRIVATE KEY-----\n';
    await provider({ certificate, key }).describe(context);
    const [header] = [...sent()];
    expect(sent().size).toBe(1);
    expect(header).toMatch(/^ClientCert /);
    expect(Buffer.from(header?.slice(11) ?? '', 'base64').toString()).toBe(`${certificate}${key}`);
  });

  it('reads the file again when its token is refused', async () => {
    const tokenFile = join(dir, 'token');
    await writeFile(tokenFile, 'old\n');
    const one = provider({ tokenFile });
    await one.describe(context);
    await writeFile(tokenFile, 'new\n');
    api.handle = ({ path, authorization }) =>
      authorization === 'bearer old' ? { status: 401, body: {} } : onKubernetes(path);
    await one.observe(context, 'shop');
    expect([...sent()]).toEqual(['bearer old', 'bearer new']);
  });

  it('is none for a foundation with UAA', async () => {
    api.handle = () => undefined;
    await expect(provider({ token: 'planted-canary-token' }).describe(context)).rejects.toMatchObject({
      class: 'auth',
      details: { remedy: expect.stringContaining('credentials.username') },
    });
    expect(api.seen).toEqual(['GET /']);
  });

  it('asks once for what the API does not have, and again after ten minutes', async () => {
    api.handle = ({ path }) =>
      path === '/v3/apps'
        ? { body: { pagination: { next: null }, resources: [app] } }
        : path === '/v3/audit_events'
          ? { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' }
          : onKubernetes(path);
    const one = provider({ token: 't' });
    const asked = () => api.seen.filter((request) => request === 'GET /v3/audit_events').length;
    await one.events?.(context, 'shop', { most: 5 });
    await one.events?.(context, 'shop', { most: 5 });
    expect(asked()).toBe(1);
    await clock.advance(600_001);
    await one.events?.(context, 'shop', { most: 5 });
    expect(asked()).toBe(2);
  });

  const app = {
    guid: 'a',
    name: 'shop',
    state: 'STARTED',
    metadata: { labels: { 'sluice.dev/managed-by': 'sluice' } },
  };
});
