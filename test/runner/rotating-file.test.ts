import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rotatingFile } from '../../src/runner/rotating-file.ts';
import { removeFolder } from './applications.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-log-'));
});
afterAll(() => removeFolder(folder));

describe('rotating file', () => {
  it('starts a new file when one is full and keeps a bounded number', async () => {
    const path = join(folder, 'logs', 'web.log');
    for (let n = 1; n <= 6; n++) {
      // Closed each time: a file is also found again by the next owner.
      const file = rotatingFile(path, 25, 2);
      file.write(`line ${n} of the log`);
      await file.close();
    }
    expect((await readdir(join(folder, 'logs'))).sort()).toEqual(['web.log', 'web.log.1', 'web.log.2']);
    expect(await readFile(path, 'utf8')).toBe('line 6 of the log\n');
    expect(await readFile(`${path}.2`, 'utf8')).toBe('line 4 of the log\n');
  });

  it('drops lines instead of growing when the disk is too slow, and says how many', async () => {
    const path = join(folder, 'slow.log');
    const file = rotatingFile(path);
    const long = 'x'.repeat(400_000);
    for (let n = 0; n < 6; n++) file.write(long);
    file.write('last');
    await file.close();
    expect(await readFile(path, 'utf8')).toMatch(/… \d lines dropped: the disk was too slow\n$/);
  });

  it('takes no harm from a folder that cannot be written', async () => {
    const file = rotatingFile(join(folder, 'slow.log', 'web.log'));
    file.write('lost');
    await file.close();
  });
});
