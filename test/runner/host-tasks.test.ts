import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { createGuard } from '../../src/runner/guard.ts';
import { createHostTasks, type HostTasks, type TaskView } from '../../src/runner/host/tasks.ts';
import { silentLogger } from '../providers/selfhosted/host-harness.ts';

let root: string;
let opened: HostTasks[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-tasks-'));
  await mkdir(join(root, 'files'));
  opened = [];
});

afterEach(async () => {
  for (const tasks of opened) {
    await tasks.destroy('shop');
    await tasks.close();
  }
  await rm(root, { recursive: true, force: true });
});

/** As the daemon of the next life would have them. */
function open(onOwnerExit: 'kill' | 'keep' = 'keep'): HostTasks {
  const tasks = createHostTasks({
    root: join(root, 'tasks'),
    folderOf: () => join(root, 'files'),
    clock: systemClock,
    logger: silentLogger,
    guard: onOwnerExit === 'kill' ? createGuard() : undefined,
  });
  opened.push(tasks);
  return tasks;
}

const wish = (command: string, timeoutMs = 30_000) => ({
  ...{ release: 'r-0123456789', command, timeoutMs },
  env: { WORD: 'hello' },
});

async function ended(tasks: HostTasks, run: string): Promise<TaskView> {
  for (let look = 0; look < 400; look++) {
    const view = await tasks.view('shop', run, 0);
    if (view?.state === 'ended') return view;
    await systemClock.sleep(25);
  }
  throw new Error(`${run} does not end`);
}

describe('tasks of the host', () => {
  it('run in the folder of the release, with its environment and nothing of ours', async () => {
    await writeFile(join(root, 'files', 'note'), 'noted');
    process.env['SLUICE_TEST_LEAK'] = 'leaked';
    const tasks = open();
    await tasks.start('shop', 'a', wish('echo "$WORD $(cat note) $SLUICE_TEST_LEAK"; echo bad >&2; exit 4'));
    delete process.env['SLUICE_TEST_LEAK'];
    expect(await ended(tasks, 'a')).toMatchObject({
      exit: { code: 4, reason: 'exited with code 4' },
      lines: ['hello noted ', 'bad'],
    });
  });

  it('begin a run once, however often it is asked for', async () => {
    const tasks = open();
    const count = wish(`echo x >> ${join(root, 'count')}`);
    await Promise.all([tasks.start('shop', 'a', count), tasks.start('shop', 'a', count)]);
    await ended(tasks, 'a');
    await tasks.start('shop', 'a', count);
    await open().start('shop', 'a', count);
    expect(await readFile(join(root, 'count'), 'utf8')).toBe('x\n');
  });

  it('outlive the daemon, and the next one goes on with them', async () => {
    const tasks = open();
    await tasks.start('shop', 'a', wish('sleep 0.6; echo late; exit 5'));
    await tasks.close();
    const next = open();
    await next.resume();
    expect((await next.view('shop', 'a', 0))?.state).toBe('running');
    expect(await ended(next, 'a')).toMatchObject({ exit: { code: 5 }, lines: ['late'] });
  });

  it('that ended while no daemon was there have their exit status', async () => {
    const tasks = open();
    await tasks.start('shop', 'a', wish('sleep 0.2; echo done'));
    await tasks.close();
    await systemClock.sleep(700);
    const next = open();
    await next.resume();
    expect(await next.view('shop', 'a', 0)).toMatchObject({
      ...{ state: 'ended', exit: { code: 0 }, lines: ['done'] },
    });
  });

  it('go with a daemon that keeps nothing', async () => {
    const tasks = open('kill');
    await tasks.start('shop', 'a', wish(`sleep 1; echo x >> ${join(root, 'count')}`));
    await tasks.close();
    // The daemon that ended it has said so before it went.
    expect((await tasks.view('shop', 'a', 0))?.exit).toMatchObject({ code: null });
    const next = open('kill');
    await next.resume();
    expect((await next.view('shop', 'a', 0))?.exit).toMatchObject({ code: null });
    await systemClock.sleep(1_100);
    await expect(readFile(join(root, 'count'))).rejects.toThrow('ENOENT');
  });

  it('are ended when they take too long, by a daemon of the next life too', async () => {
    const tasks = open();
    await tasks.start('shop', 'a', wish('exec sleep 60', 400));
    await tasks.close();
    const next = open();
    await next.resume();
    expect(await ended(next, 'a')).toMatchObject({ stopped: 'it took longer than 0.4 s' });
  });

  it('tell their output part after part', async () => {
    const tasks = open();
    await tasks.start('shop', 'a', wish('echo one; printf two'));
    const all = await ended(tasks, 'a');
    expect(all.lines).toEqual(['one', 'two']);
    expect(await tasks.view('shop', 'a', 4)).toMatchObject({ lines: ['two'], next: all.next });
    expect(await tasks.view('shop', 'a', all.next)).toMatchObject({ lines: [] });
  });

  it('know nothing of one that is forgotten, and let it be tried again where it could not start', async () => {
    const tasks = open();
    await rm(join(root, 'files'), { recursive: true });
    await expect(tasks.start('shop', 'a', wish('echo hi'))).rejects.toMatchObject({ class: 'startFailed' });
    expect(await tasks.view('shop', 'a', 0)).toBeUndefined();
    await mkdir(join(root, 'files'));
    await tasks.start('shop', 'a', wish('echo hi'));
    await ended(tasks, 'a');
    await tasks.forget('shop', 'a');
    expect(await tasks.view('shop', 'a', 0)).toBeUndefined();
  });
});
