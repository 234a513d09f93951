import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_DEPLOY } from '../../src/core/deploy-settings.ts';
import { platformError } from '../../src/core/errors.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import type { TaskSettings } from '../../src/core/task-settings.ts';
import { configHashOf } from '../../src/orchestrator/release-identity.ts';
import { placesOf } from '../../src/orchestrator/release-tasks.ts';
import { taskRecordsIn } from '../../src/orchestrator/task-records.ts';
import type { FakePlatform } from '../support/fake-provider.ts';
import { never, openWorld, type World } from './world.ts';

let world: World;
let cf: FakePlatform;
let ocp: FakePlatform;

beforeEach(async () => {
  world = await openWorld();
  cf = world.platforms['cf']!;
  ocp = world.platforms['ocp']!;
});

afterEach(() => world.close());

const task = (more: Partial<TaskSettings> = {}): TaskSettings => ({
  ...{ name: 'migrate', command: 'npm run migrate', when: 'release', timeoutMs: 60_000, memoryBytes: 1 },
  ...more,
});
const shop = (tasks: readonly TaskSettings[], more: Partial<ApplicationSettings> = {}) => ({
  ...world.shop,
  tasks,
  ...more,
});
const lockedTable = () =>
  platformError('taskFailed', 'cf', 'task migrate failed', {
    why: 'it exited with status 3',
    logTail: ['the table is locked'],
  });
const ran = () => [...cf.ran.keys(), ...ocp.ran.keys()];

