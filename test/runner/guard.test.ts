import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { allProcesses } from '../../src/runner/proc.ts';
import { signalGroup } from '../../src/runner/process-group.ts';
import { applicationFolder, exists, removeFolder, until } from './applications.ts';

/** The owner must be a process of its own, so it runs the compiled runner. */
const COMPILED = join(process.cwd(), 'dist/src/runner/runner.js');

const OWNER = `
import { createRunner } from ${JSON.stringify(COMPILED)};
import { systemClock } from ${JSON.stringify(COMPILED.replace('runner/runner.js', 'lib/clock.js'))};
const runner = createRunner({ clock: systemClock, random: Math.random });
const spec = (id, command) => ({ id, command, cwd: process.argv[2], env: {}, startDetection: { kind: 'log', pattern: '.' }, startTimeoutMs: 9000, stopGraceMs: 300 });
runner.onChange((one) => { if (one.state === 'running') console.log('pid ' + one.pid); });
runner.onLog((line) => { if (line.text.startsWith('child ')) console.log('pid ' + line.text.slice(6)); });
process.on('SIGTERM', async () => { await runner.close(); console.log('closed'); process.exit(0); });
await runner.start(spec('a', 'node stubborn.js'));
await runner.start(spec('b', 'node parent.js; true'));
`;

let folder: string;
let owner: ChildProcess | undefined;
let started: number[] = [];

beforeAll(async () => {
  if (!existsSync(COMPILED))
    throw new Error('run `npm run build` first: this test starts the compiled runner');
  folder = await applicationFolder();
  await writeFile(join(folder, 'owner.mjs'), OWNER);
});
afterAll(() => removeFolder(folder));
afterEach(async () => {
  // Whatever the test found out: nothing stays.
  for (const pid of [owner?.pid ?? 0, ...started]) {
    if (pid === 0) continue;
    signalGroup(pid, 'SIGKILL');
    if (exists(pid)) process.kill(pid, 'SIGKILL');
  }
  started = [];
});

/** An owner with two instances, one of which has a child; resolves when all three run. */
async function startOwner(): Promise<{ pid: number; guard: number; lines: string[] }> {
  const child = spawn(process.execPath, ['owner.mjs', folder], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  owner = child;
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('pid ')) started.push(Number(line.slice(4)));
  });
  await until(() => started.length === 3);
  const pid = child.pid ?? 0;
  const guard = await guardOf(pid);
  started.push(guard);
  return { pid, guard, lines };
}

/** The owner's only child that is none of its instances. */
async function guardOf(owner: number): Promise<number> {
  const children = await readFile(`/proc/${owner}/task/${owner}/children`, 'utf8').catch(() => '');
  const guards = children
    .trim()
    .split(' ')
    .map(Number)
    .filter((pid) => !started.includes(pid) && exists(pid));
  expect(guards).toHaveLength(1);
  return guards[0] ?? 0;
}

describe('guard', () => {
  it('leaves no orphan when the owner gets SIGKILL', async () => {
    const { pid } = await startOwner();
    expect(started.every(exists)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await until(() => !started.some(exists));
    const groups = new Set(started);
    const left = (await allProcesses()).filter((one) => groups.has(one.processGroup) && one.state !== 'Z');
    expect(left).toEqual([]);
  });

  it('outlives Ctrl-C and hang-up of the terminal, and does its work after them', async () => {
    const { pid, guard } = await startOwner();
    process.kill(guard, 'SIGINT');
    process.kill(guard, 'SIGHUP');
    process.kill(guard, 'SIGTERM');
    process.kill(-pid, 'SIGINT');
    await until(() => !started.some(exists));
  });

  it('is replaced when it is killed, and the next one knows everything', async () => {
    const { pid, guard } = await startOwner();
    process.kill(guard, 'SIGKILL');
    await until(async () => (await guardOf(pid).catch(() => guard)) !== guard);
    // Its process can be seen a moment before the owner has told it anything; nothing shows when it has.
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.kill(pid, 'SIGKILL');
    await until(() => !started.some(exists));
  });

  it('goes without killing when the owner closes', async () => {
    const { pid, lines } = await startOwner();
    process.kill(pid, 'SIGTERM');
    await until(() => !exists(pid));
    // Its last words may still be in the pipe when it is gone.
    await until(() => lines.includes('closed'), 1_000);
    await until(() => !started.some(exists), 1_000);
  });
});
