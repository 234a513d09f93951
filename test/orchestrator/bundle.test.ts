import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundleFolder } from '../../src/orchestrator/bundle.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function write(root: string, files: Record<string, string>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, root, path)), { recursive: true });
    await writeFile(join(dir, root, path), content);
  }
  return join(dir, root);
}

async function pathsIn(root: string): Promise<string[]> {
  return (await bundleFolder(root)).files.map((file) => file.path);
}

describe('a bundle', () => {
  it('leaves out what .gitignore and .cfignore name, in every folder, and what is never part of an app', async () => {
    const root = await write('a', {
      '.gitignore': 'node_modules\n*.log\n',
      '.cfignore': 'test/\n',
      '.git/HEAD': 'ref',
      'node_modules/x/index.js': '',
      'debug.log': '',
      'test/a.js': '',
      'sub/.gitignore': 'secret.txt\n!keep.log\n',
      'sub/secret.txt': '',
      'sub/keep.log': '',
      'sub/b.js': '',
      'server.js': '',
    });
    expect(await pathsIn(root)).toEqual(['server.js', 'sub/b.js', 'sub/keep.log']);
  });

  it('has the same digest wherever the same files lie, whenever they were written', async () => {
    const a = await bundleFolder(await write('a', { 'x.js': '1', 'y/z.js': '2' }));
    const b = await bundleFolder(await write('b', { 'y/z.js': '2', 'x.js': '1' }));
    expect(a.digest).toBe(b.digest);
    expect((await a.tarGz()).equals(await b.tarGz())).toBe(true);
    expect((await a.zip()).equals(await b.zip())).toBe(true);
  });

  it('has another digest when a byte, a name or an executable bit differs', async () => {
    const digests = new Set<string>();
    digests.add((await bundleFolder(await write('a', { 'x.js': '1' }))).digest);
    digests.add((await bundleFolder(await write('b', { 'x.js': '2' }))).digest);
    digests.add((await bundleFolder(await write('c', { 'y.js': '1' }))).digest);
    const d = await write('d', { 'x.js': '1' });
    await chmod(join(d, 'x.js'), 0o755);
    digests.add((await bundleFolder(d)).digest);
    expect(digests.size).toBe(4);
  });

  it('packs a link to a file inside as that file and refuses one that leads out', async () => {
    const root = await write('a', { 'real.js': 'x' });
    await symlink('real.js', join(root, 'link.js'));
    expect(await pathsIn(root)).toEqual(['link.js', 'real.js']);
    await symlink('/etc/hostname', join(root, 'out'));
    await expect(bundleFolder(root)).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      details: { where: expect.stringContaining('out'), remedy: expect.any(String) },
    });
  });

  it.each(['back\\slash', 'line\nbreak'])(
    'refuses the file name %j, which not every platform unpacks alike',
    async (name) => {
      const root = await write('a', { 'x.js': '1', [name]: '2' });
      await expect(bundleFolder(root)).rejects.toMatchObject({
        code: 'SOURCE_UNREADABLE',
        details: { where: expect.stringContaining(JSON.stringify(name).slice(1, -1)) },
      });
    },
  );

  it.each([
    ['a folder that is not there', 'nowhere'],
    ['a file', 'a/x.js'],
    ['an empty folder', 'empty'],
  ])('of %s is refused with where and what to do', async (_what, path) => {
    await write('a', { 'x.js': '1' });
    await mkdir(join(dir, 'empty'));
    await expect(bundleFolder(join(dir, path))).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      details: { remedy: expect.stringContaining('source') },
    });
  });
});
