import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApplicationSettings, TargetSettings } from '../../src/core/settings.ts';
import { configurationDigest } from '../../src/orchestrator/configuration-digest.ts';
import { configHashOf } from '../../src/orchestrator/release-identity.ts';
import { never, openWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

function onCf(more: Partial<TargetSettings>): ApplicationSettings {
  const targets = world.shop.targets.map((one) => (one.platform === 'cf' ? { ...one, ...more } : one));
  return { ...world.shop, targets };
}

const applied = (platform: string) => world.platforms[platform]?.applied.at(-1)?.process;

describe('command and memory of one platform', () => {
  it('are run there and nowhere else, in another release', async () => {
    const first = await world.deploy(await world.open(), 'one');
    const later = await world.open(onCf({ command: 'node cf.js', memoryBytes: 2 }));
    const second = await world.deploy(later, 'one');
    expect(second.release.id).not.toBe(first.release.id);
    expect(applied('cf')).toEqual({ command: 'node cf.js', memoryBytes: 2, instances: 2 });
    expect(applied('ocp')).toEqual({ command: 'node server.js', memoryBytes: 1, instances: 2 });
  });

  it('come back with the release that had them, and go with one that had not', async () => {
    const own = await world.open(onCf({ command: 'node cf.js' }));
    const first = await world.deploy(own, 'one');
    const plain = await world.open();
    const second = await world.deploy(plain, 'two');
    const wish = { application: 'shop', platforms: undefined, force: false };
    await (await plain.rollback({ ...wish, to: first.release.id }, never)).finished;
    expect(applied('cf')?.command).toBe('node cf.js');
    await (await own.rollback({ ...wish, to: second.release.id }, never)).finished;
    expect(applied('cf')?.command).toBe('node server.js');
  });

  it('are part of what a release and a configuration are known by', () => {
    const hash = configHashOf(world.shop, 'key');
    for (const more of [{ command: 'node cf.js' }, { memoryBytes: 2 }]) {
      expect(configHashOf(onCf(more), 'key')).not.toBe(hash);
      expect(configurationDigest(onCf(more))).not.toBe(configurationDigest(world.shop));
    }
    expect(configHashOf(onCf({ command: 'a' }), 'key')).not.toBe(configHashOf(onCf({ command: 'b' }), 'key'));
    // What says nothing of it is what it was before there was anything to say.
    expect(configHashOf(onCf({ env: {} }), 'key')).toBe(hash);
  });
});