describe('tasks of a release', () => {
  it('run once for all platforms, after all that is needed is staged and before anything is promoted', async () => {
    const orchestrator = await world.open(shop([task()]));
    const { outcome, release } = await world.deploy(orchestrator, 'one');
    expect(outcome).toBe('done');
    const run = `migrate-${release.id.slice(2)}-1`;
    expect(ran()).toEqual([run]);
    expect(cf.calls).toEqual([`stage ${release.id}`, `task ${run}`, `forget ${run}`, `apply ${release.id}`]);
    const end = world.events.find((event) => event.type === 'task.finished')!;
    expect(end).toMatchObject({ outcome: 'succeeded', platform: 'cf', run });
    for (const { seq, type, ...event } of world.events)
      if (type === 'deployment.progress' && 'phase' in event && event.phase === 'applying')
        expect(seq).toBeGreaterThan(end.seq);
  });

  it('run in their order, each at its own place', async () => {
    const second = task({ name: 'seed', on: 'ocp' });
    await world.deploy(await world.open(shop([task(), second, task({ name: 'tool', when: 'hand' })])), 'one');
    expect([cf.ran.size, ocp.ran.size]).toEqual([1, 1]);
    const order = world.events.flatMap((event) => (event.type === 'task.started' ? [event.task] : []));
    expect(order).toEqual(['migrate', 'seed']);
  });

  it('fail the deployment before anything is promoted, and the old release serves on', async () => {
    const orchestrator = await world.open(shop([task()]));
    const old = (await world.deploy(orchestrator, 'one')).release.id;
    cf.failing.task = lockedTable();
    const failed = await world.deploy(orchestrator, 'two');
    expect(failed.outcome).toBe('failed');
    for (const platform of [cf, ocp]) {
      expect(platform.serving).toBe(old);
      expect(platform.calls).not.toContain(`apply ${failed.release.id}`);
    }
    expect(failed.targets['ocp']?.error).toMatchObject({
      ...{ code: 'TASK_FAILED', where: 'cf', logTail: ['the table is locked'] },
    });
  });

  it('that failed run again with the next deployment, and those that succeeded do not', async () => {
    const orchestrator = await world.open(shop([task(), task({ name: 'seed' })]));
    cf.failing.task = lockedTable();
    const first = await world.deploy(orchestrator, 'one');
    delete cf.failing.task;
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('done');
    const of = (name: string, attempt: number) => `${name}-${first.release.id.slice(2)}-${attempt}`;
    expect(ran()).toEqual([of('migrate', 1), of('migrate', 2), of('seed', 1)]);
    cf.serving = undefined;
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('done');
    expect(ran()).toHaveLength(3);
  });

  it('run on the next platform when the first cannot stage the release', async () => {
    cf.failing.stage = platformError('buildFailed', 'cf', 'no buildpack');
    const { outcome } = await world.deploy(await world.open(shop([task()])), 'one');
    expect([outcome, cf.ran.size, ocp.ran.size]).toEqual(['partly', 0, 1]);
  });

  it('run on the next platform when the first refuses them before they begin', async () => {
    cf.refusing.task = platformError('quota', 'cf', 'no memory left');
    const { outcome } = await world.deploy(await world.open(shop([task()])), 'one');
    expect([outcome, cf.ran.size, ocp.ran.size]).toEqual(['done', 0, 1]);
  });

  it('promote nothing when no platform can run them, and say why of each', async () => {
    cf.refusing.task = platformError('quota', 'cf', 'no memory left', { remedy: 'raise it' });
    ocp.canRun = false;
    const { outcome, targets } = await world.deploy(await world.open(shop([task()])), 'one');
    expect(outcome).toBe('failed');
    expect(targets['ocp']?.error).toMatchObject({
      ...{ code: 'PLATFORM_QUOTA', why: 'cf: no memory left; ocp runs no tasks', remedy: 'raise it' },
    });
    expect([cf.serving, ocp.serving]).toEqual([undefined, undefined]);
  });

  it('that may have begun are not begun elsewhere, nor again', async () => {
    const orchestrator = await world.open(shop([task()]));
    const away = platformError('unavailable', 'cf', 'the API does not answer');
    cf.refusing.task = away;
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('failed');
    const [kept] = await taskRecordsIn(world.store).list('shop');
    expect(kept).toMatchObject({ state: 'begun', platform: 'cf' });
    cf.failing.stage = away;
    const stuck = await world.deploy(orchestrator, 'one');
    expect(stuck.targets['ocp']?.error).toMatchObject({
      ...{ where: 'cf', message: 'task migrate was begun on cf, and may be at work' },
    });
    delete cf.failing.stage;
    delete cf.refusing.task;
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('done');
    expect(ran()).toEqual([kept!.run]);
  });

  it('that may have begun on a platform which is gone go on as a person says they ended', async () => {
    const orchestrator = await world.open(shop([task()]));
    cf.refusing.task = platformError('unavailable', 'cf', 'the API does not answer');
    const { release } = await world.deploy(orchestrator, 'one');
    const run = `migrate-${release.id.slice(2)}-1`;
    cf.failing.stage = cf.refusing.task;
    expect(await orchestrator.runs.settle(run, 'failed')).toMatchObject({ state: 'failed' });
    expect((await world.deploy(orchestrator, 'one')).outcome).toBe('partly');
    expect([...ocp.ran.keys()]).toEqual([`migrate-${release.id.slice(2)}-2`]);
    expect(await orchestrator.runs.settle(run, 'failed')).toBeUndefined();
  });

  it('whose end nobody knows any more fail, and are not begun again by the same deployment', async () => {
    const orchestrator = await world.open(shop([task()]));
    cf.losing = true;
    const { outcome, targets } = await world.deploy(orchestrator, 'one');
    expect(outcome).toBe('failed');
    expect(targets['cf']?.error).toMatchObject({
      ...{ code: 'TASK_FAILED', message: 'nobody can say how task migrate ended' },
    });
    expect(ran()).toHaveLength(1);
  });

  it('are no part of a rollback', async () => {
    const orchestrator = await world.open(shop([task()]));
    const first = await world.deploy(orchestrator, 'one');
    await world.deploy(orchestrator, 'two');
    const wish = { application: 'shop', to: undefined, platforms: undefined, force: false };
    const back = await (await orchestrator.rollback(wish, never)).finished;
    expect([back.outcome, back.release.id, ran().length]).toEqual(['done', first.release.id, 2]);
  });

  it('that contract forbid a rollback past them unless it is forced', async () => {
    await world.deploy(await world.open(world.shop), 'one');
    const orchestrator = await world.open(
      shop([task({ class: 'contract' }), task({ name: 'b', class: 'expand' })]),
    );
    expect((await world.deploy(orchestrator, 'two')).release.migration).toBe('contract');
    const wish = { application: 'shop', to: 'r1', platforms: undefined, force: false };
    await expect(orchestrator.rollback(wish, never)).rejects.toMatchObject({ code: 'SAFETY_VETO' });
    const forced = await (await orchestrator.rollback({ ...wish, force: true }, never)).finished;
    expect(forced.outcome).toBe('done');
  });

  it('run before the first step of a canary, and what they fail is taken back', async () => {
    cf.canTry = true;
    ocp.canTry = true;
    await world.deploy(await world.open(world.shop), 'one');
    const deploy = { ...DEFAULT_DEPLOY, strategy: 'canary' as const };
    cf.failing.task = lockedTable();
    const { outcome, release } = await world.deploy(await world.open(shop([task()], { deploy })), 'two');
    expect(outcome).toBe('rolledBack');
    expect(ran()).toHaveLength(1);
    for (const platform of [cf, ocp]) {
      expect(platform.calls.some((call) => call.startsWith('trial'))).toBe(false);
      expect(platform.calls).toContain(`retire ${release.id}`);
    }
  });
});

describe('the release', () => {
  it('is another one when what runs with it is', () => {
    const of = (...tasks: TaskSettings[]) => configHashOf(shop(tasks), 'key');
    expect(of(task({ class: 'expand' }))).not.toBe(of(task({ class: 'contract' })));
    expect(of(task())).not.toBe(of(task({ command: 'npm run other' })));
    expect(of(task({ timeoutMs: 1 }))).toBe(of(task()));
    expect(of(task({ when: 'hand' }))).toBe(configHashOf(world.shop, 'key'));
  });
});

describe('where a task runs', () => {
  it('is said by itself, by who writes, or by the order of the targets', () => {
    const { targets } = world.shop;
    const anywhere = { targets, data: { writes: 'anywhere' } } as const;
    const single = { targets, data: { writes: 'single', writer: 'ocp' } } as const;
    expect(placesOf(task(), anywhere)).toEqual(['cf', 'ocp']);
    expect(placesOf(task(), single)).toEqual(['ocp', 'cf']);
    expect(placesOf(task({ on: 'cf' }), single)).toEqual(['cf']);
  });
});
