import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { manifestOf, noticeOf } from '../../../providers/cloudfoundry/manifest-diff.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { Bundle, PlanChange } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import type { Json } from './local/foundation.ts';
import { silentLogger } from './stub-api.ts';

const want = sampleTarget({ application: 'shop', platform: 'cf', number: 1, instances: 1 });

describe('what the platform would change', () => {
  const memory: PlanChange = { action: 'change', field: 'memory', destructive: false };
  const at = (op: string, path: string, was?: unknown, value?: unknown) =>
    noticeOf({ op, path: `/applications/0/${path}`, was, value }, [memory]);

  it('is told where our plan does not say it', () => {
    expect(at('replace', 'memory', '128M', '64M')).toBeUndefined();
    expect(at('replace', 'instances', 3, 1)).toMatchObject({ what: 'instances', notice: true });
    expect(at('remove', 'routes/1', { route: 'www.example.com' })).toEqual({
      what: 'route www.example.com',
      found: 'is there, and not of this configuration; it stays',
      notice: true,
    });
    expect(at('remove', 'services/0', { name: 'theirs', parameters: 'planted-canary' })).toMatchObject({
      what: 'service theirs',
    });
    expect(JSON.stringify(at('replace', 'metadata', { a: 'planted-canary' }, {}))).not.toContain('canary');
    expect(at('add', 'services/0', undefined, { name: 'shop-db' })).toBeUndefined();
  });

  it('is asked without a value of the environment', () => {
    const secret = { ...want, env: { ...want.env, KEY: 'planted-canary' } };
    expect(JSON.stringify(manifestOf(secret, []))).not.toContain('planted-canary');
  });
});

describe('the check of a plan', () => {
  const random = seededRandom(6);
  const runner = createRunner({ clock: systemClock, random });
  let dir: string;
  let local: LocalCloudFoundry;
  let drive: Driver;
  let bundle: Bundle & { remove(): Promise<void> };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-diff-'));
    bundle = await sampleBundle('ok');
    local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.05 });
    await local.start();
    const { username, password } = local.credentials;
    const options = {
      api: local.apiUrl,
      org: local.organization,
      space: local.space,
      domain: local.domain,
      router: local.routerUrl,
      credentials: { username, password },
    };
    drive = createDriver({
      provider: () =>
        createProvider({ platform: 'cf', options, clock: systemClock, random, logger: silentLogger }),
    });
  });
  afterAll(async () => {
    await drive.close();
    await local.close();
    await runner.close();
    await bundle.remove();
    await rm(dir, { recursive: true, force: true });
  });

  async function noticesOf(): Promise<string[]> {
    const provider = drive.fresh();
    const seen = await provider.observe(drive.context, 'shop');
    const checks = await provider.check!(drive.context, want, seen);
    return checks.filter(({ notice }) => notice).map(({ what, found }) => `${what} ${found}`);
  }

  it('says nothing of what we deployed, and names what others added', async () => {
    await drive.deploy(want, bundle);
    expect(await noticesOf()).toEqual([]);

    const { authorization, space, domain, app } = await asSomebodyElse();
    const headers = { authorization, 'content-type': 'application/json' };
    const ask = async (method: string, path: string, body: object): Promise<Json> =>
      (await fetch(`${local.apiUrl}${path}`, { method, headers, body: JSON.stringify(body) })).json();
    const one = (guid: string) => ({ data: { guid } });
    const route = await ask('POST', '/v3/routes', {
      host: 'theirs',
      relationships: { domain: one(domain), space: one(space) },
    });
    await ask('POST', `/v3/routes/${route.guid}/destinations`, { destinations: [{ app: { guid: app } }] });
    await ask('POST', `/v3/apps/${app}/sidecars`, {
      ...{ name: 'agent', command: 'sleep 1', process_types: ['web'] },
    });
    expect(await noticesOf()).toEqual([
      `route theirs.${local.domain} is there, and not of this configuration; it stays`,
      'sidecar agent is there, and not of this configuration; it stays',
    ]);
  });

  async function asSomebodyElse() {
    const root: Json = await (await fetch(`${local.apiUrl}/`)).json();
    const { username, password } = local.credentials;
    const login = await fetch(`${root.links.login.href}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('cf:')}` },
      body: new URLSearchParams({ grant_type: 'password', username, password }),
    });
    const token: Json = await login.json();
    const authorization = `bearer ${token.access_token}`;
    const first = async (path: string): Promise<string> => {
      const page: Json = await (await fetch(`${local.apiUrl}${path}`, { headers: { authorization } })).json();
      return page.resources[0].guid;
    };
    const [space, domain, app] = await Promise.all([
      first('/v3/spaces'),
      first('/v3/domains'),
      first('/v3/apps?names=shop'),
    ]);
    return { authorization, space, domain, app };
  }
});
