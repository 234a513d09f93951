import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Runner, RunningInstance } from '../../src/core/runner.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { createRunner } from '../../src/runner/runner.ts';
import { applicationFolder, ask, exists, removeFolder, specOf, until } from './applications.ts';

let folder: string;
let runner: Runner;

beforeAll(async () => {
  folder = await applicationFolder();
});
afterAll(() => removeFolder(folder));
beforeEach(() => {
  runner = createRunner({ clock: systemClock, random: seededRandom(7) });
});
afterEach(() => runner.close());

function reaches(state: RunningInstance['state'], id = 'web/0'): Promise<RunningInstance> {
  return new Promise((resolve) => {
    const now = runner.get(id);
    if (now?.state === state) return resolve(now);
    const dispose = runner.onChange((instance) => {
      if (instance.id !== id || instance.state !== state) return;
      dispose();
      resolve(instance);
    });
  });
}

describe('runner', () => {
  it('runs a command on a free port with the given environment only', async () => {
    process.env['CANARY_OF_OURS'] = 'must not leak';
    const started = await runner.start(
      specOf(folder, 'node server.js', {
        env: { COLOUR: 'blue' },
        startDetection: { kind: 'http', path: '/' },
      }),
    );
    expect(started.state).toBe('starting');
    const running = await reaches('running');
    const { env } = await ask(running.port);
    delete process.env['CANARY_OF_OURS'];
    expect(env['COLOUR']).toBe('blue');
    expect(env['PORT']).toBe(String(running.port));
    const known = new Set(['COLOUR', 'PORT', 'PATH', 'HOME', 'LANG', 'TZ', 'PWD', 'OLDPWD', '_', 'SHLVL']);
    expect(Object.keys(env).filter((key) => !known.has(key))).toEqual([]);
  });

  it('is ready when a line matches', async () => {
    await runner.start(
      specOf(folder, 'node server.js', { startDetection: { kind: 'log', pattern: '^listening on \\d+$' } }),
    );
    const running = await reaches('running');
    expect(runner.logs('web/0', 10).map((line) => line.text)).toEqual([`listening on ${running.port}`]);
  });

  it('stops politely and keeps the last lines', async () => {
    await runner.start(specOf(folder, 'node server.js'));
    const { pid } = await reaches('running');
    await runner.stop('web/0');
    const stopped = runner.get('web/0');
    expect(stopped).toMatchObject({ state: 'stopped', pid: undefined });
    expect(exists(pid ?? 0)).toBe(false);
    expect(runner.logs('web/0', 1)[0]?.text).toBe('draining');
    runner.forget('web/0');
    expect(runner.get('web/0')).toBeUndefined();
  });

  it('lets the server below a shell drain although the shell is gone', async () => {
    await runner.start(specOf(folder, 'true && node server.js; echo after'));
    await reaches('running');
    await runner.stop('web/0');
    expect(runner.logs('web/0', 5).map((line) => line.text)).toContain('draining');
  });

  it('kills the whole group after the grace', async () => {
    await runner.start(
      specOf(folder, 'node parent.js', {
        startDetection: { kind: 'log', pattern: '^child' },
        stopGraceMs: 200,
      }),
    );
    await reaches('running');
    const grandchild = Number(runner.logs('web/0', 1)[0]?.text.slice('child '.length));
    expect(exists(grandchild)).toBe(true);
    await runner.stop('web/0');
    await until(() => !exists(grandchild));
  });

  it('restarts what crashed on the same port, with its exit code as reason', async () => {
    await runner.start(specOf(folder, 'node server.js'));
    const { pid, port } = await reaches('running');
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await reaches('backing-off')).toMatchObject({ reason: 'killed by SIGKILL' });
    expect(await reaches('running')).toMatchObject({ port, restarts: 1, reason: undefined });
  });

  it('tells why a command cannot run', async () => {
    await runner.start(specOf(folder, 'node crash.js'));
    expect(await reaches('backing-off')).toMatchObject({ reason: 'exited with code 3', exitCode: 3 });
    expect(runner.logs('web/0', 5)).toMatchObject([{ stream: 'err', text: 'no database' }]);
  });

  it('says which folder is missing', async () => {
    await runner.start(specOf('/nowhere/at/all', 'node server.js', { restart: false }));
    const stopped = await reaches('stopped');
    expect(stopped.reason).toBe('cannot start: the folder /nowhere/at/all does not exist');
  });

  it('gives up on a start that takes too long and stops it', async () => {
    await runner.start(specOf(folder, 'node silent.js', { startTimeoutMs: 300, restart: false }));
    const { pid } = runner.get('web/0') ?? {};
    const stopped = await reaches('stopped');
    expect(stopped.reason).toBe('not ready after 0.3s');
    expect(exists(pid ?? 0)).toBe(false);
  });

  it('does not restart where the owner decides', async () => {
    await runner.start(specOf(folder, 'node crash.js', { restart: false }));
    expect(await reaches('stopped')).toMatchObject({ exitCode: 3, restarts: 0 });
  });

  it('refuses an id that runs already and takes it again once stopped', async () => {
    await runner.start(specOf(folder, 'node server.js'));
    await expect(runner.start(specOf(folder, 'node server.js'))).rejects.toThrow('runs already');
    await runner.stop('web/0');
    await runner.start(specOf(folder, 'node server.js'));
    await reaches('running');
  });

  it('gives instances started together ports of their own', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    await Promise.all(ids.map((id) => runner.start(specOf(folder, 'node server.js', { id }))));
    await Promise.all(ids.map((id) => reaches('running', id)));
    expect(new Set(runner.list().map((one) => one.port)).size).toBe(4);
  });

  it('stops everything when closed, also in the middle of a start or a back-off', async () => {
    await runner.start(specOf(folder, 'node stubborn.js', { id: 'a', stopGraceMs: 100 }));
    await runner.start(specOf(folder, 'node crash.js', { id: 'b' }));
    await reaches('backing-off', 'b');
    const starting = runner.start(specOf(folder, 'node silent.js', { id: 'c' }));
    await runner.close();
    await starting;
    expect(runner.list().map((one) => one.state)).toEqual(['stopped', 'stopped', 'stopped']);
  });
});
