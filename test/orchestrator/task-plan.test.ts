import { describe, expect, it } from '@jest/globals';
import type { PlatformPlan } from '../../src/core/deployment.ts';
import type { TaskRecord } from '../../src/core/task-power.ts';
import { withTasks } from '../../src/orchestrator/task-plan.ts';
import { sampleRelease } from '../support/sample-app.ts';
import { openWorld } from './world.ts';

const release = sampleRelease('shop', 1);

async function fields(plans: readonly PlatformPlan[], before?: Partial<TaskRecord>) {
  const world = await openWorld();
  const shop = {
    ...world.shop,
    tasks: [
      ...(['release', 'hand'] as const).map((when) => ({
        ...{ name: when, command: `run ${when}`, when, timeoutMs: 1, memoryBytes: 1 },
        ...(when === 'release' ? { class: 'contract' as const } : {}),
      })),
    ],
  };
  await world.close();
  const records = { ofRelease: async () => before as TaskRecord | undefined };
  const planned = await withTasks(records, shop, release, plans);
  return Object.fromEntries(
    planned.map(({ platform, changes }) => [
      platform,
      changes.map(({ field, to, destructive }) => `${field} ${to}${destructive ? '!' : ''}`),
    ]),
  );
}

const plan = (platform: string, action: 'change' | 'none'): PlatformPlan => ({
  ...{ platform, checks: [] },
  changes: [{ action, field: 'release', to: 'r', destructive: false }],
});
const LINE = 'task release run once: run release (contract)!';

describe('the plan', () => {
  it('shows what runs before all else, once, where it is to', async () => {
    expect(await fields([plan('cf', 'change'), plan('ocp', 'change')])).toEqual({
      ...{ cf: [LINE, 'release r'], ocp: ['release r'] },
    });
    expect(await fields([plan('cf', 'none'), plan('ocp', 'change')])).toEqual({
      ...{ cf: ['release r'], ocp: [LINE, 'release r'] },
    });
  });

  it('shows none where nothing changes, or it has run', async () => {
    expect(await fields([plan('cf', 'none')])).toEqual({ cf: ['release r'] });
    expect(await fields([plan('cf', 'change')], { state: 'succeeded' })).toEqual({ cf: ['release r'] });
  });

  it('shows one that goes on where it was begun', async () => {
    const begun = { state: 'begun', platform: 'ocp' } as const;
    expect(await fields([plan('cf', 'change'), plan('ocp', 'change')], begun)).toEqual({
      ...{ cf: ['release r'], ocp: [LINE, 'release r'] },
    });
  });
});
