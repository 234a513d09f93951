import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_DEPLOY } from '../../src/core/deploy-settings.ts';
import { platformError } from '../../src/core/errors.ts';
import type { PlatformProvider } from '../../src/core/provider.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { breakLockOf } from '../../src/orchestrator/locks.ts';
import type { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import { type FakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { never, openWorld, type World } from './world.ts';

let world: World;
let eu: FakePlatform;
let us: FakePlatform;
/** What happens on both, in its order. */
let told: string[];
let broken: Partial<Record<'take' | 'give', Error>>;

beforeEach(async () => {
  world = await openWorld(['eu', 'us']);
  eu = world.platforms['eu']!;
  us = world.platforms['us']!;
  told = [];
  broken = {};
});
afterEach(() => world.close());

function lendable(platform: FakePlatform): PlatformProvider {
  const base = fakeProvider(platform);
  return {
    ...base,
    async stage(...args) {
      told.push(`${platform.name} builds`);
      return base.stage(...args);
    },
    transfer: {
      async find(_context, _application, release) {
        return platform.releases.includes(release) ? { native: { release } } : undefined;
      },
      async take(_context, artifact, folder) {
        if (broken.take) throw broken.take;
        told.push(`${platform.name} gives ${artifact.native['release'] === undefined ? 'nothing' : 'it'}`);
        return { from: platform.name, file: join(folder, 'built'), native: {} };
      },
      async give(context, want) {
        if (broken.give) throw broken.give;
        told.push(`${platform.name} takes it`);
        return base.stage(context, want, undefined);
      },
    },
  };
}

function taking(more: Partial<ApplicationSettings> = {}): ApplicationSettings {
  const targets = world.shop.targets.map((one) => (one.platform === 'us' ? { ...one, buildOn: 'eu' } : one));
  return { ...world.shop, targets, ...more };
}

function open(application = taking()): Promise<Orchestrator> {
  const providers = new Map([eu, us].map((one) => [one.name, lendable(one)]));
  return world.open(application, { providers });
}

const progress = (): string =>
  world.events.flatMap((event) => (event.type === 'deployment.progress' ? event.message : [])).join('\n');

describe('a platform that takes what another has built', () => {
  it('waits for it, and builds nothing', async () => {
    const record = await world.deploy(await open(), 'one');
    expect(record.outcome).toBe('done');
    expect(told).toEqual(['eu builds', 'eu gives it', 'us takes it']);
    expect([eu.serving, us.serving]).toEqual([record.release.id, record.release.id]);
    expect(progress()).toContain('waits for what eu builds');
  });

  it('builds itself when the other fails before it has built, and is not held back by it', async () => {
    eu.failing.stage = platformError('buildFailed', 'eu', 'it does not compile');
    const record = await world.deploy(await open(), 'one');
    expect(record).toMatchObject({ outcome: 'partly', targets: { us: { phase: 'live' } } });
    expect(told).toEqual(['eu builds', 'us builds']);
    expect(progress()).toContain('what eu builds is not taken: it has built nothing in this deployment');
  });

  it.each(['take', 'give'] as const)(
    'builds itself when it cannot be taken, and says why (%s)',
    async (step) => {
      broken[step] = platformError('unsupported', 'us', 'it does not run there', { why: 'another stack' });
      const record = await world.deploy(await open(), 'one');
      expect(record.outcome).toBe('done');
      expect(told).toContain('us builds');
      expect(progress()).toContain(
        'what eu builds is not taken: it does not run there: another stack; it is built here',
      );
    },
  );

  it('takes what is there already of a release that is live on the other', async () => {
    const both = await open();
    const bundle = await world.source('one');
    const on = (platforms: string[]) => both.deploy({ application: 'shop', platforms, bundle }, never);
    await (await on(['eu'])).finished;
    told.length = 0;
    expect(await (await on(['us'])).finished).toMatchObject({ outcome: 'done' });
    expect(told).toEqual(['eu gives it', 'us takes it']);
  });

  it('builds where the other is left out and has nothing', async () => {
    const orchestrator = await open();
    const bundle = await world.source('one');
    const begun = await orchestrator.deploy({ application: 'shop', platforms: ['us'], bundle }, never);
    expect(await begun.finished).toMatchObject({ outcome: 'done' });
    expect(told).toEqual(['us builds']);
    expect(progress()).toContain('it takes no part in this deployment');
  });

  it('goes on after a stop with what it had begun, whichever it was', async () => {
    const stop = new AbortController();
    us.pollsUntilDone = 5;
    us.onPoll = (handle) => {
      if (handle.kind === 'stage') stop.abort();
    };
    const orchestrator = await open();
    const stopped = await world.deploy(orchestrator, 'one', stop.signal);
    expect(stopped.outcome).toBe('stopped');
    us.onPoll = () => undefined;
    const resumed = await (await open()).resume(stopped.id, never);
    expect(await resumed.finished).toMatchObject({ outcome: 'done' });
    expect(told.filter((line) => line === 'us takes it')).toHaveLength(1);
    expect(told).not.toContain('us builds');
  });

  it.each([
    ['taken', true],
    ['built', false],
  ])('is gone on with by another process after a kill, where it was being %s', async (_what, takes) => {
    if (!takes) broken.take = new Error('no way');
    us.hold = new Promise(() => undefined);
    const first = await open();
    const bundle = await world.source('one');
    const begun = await first.deploy({ application: 'shop', platforms: undefined, bundle }, never);
    for (;;) {
      const [record] = await first.deployments();
      if (record?.targets['us']?.handle !== undefined) break;
      await new Promise((next) => setImmediate(next));
    }
    us.hold = undefined;
    broken = {};
    await breakLockOf(world.store, 'shop');
    const resumed = await (await open()).resume(begun.id, never);
    expect(await resumed.finished).toMatchObject({ outcome: 'done' });
    expect(told.filter((line) => line.startsWith('us '))).toEqual([takes ? 'us takes it' : 'us builds']);
  });

  it('stands at the barrier with the others, and is taken back with them', async () => {
    const deploy = { ...DEFAULT_DEPLOY, onTargetFailure: { kind: 'abort-all' as const } };
    const together = await open(taking({ deploy }));
    expect((await world.deploy(together, 'one')).outcome).toBe('done');
    eu.failing.stage = platformError('buildFailed', 'eu', 'it does not compile');
    expect((await world.deploy(together, 'two')).outcome).toBe('rolledBack');
    expect(us.serving).toBe(eu.serving);
  });
});
