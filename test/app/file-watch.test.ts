import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createFileWatch, type FileWatch } from '../../src/app/file-watch.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { settled } from '../support/virtual-time.ts';

let dir: string;
let clock: VirtualClock;
let watch: FileWatch;
let changes: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-watch-'));
  clock = virtualClock();
  changes = 0;
  watch = createFileWatch(
    clock,
    () => {
      changes++;
    },
    async (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  );
});

afterEach(async () => {
  watch.close();
  await rm(dir, { recursive: true, force: true });
});

async function watched(...names: readonly string[]): Promise<void> {
  const files = new Map<string, string | undefined>();
  for (const name of names) {
    const path = join(dir, name);
    files.set(path, await readFile(path, 'utf8').catch(() => undefined));
  }
  watch.watch(files);
}

async function look(): Promise<void> {
  clock.advance(500);
  await settled();
}

it('says nothing as long as contents are what they were, even if written again', async () => {
  await writeFile(join(dir, 'a'), 'one');
  await watched('a');
  await look();
  await writeFile(join(dir, 'a'), 'one');
  await look();
  await look();
  expect(changes).toBe(0);
});

it('speaks once, when two looks in a row saw the same new content', async () => {
  await writeFile(join(dir, 'a'), 'one');
  await watched('a');
  await writeFile(join(dir, 'a'), 'tw');
  await look();
  await writeFile(join(dir, 'a'), 'two');
  await look();
  expect(changes).toBe(0);
  await look();
  expect(changes).toBe(1);
  await look();
  await look();
  expect(changes).toBe(1);
});

it('sees a file renamed over another, and one that comes or goes', async () => {
  await writeFile(join(dir, 'a'), 'one');
  await watched('a', 'missing');
  await writeFile(join(dir, 'a.new'), 'two');
  await rename(join(dir, 'a.new'), join(dir, 'a'));
  await look();
  await look();
  expect(changes).toBe(1);
  await watched('a', 'missing');
  await writeFile(join(dir, 'missing'), '');
  await look();
  await look();
  expect(changes).toBe(2);
  await watched('a', 'missing');
  await rm(join(dir, 'a'));
  await look();
  await look();
  expect(changes).toBe(3);
});

it('sees a folder behind a symbolic link swapped for another', async () => {
  for (const name of ['v1', 'v2']) {
    await mkdir(join(dir, name));
    await writeFile(join(dir, name, 'cert.pem'), name);
  }
  await symlink('v1', join(dir, '..data'));
  await symlink('..data/cert.pem', join(dir, 'cert.pem'));
  await watched('cert.pem');
  await symlink('v2', join(dir, '..tmp'));
  await rename(join(dir, '..tmp'), join(dir, '..data'));
  await look();
  await look();
  expect(changes).toBe(1);
});

it('says nothing after it was closed', async () => {
  await writeFile(join(dir, 'a'), 'one');
  await watched('a');
  await writeFile(join(dir, 'a'), 'two');
  await look();
  watch.close();
  await look();
  expect(changes).toBe(0);
});
