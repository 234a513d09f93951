import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { createKeepingRunner, type KeepingRunner } from '../../src/runner/keeping-runner.ts';
import { identify, isAlive, type ProcessIdentity } from '../../src/runner/proc.ts';
import { signalGroup } from '../../src/runner/process-group.ts';
import { applicationFolder, ask, exists, removeFolder, specOf, until } from './applications.ts';

let folder: string;
let spoolDir: string;
let recorded: Map<string, { port: number; identity: ProcessIdentity }>;
let runners: KeepingRunner[];

beforeAll(async () => {
  folder = await applicationFolder();
});
afterAll(() => removeFolder(folder));
beforeEach(async () => {
  spoolDir = await mkdtemp(join(tmpdir(), 'sluice-spool-'));
  recorded = new Map();
  runners = [];
});
afterEach(async () => {
  for (const runner of runners) await runner.leave();
  for (const { identity } of recorded.values()) signalGroup(identity.pid, 'SIGKILL');
  await removeFolder(spoolDir);
});

function owner(
  record: (id: string, port: number, identity: ProcessIdentity) => Promise<void> = async () => undefined,
): KeepingRunner {
  const runner = createKeepingRunner({
    clock: systemClock,
    random: seededRandom(5),
    spoolDir,
    async record(id, port, identity) {
      recorded.set(id, { port, identity });
      await record(id, port, identity);
    },
  });
  runners.push(runner);
  return runner;
}

const spec = (more = {}) =>
  specOf(folder, 'node server.js', { startDetection: { kind: 'log', pattern: 'listening' }, ...more });

function isRunning(runner: KeepingRunner): () => boolean {
  return () => runner.get('web/0')?.state === 'running';
}

describe('runner whose instances outlive it', () => {
  it('leaves a process running that the next owner adopts, with its log, port and identity', async () => {
    const first = owner();
    await first.start(spec());
    await until(isRunning(first));
    const { pid = 0, port } = first.get('web/0') ?? {};
    await first.leave();
    expect(exists(pid)).toBe(true);

    const next = owner();
    const left = recorded.get('web/0');
    if (left === undefined) throw new Error('nothing was recorded');
    expect(isAlive(left.identity)).toBe(true);
    await next.adopt(spec(), { ...left, ready: true, restarts: 2 });
    expect(next.get('web/0')).toMatchObject({ state: 'running', pid, port, restarts: 2 });
    await until(() => next.logs('web/0', 5).length > 0);
    expect(next.logs('web/0', 5)[0]?.text).toBe(`listening on ${port}`);
    expect((await ask(port ?? 0)).env['PORT']).toBe(String(port));

    await next.stop('web/0');
    expect(exists(pid)).toBe(false);
    expect(next.logs('web/0', 5).at(-1)?.text).toBe('draining');
  });

  it('restarts an adopted process that ends, on its port', async () => {
    const first = owner();
    await first.start(spec());
    await until(isRunning(first));
    await first.leave();
    const next = owner();
    const left = recorded.get('web/0');
    if (left === undefined) throw new Error('nothing was recorded');
    await next.adopt(spec(), { ...left, ready: true, restarts: 0 });
    signalGroup(left.identity.pid, 'SIGKILL');
    await until(() => isRunning(next)() && next.get('web/0')?.pid !== left.identity.pid);
    expect(next.get('web/0')).toMatchObject({ port: left.port, restarts: 1 });
    expect(recorded.get('web/0')?.identity.pid).toBe(next.get('web/0')?.pid);
  });

  it('never takes another process for ours because it has the pid', () => {
    const ours = identify(process.pid);
    expect(isAlive(ours)).toBe(true);
    expect(isAlive({ ...ours, startTicks: (ours.startTicks ?? 0) - 1 })).toBe(false);
  });

  it('starts nothing that could not be put on record', async () => {
    const runner = owner(() => Promise.reject(new Error('disk full')));
    await runner.start(spec({ command: `touch ${spoolDir}/ran; node server.js`, restart: false }));
    await until(() => runner.get('web/0')?.state === 'stopped');
    expect(runner.get('web/0')?.reason).toBe('cannot start: disk full');
    await expect(stat(join(spoolDir, 'ran'))).rejects.toThrow('ENOENT');
  });

  it('keeps what a process prints in a bounded file', async () => {
    const runner = owner();
    // Few long lines: a machine with dear system calls needs minutes for many short ones. The end is said again and
    // again, because a line may fall between the last read and the emptying of the file.
    const loud =
      "for(let i=0;i<800;i++)console.log(i+' '.repeat(8000));setInterval(()=>console.log('the end'),50)";
    await runner.start(
      specOf(folder, `exec node -e "${loud}"`, { startDetection: { kind: 'log', pattern: 'the end' } }),
    );
    await until(isRunning(runner));
    const texts = runner.logs('web/0', 1_000).map((line) => line.text.trim());
    expect(texts.at(-1)).toBe('the end');
    expect(texts.filter((text) => /^\d+$/.test(text)).length).toBeGreaterThan(400);
    await until(async () => (await stat(join(spoolDir, 'web%2F0.out'))).size < 4_200_000);
    await runner.stop('web/0');
    runner.forget('web/0');
    await expect(readFile(join(spoolDir, 'web%2F0.out'))).rejects.toThrow('ENOENT');
  });
});
