import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import type { ServiceSource } from '../../../src/core/services.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { foreignClient } from './foreign-client.ts';
import { silentLogger } from './stub-api.ts';

const closing: (() => Promise<unknown>)[] = [];
let local: LocalCloudFoundry;
let drive: Driver;

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-cf-'));
  const random = seededRandom(7);
  const runner = createRunner({ clock: systemClock, random });
  local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.02 });
  await local.start();
  const provider = (): PlatformProvider =>
    createProvider({
      platform: 'cf',
      options: {
        ...{ api: local.apiUrl, org: local.organization, space: local.space },
        ...{ domain: local.domain, router: local.routerUrl, credentials: local.credentials },
      },
      ...{ clock: systemClock, random, logger: silentLogger },
    });
  drive = createDriver({ provider });
  const bundle = await sampleBundle();
  closing.push(
    ...[() => drive.close(), () => local.close(), () => runner.close(), () => bundle.remove()],
    () => rm(dir, { recursive: true, force: true }),
  );
  await drive.stage(wish(), bundle);
});
afterAll(async () => {
  for (const close of closing) await close();
});

function wish(name = 'db', source?: ServiceSource) {
  const target = sampleTarget({ application: 'shop', platform: 'cf', number: 1 });
  return source === undefined ? target : { ...target, services: [{ name, source }] };
}

/** As the orchestrator does where something is told when it is bound. */
async function twice(name: string, source: ServiceSource) {
  await drive.settle(drive.fresh().services!.ensure(drive.context, wish(name, source)));
  return drive.settle(drive.fresh().services!.ensure(drive.context, wish(name, source)));
}
const handed = (name: string, source: ServiceSource) =>
  drive.fresh().services!.handedOut(drive.context, 'shop', [{ name, source }]);

describe('a service instance', () => {
  const database = (plan: string): ServiceSource => ({
    ...{ how: 'provision', offering: 'database', plan, parameters: undefined },
  });

  it('is brought to another plan, and waited for', async () => {
    await twice('db', database('small'));
    const get = (await foreignClient(local)).get;
    const planNow = async () => {
      const found = await get('/v3/service_instances?names=shop-db');
      return (await get(`/v3/service_plans/${found.resources[0].relationships.service_plan.data.guid}`)).name;
    };
    expect(await planNow()).toBe('small');
    expect(await twice('db', database('large'))).toMatchObject({ state: 'succeeded' });
    expect(await planNow()).toBe('large');
  });

  it('that somebody else made under its name is left alone', async () => {
    const foreign = await foreignClient(local);
    await foreign.createInstance('shop-ledger', { uri: 'db://planted-canary' });
    const refused = await drive.fail(
      drive.fresh().services!.ensure(drive.context, wish('ledger', database('small'))),
    );
    expect(refused).toMatchObject({
      class: 'conflict',
      message: 'shop-ledger is there already, and not made by Sluice',
      remedy: expect.stringContaining('existing: shop-ledger'),
    });
    expect(await handed('ledger', database('small'))).toEqual({});
  });

  it('of a plan that there is not is refused by name', async () => {
    const refused = await drive.fail(
      drive.fresh().services!.ensure(drive.context, wish('db', database('huge'))),
    );
    expect(refused).toMatchObject({ class: 'notFound', message: 'there is no plan huge of database' });
  });
});

describe('a volume service', () => {
  const files = (mount: string): ServiceSource => ({
    ...{ how: 'provision', offering: 'filesystem', plan: 'existing', parameters: undefined },
    bind: { mount, password: 'planted-canary' },
  });

  it('is told where to mount, by nothing that a journal would keep', async () => {
    const { handle } = await drive
      .fresh()
      .services!.ensure(drive.context, wish('files', files('/srv/files')));
    expect(JSON.stringify(handle)).not.toContain('planted-canary');
    expect(await twice('files', files('/srv/files'))).toMatchObject({ state: 'succeeded' });
    expect(await handed('files', files('/srv/files'))).toEqual({ files: { FILES_PATH: '/srv/files' } });
  });

  it('that is bound in another way is refused, without what it was told', async () => {
    const refused = await drive.fail(
      drive.fresh().services!.ensure(drive.context, wish('files', files('/elsewhere'))),
    );
    expect(refused).toMatchObject({ class: 'conflict', message: 'files is bound in another way' });
    expect(JSON.stringify(refused)).not.toContain('planted-canary');
  });
});
