import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createVolumeFolders, type VolumeFolders } from '../../src/runner/host/volumes.ts';

let root: string;
let volumes: VolumeFolders;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-volumes-'));
  volumes = createVolumeFolders(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('a folder is made once, for nobody else to read, and keeps what is in it', async () => {
  const path = await volumes.ensure('shop', 'files');
  await writeFile(join(path, 'order'), 'one');
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(await createVolumeFolders(root).ensure('shop', 'files')).toBe(path);
  expect(await readFile(join(path, 'order'), 'utf8')).toBe('one');
  expect(await volumes.list('shop')).toEqual([{ name: 'files', path }]);
  expect(await volumes.list('other')).toEqual([]);
});

it('one is removed with all in it, and the others stay', async () => {
  const [files, cache] = [await volumes.ensure('shop', 'files'), await volumes.ensure('shop', 'cache')];
  await writeFile(join(files, 'order'), 'one');
  await volumes.remove('shop', 'files');
  await volumes.remove('shop', 'files');
  expect([existsSync(files), existsSync(cache)]).toEqual([false, true]);
  await volumes.remove('shop', 'cache');
  expect(existsSync(join(root, 'shop'))).toBe(false);
});
