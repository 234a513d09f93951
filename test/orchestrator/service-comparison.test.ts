import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import type { PlatformSignal, ServicesSignal } from '../../src/core/signals.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createServiceWatch } from '../../src/orchestrator/service-watch.ts';
import { fakeProvider } from '../support/fake-provider.ts';
import { openWorld, type World } from './world.ts';

const SECRET = 'postgres://planted-canary';
let world: World;
let shop: ApplicationSettings;

beforeEach(async () => {
  world = await openWorld(['cf', 'ocp', 'rack']);
  const existing = { how: 'existing', name: 'shop-db' } as const;
  const given = { rack: { DB_URL: SECRET } };
  shop = {
    ...world.shop,
    services: [{ name: 'db', on: { cf: existing, ocp: existing } }],
    comparedServices: [{ name: 'db', shared: true, given, asked: ['cf', 'ocp'] }],
  };
  world.platforms['cf']!.handedOut = { db: { DB_URL: SECRET } };
  world.platforms['ocp']!.handedOut = { db: { DB_URL: 'postgres://another' } };
});
afterEach(() => world.close());

async function planned(): Promise<Readonly<Record<string, readonly string[]>>> {
  const orchestrator = await world.open(shop);
  const plans = await orchestrator.plan({
    ...{ application: 'shop', platforms: undefined },
    bundle: await world.source('one'),
  });
  expect(JSON.stringify(plans)).not.toContain('planted-canary');
  return Object.fromEntries(
    plans.map(({ platform, checks }) => [
      platform,
      checks.map(({ found, notice }) => `${notice === true ? '! ' : ''}${found}`),
    ]),
  );
}

describe('a plan', () => {
  it('says which platform has another secret than the others, and still may be deployed', async () => {
    const same = ['hand out what those of other platforms do'];
    expect(await planned()).toEqual({ cf: same, ocp: ['! DB_URL is another than on cf'], rack: same });
    const record = await world.deploy(await world.open(shop), 'one');
    expect(record.outcome).toBe('done');
  });

  it('says nothing of a platform whose services cannot be read', async () => {
    world.platforms['ocp']!.failing.handedOut = platformError('forbidden', 'ocp', 'not for you');
    expect(await planned()).toMatchObject({ ocp: [] });
  });
});

describe('while a server runs', () => {
  it('services are compared again after a minute, by each platform that was read', async () => {
    const told: ServicesSignal[] = [];
    const watch = createServiceWatch({
      settings: { applications: { shop } },
      providers: new Map(Object.values(world.platforms).map((one) => [one.name, fakeProvider(one)])),
      ...{ clock: world.clock, logger: silentLogger, hashKey: 'key', deploysTo: () => true },
      tell: (signal) => told.push(signal),
    });
    async function read(): Promise<Readonly<Record<string, readonly string[] | undefined>>> {
      told.length = 0;
      const observation = {} as NonNullable<PlatformSignal['observation']>;
      watch.hear({ kind: 'platform', at: 0, application: 'shop', platform: 'cf', observation });
      for (let i = 0; i < 20; i++) await new Promise((next) => setImmediate(next));
      return Object.fromEntries(told.map(({ platform, faults }) => [platform, faults]));
    }
    expect(await read()).toEqual({ cf: [], ocp: ['DB_URL is another than on cf'], rack: [] });
    world.platforms['ocp']!.handedOut = { db: { DB_URL: SECRET } };
    expect(await read()).toEqual({});
    await world.clock.sleep(60_000);
    expect(await read()).toEqual({ cf: [], ocp: [], rack: [] });
    world.platforms['ocp']!.failing.handedOut = platformError('unavailable', 'ocp', 'away');
    await world.clock.sleep(60_000);
    expect(await read()).toEqual({ cf: [], ocp: undefined, rack: [] });
    await watch.close();
    await world.clock.sleep(60_000);
    expect(await read()).toEqual({});
  });
});
