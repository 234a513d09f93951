import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ZipFile } from 'yazl';
import { tarGzFiles, untarGz, unzip, zipFiles } from '../../src/lib/archive.ts';

const FILES = [
  { path: '@scope.txt', mode: 0o644 },
  { path: 'bin/run', mode: 0o755 },
  { path: 'server.js', mode: 0o644 },
];

let dir: string;
let source: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-archive-'));
  source = join(dir, 'source');
  await unpackFixture(source);
});

afterEach(() => rm(dir, { recursive: true, force: true }));

async function unpackFixture(into: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(join(into, 'bin'), { recursive: true });
  await writeFile(join(into, '@scope.txt'), 'at');
  await writeFile(join(into, 'bin/run'), '#!/bin/sh\n', { mode: 0o700 });
  await writeFile(join(into, 'server.js'), 'x'.repeat(100_000));
}

describe('an archive', () => {
  it.each([
    ['zip', zipFiles, unzip],
    ['tar.gz', tarGzFiles, untarGz],
  ])('comes back as it was packed, with executable bits (%s)', async (_name, pack, unpack) => {
    const into = join(dir, 'into');
    await unpack(await pack(source, FILES), into);
    expect(await readFile(join(into, 'server.js'), 'utf8')).toHaveLength(100_000);
    expect(await readFile(join(into, '@scope.txt'), 'utf8')).toBe('at');
    expect((await stat(join(into, 'bin/run'))).mode & 0o111).toBe(0o111);
    expect((await stat(join(into, 'server.js'))).mode & 0o111).toBe(0);
  });

  it.each([
    ['zip', zipFiles],
    ['tar.gz', tarGzFiles],
  ])('has the same bytes wherever the same files lie (%s)', async (_name, pack) => {
    const copy = join(dir, 'copy');
    await unpackFixture(copy);
    expect((await pack(source, FILES)).equals(await pack(copy, FILES))).toBe(true);
  });

  it('that would write outside its folder is refused', async () => {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from('gotcha'), 'aa/evil.txt');
    zip.end();
    const parts: Buffer[] = [];
    for await (const part of zip.outputStream) parts.push(part as Buffer);
    const evil = Buffer.from(
      Buffer.concat(parts).toString('latin1').replaceAll('aa/evil', '../evil'),
      'latin1',
    );
    await expect(unzip(evil, join(dir, 'into'))).rejects.toThrow();
    await expect(stat(join(dir, 'evil.txt'))).rejects.toThrow();
  });
});
