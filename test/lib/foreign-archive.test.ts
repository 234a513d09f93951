import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as tar from 'tar';
import { ZipFile } from 'yazl';
import { fileKind, unpackArchive } from '../../src/lib/foreign-archive.ts';

let dir: string;
let into: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-foreign-'));
  into = join(dir, 'into');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function zipped(fill: (zip: ZipFile) => void): Promise<string> {
  const zip = new ZipFile();
  fill(zip);
  zip.end();
  const file = join(dir, 'given.zip');
  await pipeline(zip.outputStream as Readable, createWriteStream(file));
  return file;
}

/** A header of 512 bytes, as anybody can write one, and its content. */
function tarEntry(name: string, content: string, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

async function tarred(...entries: readonly Buffer[]): Promise<string> {
  const file = join(dir, 'given.tar');
  await writeFile(file, Buffer.concat([...entries, Buffer.alloc(1024)]));
  return file;
}

describe('an archive that somebody else packed', () => {
  it('is known by its first bytes, whatever its name says', async () => {
    await mkdir(join(dir, 'files'));
    await writeFile(join(dir, 'files/a.txt'), 'a');
    await tar.create({ cwd: dir, file: join(dir, 'x.zip') }, ['files']);
    await tar.create({ cwd: dir, file: join(dir, 'x.tar'), gzip: true }, ['files']);
    await writeFile(join(dir, 'run'), '#!/bin/sh\n');
    await writeFile(join(dir, 'elf'), Buffer.from('\u007fELF\u0002', 'latin1'));
    const zip = await zipped((one) => one.addBuffer(Buffer.from('a'), 'a'));
    const kinds = await Promise.all(
      [zip, join(dir, 'x.zip'), join(dir, 'x.tar'), join(dir, 'run'), join(dir, 'elf')].map(fileKind),
    );
    expect(kinds).toEqual(['zip', 'tar', 'gzip', 'script', 'elf']);
    expect(await fileKind(join(dir, 'files/a.txt'))).toBe('other');
  });

  it.each([
    ['leaves its folder', tarEntry('../evil', 'x'), /\.\./],
    ['is a link', tarEntry('link', '', '2', '/etc/passwd'), /"link" is no file and no folder/],
    ['is a hard link', tarEntry('hard', '', '1', '../../secret'), /"hard" is no file and no folder/],
    ['is a device', tarEntry('tty', '', '3'), /"tty" is no file/],
  ])('is refused when a tar entry %s', async (_what, entry, why) => {
    await expect(unpackArchive(await tarred(entry), 'tar', into)).rejects.toThrow(why);
    expect(await readdir(dir)).not.toContain('evil');
  });

  it('is refused when it names a file twice', async () => {
    const twice = await tarred(tarEntry('a', '1'), tarEntry('./a', '2'));
    await expect(unpackArchive(twice, 'tar', into)).rejects.toThrow('is there twice');
    const zip = await zipped((one) => {
      one.addBuffer(Buffer.from('1'), 'a');
      one.addBuffer(Buffer.from('2'), 'a');
    });
    await expect(unpackArchive(zip, 'zip', join(dir, 'other'))).rejects.toThrow('is there twice');
  });

  it('is refused when a zip entry is a link or leaves its folder', async () => {
    const link = await zipped((one) => one.addBuffer(Buffer.from('/etc/passwd'), 'link', { mode: 0o120777 }));
    await expect(unpackArchive(link, 'zip', into)).rejects.toThrow('"link" is a symbolic link');
    const out = await readFile(await zipped((one) => one.addBuffer(Buffer.from('x'), 'aa/evil')));
    await writeFile(join(dir, 'out.zip'), out.toString('latin1').replaceAll('aa/', '../'), 'latin1');
    await expect(unpackArchive(join(dir, 'out.zip'), 'zip', into)).rejects.toThrow(/\.\./);
  });

  it('is refused when it unpacks to more than a bound, and what it says of its size is not believed', async () => {
    const limits = { bytes: 100_000, files: 10 };
    const bomb = join(dir, 'bomb.tgz');
    await writeFile(bomb, gzipSync(Buffer.concat([tarEntry('zeros', '0'.repeat(1_000_000))])));
    await expect(unpackArchive(bomb, 'gzip', into, limits)).rejects.toThrow('unpacks to more than');
    const zip = await zipped((one) => one.addBuffer(Buffer.alloc(1_000_000), 'zeros'));
    await expect(unpackArchive(zip, 'zip', into, limits)).rejects.toThrow('unpacks to more than');
    const many = Array.from({ length: 11 }, (_value, i) => tarEntry(`f${i}`, ''));
    await expect(unpackArchive(await tarred(...many), 'tar', join(dir, 'many'), limits)).rejects.toThrow(
      'more than 10 files or folders',
    );
  });

  it('is refused when it makes more folders than a bound', async () => {
    const limits = { bytes: 100_000, files: 10 };
    const many = Array.from({ length: 11 }, (_value, i) => tarEntry(`d${i}/`, '', '5'));
    await expect(unpackArchive(await tarred(...many), 'tar', into, limits)).rejects.toThrow('or folders');
    const zip = await zipped((one) => {
      for (let i = 0; i < 11; i += 1) one.addEmptyDirectory(`d${i}`);
    });
    await expect(unpackArchive(zip, 'zip', join(dir, 'other'), limits)).rejects.toThrow('or folders');
  });

  it('is refused when it names a file twice in other words', async () => {
    const twice = await tarred(tarEntry('a/b', '1'), tarEntry('a/./b', '2'));
    await expect(unpackArchive(twice, 'tar', into)).rejects.toThrow('is there twice');
  });

  it('is refused when it is cut off', async () => {
    const zip = await readFile(await zipped((one) => one.addBuffer(Buffer.alloc(9_999), 'a')));
    await writeFile(join(dir, 'half.zip'), zip.subarray(0, zip.length / 2));
    await expect(unpackArchive(join(dir, 'half.zip'), 'zip', into)).rejects.toThrow();
    const half = join(dir, 'half.tgz');
    await writeFile(half, gzipSync(tarEntry('a', 'x'.repeat(5_000))).subarray(0, 60));
    await expect(unpackArchive(half, 'gzip', into)).rejects.toThrow();
  });

  it('does not write through a link that is there already', async () => {
    await mkdir(into);
    await symlink(dir, join(into, 'up'));
    const through = await tarred(tarEntry('up/evil', 'x'));
    await unpackArchive(through, 'tar', into).catch(() => undefined);
    expect(await readdir(dir)).not.toContain('evil');
  });
});
