import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunWish } from '../../src/core/control.ts';
import { platformError } from '../../src/core/errors.ts';
import type { TaskRecord } from '../../src/core/task-power.ts';
import { holderOf, leaseApplication } from '../../src/orchestrator/lease.ts';
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

const report = {
  name: 'report',
  command: 'report',
  when: 'hand',
  timeoutMs: 60_000,
  memoryBytes: 1,
} as const;
const open = (by: 'command' | 'server' = 'command') => world.open({ ...world.shop, tasks: [report] }, { by });
const wish = (more: Partial<RunWish> = {}): RunWish => ({
  ...{ application: 'shop', task: 'report', command: undefined, platform: undefined, timeoutMs: undefined },
  ...more,
});

describe('a run by hand', () => {
  it('takes the release that is live, and ends with its record', async () => {
    const orchestrator = await open();
    const { release } = await world.deploy(orchestrator, 'one');
    const started = await orchestrator.runs.byHand(wish(), never);
    expect(started).toMatchObject({ platform: 'cf', release: release.id });
    expect(await started.finished).toMatchObject({ state: 'succeeded', trigger: 'hand', task: 'report' });
    expect(cf.ran.get(started.run)).toBe(release.id);
    expect(await orchestrator.runs.list()).toMatchObject([{ run: started.run, state: 'succeeded' }]);
  });

  it('may be any command, anywhere it is live', async () => {
    const orchestrator = await open();
    await world.deploy(orchestrator, 'one');
    const anything = wish({ task: undefined, command: 'ls', platform: 'ocp' });
    const { run, finished } = await orchestrator.runs.byHand(anything, never);
    expect(await finished).toMatchObject({ task: 'command', platform: 'ocp' });
    expect(ocp.ran.has(run)).toBe(true);
  });

  it('is refused where nothing is live, and for tasks that nobody knows', async () => {
    const orchestrator = await open();
    await expect(orchestrator.runs.byHand(wish(), never)).rejects.toMatchObject({
      ...{ code: 'USAGE', message: 'no release of shop is live there' },
    });
    await world.deploy(orchestrator, 'one');
    await expect(orchestrator.runs.byHand(wish({ task: 'migrat' }), never)).rejects.toMatchObject({
      details: { remedy: 'one of report, or a command behind --' },
    });
  });

  it('needs no lease while it runs, and waits for no deployment', async () => {
    const orchestrator = await open();
    await world.deploy(orchestrator, 'one');
    ocp.pollsUntilDone = 20;
    const deploying = holderOf(
      { holder: 'somebody', process: { host: 'x', pid: 1 }, uniqueId: () => '1' },
      'deploying',
      world.clock.now(),
    );
    const lease = await leaseApplication(world.store, world.clock, 'shop', deploying);
    const { finished } = await orchestrator.runs.byHand(wish({ platform: 'ocp' }), never);
    expect((await world.store.leases()).map(({ lease: name }) => name)).toEqual(['deploy-shop']);
    expect(await orchestrator.runs.list()).toMatchObject([{ state: 'begun' }]);
    await finished;
    await lease.release();
  });

  it('says at once that the platform refuses it, and keeps no record of it', async () => {
    const orchestrator = await open();
    await world.deploy(orchestrator, 'one');
    cf.refusing.task = platformError('quota', 'cf', 'no memory left');
    await expect(orchestrator.runs.byHand(wish(), never)).rejects.toMatchObject({ code: 'PLATFORM_QUOTA' });
    expect(await orchestrator.runs.list()).toEqual([]);
    expect(await world.store.leases()).toEqual([]);
  });

  it('is ended with the command that ordered it', async () => {
    const orchestrator = await open();
    await world.deploy(orchestrator, 'one');
    const stop = new AbortController();
    cf.pollsUntilDone = 50;
    const { finished } = await orchestrator.runs.byHand(wish(), stop.signal);
    stop.abort();
    cf.failing.task = platformError('taskFailed', 'cf', 'it was cancelled');
    await expect(finished).rejects.toMatchObject({ code: 'TASK_FAILED' });
    expect(cf.calls.some((call) => call.startsWith('cancel'))).toBe(true);
    expect(await orchestrator.runs.list()).toMatchObject([{ state: 'failed' }]);
  });

  it('outlives the server that ordered it, and the next one follows it', async () => {
    const first = await open('server');
    await world.deploy(first, 'one');
    const stop = new AbortController();
    cf.pollsUntilDone = 50;
    const { run, finished } = await first.runs.byHand(wish(), stop.signal);
    stop.abort();
    await expect(finished).rejects.toThrow();
    expect(cf.calls.some((call) => call.startsWith('cancel'))).toBe(false);
    expect(await taskRecordsIn(world.store).list()).toMatchObject([{ run, state: 'begun' }]);
    cf.pollsUntilDone = 1;
    const next = await open('server');
    await next.runs.takeUp(never);
    expect(await next.runs.list()).toMatchObject([{ run, state: 'succeeded' }]);
    expect([...cf.ran.keys()]).toEqual([run]);
  });

  it('is followed by the next server for as long as it may take', async () => {
    const first = await open('server');
    await world.deploy(first, 'one');
    const stop = new AbortController();
    const { run, finished } = await first.runs.byHand(wish({ timeoutMs: 3_600_000 }), stop.signal);
    // Half an hour, at a look every 400 ms.
    cf.pollsUntilDone = 4_500;
    stop.abort();
    await expect(finished).rejects.toThrow();
    const next = await open('server');
    await next.runs.takeUp(never);
    expect(await next.runs.list()).toMatchObject([{ run, state: 'succeeded' }]);
  });

  it('that a command is just beginning is followed by a server that starts meanwhile', async () => {
    const command = await open();
    const { release } = await world.deploy(command, 'one');
    const startedAt = world.clock.now();
    const meant: TaskRecord = {
      ...{ application: 'shop', task: 'report', run: 'h-1', platform: 'cf', release: release.id },
      ...{ trigger: 'hand', state: 'begun', startedAt },
    };
    const records = taskRecordsIn(world.store);
    await records.put(meant);
    const server = await open('server');
    const taken = server.runs.takeUp(never);
    cf.ran.set('h-1', release.id);
    const native = { run: 'h-1' };
    const handle = { platform: 'cf', application: 'shop', kind: 'task', native, startedAt } as const;
    await records.put({ ...meant, handle });
    await taken;
    expect(await server.runs.list()).toMatchObject([{ run: 'h-1', state: 'succeeded' }]);
  });

  it('whose end nobody knows is not said to run again', async () => {
    const orchestrator = await open();
    await world.deploy(orchestrator, 'one');
    cf.losing = true;
    const { finished } = await orchestrator.runs.byHand(wish(), never);
    await expect(finished).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('nothing runs it again by itself') },
    });
  });

  it('can be cancelled by its name while it is under way', async () => {
    const orchestrator = await open();
    await world.deploy(orchestrator, 'one');
    cf.pollsUntilDone = 50;
    const { run, finished } = await orchestrator.runs.byHand(wish(), never);
    expect(await orchestrator.runs.cancel(run)).toMatchObject({ run });
    expect(cf.calls).toContain(`cancel ${run}`);
    await finished;
    expect(await orchestrator.runs.cancel(run)).toBeUndefined();
  });
});
