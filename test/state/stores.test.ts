import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { fileStore } from '../../src/state/file-store.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { stateStoreConformance } from '../conformance/state-store.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const path of folders) await rm(path, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-state-'));
  folders.push(path);
  return path;
}

stateStoreConformance('memory', async (clock) => memoryStore(clock));
stateStoreConformance('a folder of files', async (clock) => fileStore(await folder(), clock));

describe('a folder of files', () => {
  it('keeps what was put for the next process', async () => {
    const dir = await folder();
    await (await fileStore(dir, systemClock)).put('journal', 'd-1', { step: 'stage' });
    expect(await (await fileStore(dir, systemClock)).get('journal', 'd-1')).toEqual({ step: 'stage' });
  });

  it('of another schema is refused with what to do', async () => {
    const dir = await folder();
    await writeFile(join(dir, 'version'), '99\n');
    await expect(fileStore(dir, systemClock)).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      details: { remedy: expect.stringContaining('state.dir') },
    });
  });

  it('gives one of many processes that ask at once the lease', async () => {
    const store = await fileStore(await folder(), systemClock);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.acquire('x', { id: `p${i}`, reason: '', since: 0 }, 60_000)),
    );
    expect(answers.filter((answer) => answer.held)).toHaveLength(1);
  });

  it('needs no waiting for a lease whose process is dead, and waits for one that lives', async () => {
    const store = await fileStore(await folder(), systemClock);
    const dead = spawnSync('true').pid;
    const holder = (id: string, pid: number) => ({
      id,
      reason: '',
      since: 0,
      process: { host: hostname(), pid },
    });
    expect(await store.acquire('x', holder('dead', dead), 60_000)).toMatchObject({ held: true });
    expect(await store.acquire('x', holder('alive', process.pid), 60_000)).toMatchObject({
      held: true,
      token: 2,
    });
    expect(await store.acquire('x', holder('next', process.pid), 60_000)).toMatchObject({ held: false });
  });

  it('writes files only their owner can read', async () => {
    const dir = await folder();
    await (await fileStore(dir, systemClock)).put('journal', 'd-1', 1);
    const { stat } = await import('node:fs/promises');
    expect((await stat(join(dir, 'journal', 'd-1.json'))).mode & 0o077).toBe(0);
    expect(await readFile(join(dir, 'journal', 'd-1.json'), 'utf8')).toBe('1\n');
  });
});
