import { describe, expect, it } from '@jest/globals';
import type { JobSettings } from '../../src/core/task-settings.ts';
import { configurationDigest } from '../../src/orchestrator/configuration-digest.ts';
import { keepConfiguration, restoreConfiguration } from '../../src/orchestrator/kept-configuration.ts';
import { configHashOf } from '../../src/orchestrator/release-identity.ts';
import { openWorld } from './world.ts';

const job: JobSettings = {
  ...{ name: 'report', command: 'report', memoryBytes: 1, runOn: 'one', cron: '0 3 * * *', timeZone: 'UTC' },
  ...{ timeoutMs: 1, overlap: 'forbid', catchUpMs: 1 },
};

describe('processes by the clock', () => {
  it('come back with a release as it had them, and run when the file says now', async () => {
    const world = await openWorld();
    const then = keepConfiguration({ ...world.shop, jobs: [job] }, 'key');
    const present = {
      ...world.shop,
      jobs: [
        { ...job, command: 'other', cron: '0 4 * * *' },
        { ...job, name: 'later' },
      ],
    };
    // As it is read from the disk.
    const kept = JSON.parse(JSON.stringify(then)) as typeof then;
    const { application } = restoreConfiguration(present, kept, 'key');
    expect(application.jobs).toEqual([{ ...job, cron: '0 4 * * *' }]);
    const none = restoreConfiguration(present, keepConfiguration(world.shop, 'key'), 'key');
    expect(none.application.jobs).toBeUndefined();
    await world.close();
  });

  it('are part of a release by what they run, and not by when', async () => {
    const { shop, close } = await openWorld();
    const hash = (one: Partial<JobSettings>) => configHashOf({ ...shop, jobs: [{ ...job, ...one }] }, 'key');
    expect(hash({ command: 'other' })).not.toBe(hash({}));
    expect(hash({ cron: '* * * * *', runOn: 'all' })).toBe(hash({}));
    expect(hash({})).not.toBe(configHashOf(shop, 'key'));
    expect(configurationDigest({ ...shop, jobs: [job] })).toBe(configurationDigest(shop));
    await close();
  });

  it('leave tasks of now out of what was deployed then', async () => {
    const { shop, close } = await openWorld();
    const task = { name: 'migrate', command: 'x', when: 'release', timeoutMs: 1, memoryBytes: 1 } as const;
    const before = { ...shop, tasks: [task] };
    const kept = keepConfiguration(before, 'key');
    const { application } = restoreConfiguration(
      { ...shop, tasks: [{ ...task, command: 'y' }] },
      kept,
      'key',
    );
    expect(configurationDigest(application)).toBe(configurationDigest(before));
    await close();
  });
});
