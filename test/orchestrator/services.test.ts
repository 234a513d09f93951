import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { FakePlatform } from '../support/fake-provider.ts';
import { openWorld, type World } from './world.ts';

const CACHE = { service: 'cache', what: 'service instance shop-cache', usedBy: [] };
let world: World;
let cf: FakePlatform;

beforeEach(async () => {
  world = await openWorld(['cf']);
  cf = world.platforms['cf']!;
  cf.handedOut = {};
  cf.made = [CACHE];
});
afterEach(() => world.close());

const said = (text: string) =>
  world.events.filter((event) => event.type === 'deployment.progress' && event.message.includes(text)).length;

describe('a service that was taken out of the configuration', () => {
  it('is unbound once the old release is gone, and what was made for it is named and stays', async () => {
    await world.deploy(await world.open(), 'one');
    cf.calls.length = 0;
    const record = await world.deploy(await world.open(), 'two');
    expect(record.outcome).toBe('done');
    const [apply, retire, unbind] = ['apply', 'retire', 'services unbind'].map((call) =>
      cf.calls.findIndex((one) => one.startsWith(call)),
    );
    expect([apply! < retire!, retire! < unbind!]).toEqual([true, true]);
    expect(said('service instance shop-cache stays')).toBe(2);
  });

  it('that cannot be unbound fails no deployment', async () => {
    cf.failing.services = platformError('unavailable', 'cf', 'the broker is away');
    const record = await world.deploy(await world.open(), 'one');
    expect(record.outcome).toBe('done');
    expect(said('services could not be unbound (the broker is away)')).toBe(1);
  });

  it('is named by the plan as long as something of it is there', async () => {
    const wish = { application: 'shop', platforms: undefined, bundle: await world.source('one') };
    const [plan] = await (await world.open()).plan(wish);
    const found = 'is used no more and stays; sluice destroy --services removes it';
    expect(plan?.checks).toEqual([{ what: CACHE.what, found, notice: true }]);
    const existing = { how: 'existing', name: 'x' } as const;
    const wanted = await world.open({ ...world.shop, services: [{ name: 'cache', on: { cf: existing } }] });
    expect((await wanted.plan(wish))[0]?.checks).toEqual([]);
  });
});

it('a deployment that was killed while a broker worked goes on with that, and orders nothing again', async () => {
  const existing = { how: 'existing', name: 'x' } as const;
  const wanting = { ...world.shop, services: [{ name: 'db', on: { cf: existing } }] };
  const stop = new AbortController();
  cf.pollsUntilDone = 3;
  // As SIGKILL would: nothing of this process is heard again.
  const dead = new Promise<void>(() => undefined);
  let died = (): void => undefined;
  const dying = new Promise<void>((resolve) => {
    died = resolve;
  });
  cf.onPoll = ({ kind }) => {
    if (kind !== 'services') return;
    cf.hold = dead;
    died();
  };
  const first = await (await world.open(wanting)).deploy(
    { application: 'shop', platforms: undefined, bundle: await world.source('one') },
    stop.signal,
  );
  await dying;
  cf.onPoll = () => undefined;
  cf.hold = undefined;
  await world.store.delete('leases', 'shop');
  const ordered = () => cf.calls.filter((call) => call === 'services').length;
  expect(ordered()).toBe(1);
  const second = await (await world.open(wanting)).resume(first.id, stop.signal);
  expect((await second.finished).outcome).toBe('done');
  expect(ordered()).toBe(1);
});

describe('destroy', () => {
  const wish = { application: 'shop', platforms: undefined };

  it('leaves what was made for services and names it, or removes it after the application', async () => {
    const orchestrator = await world.open();
    await world.deploy(orchestrator, 'one');
    expect([...(await orchestrator.destroy({ ...wish, services: false }))]).toEqual([
      ['cf', { left: [CACHE.what] }],
    ]);
    cf.calls.length = 0;
    expect([...(await orchestrator.destroy({ ...wish, services: true }))]).toEqual([['cf', { left: [] }]]);
    expect(cf.calls).toEqual(['destroy', 'services remove']);
    expect(cf.made).toEqual([]);
  });

  it('has migrations run again for a database that is made anew, and only for such a one', async () => {
    const migrate = {
      name: 'migrate',
      command: 'migrate',
      when: 'release',
      timeoutMs: 1_000,
      memoryBytes: 1,
    } as const;
    const orchestrator = await world.open({ ...world.shop, tasks: [migrate] });
    await world.deploy(orchestrator, 'one');
    await orchestrator.destroy({ ...wish, services: false });
    await world.deploy(orchestrator, 'one');
    expect(cf.ran.size).toBe(1);
    await orchestrator.destroy({ ...wish, services: true });
    cf.ran.clear();
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('done');
    expect(cf.ran.size).toBe(1);
  });

  it('removes nothing at all where others use a service', async () => {
    cf.made = [{ ...CACHE, usedBy: ['application admin'] }];
    const [result] = (await (await world.open()).destroy({ ...wish, services: true })).values();
    expect(result?.error).toMatchObject({
      class: 'conflict',
      details: { why: 'service instance shop-cache is used by application admin' },
    });
    expect(cf.calls).toEqual([]);
  });
});
