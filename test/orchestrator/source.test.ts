import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as tar from 'tar';
import type { GitSource } from '../../src/core/settings.ts';
import { zipFiles } from '../../src/lib/archive.ts';
import { bundleFolder } from '../../src/orchestrator/bundle.ts';
import { packSource } from '../../src/orchestrator/source.ts';

let dir: string;
let shop: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-source-test-'));
  shop = join(dir, 'repo/services/shop');
  await mkdir(join(shop, 'bin'), { recursive: true });
  await writeFile(join(shop, 'server.js'), 'serve()');
  await writeFile(join(shop, 'bin/run'), '#!/bin/sh\n');
  await chmod(join(shop, 'bin/run'), 0o755);
  await writeFile(join(shop, '.cfignore'), 'notes.txt\n');
  await writeFile(join(shop, 'notes.txt'), 'not for production');
  await symlink('server.js', join(shop, 'index.js'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const at = (path: string) => ({ kind: 'path' as const, path });

function run(...args: string[]): string {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  return execFileSync('git', [...who, ...args], { cwd: join(dir, 'repo'), encoding: 'utf8' }).trim();
}

function commitAll(): string {
  run('init', '--quiet', '--initial-branch=main');
  run('add', '--all', '--force');
  run('commit', '--quiet', '--message', 'first');
  return run('rev-parse', 'HEAD');
}

function gitSource(more: Partial<GitSource>): GitSource {
  return { kind: 'git', repository: shop, remote: false, ref: 'main', path: undefined, ...more };
}

async function refusal(source: Parameters<typeof packSource>[0]): Promise<Record<string, unknown>> {
  const error = await packSource(source).catch((caught: unknown) => caught);
  return error as Record<string, unknown>;
}

describe('the same files', () => {
  it('have the same digest from a folder, a zip, a tar, a tar.gz and a commit', async () => {
    const folder = await packSource(at(shop));
    // Without the link: archives hold plain files, and a folder's link is packed as what it points to.
    const plain = join(dir, 'plain');
    await cp(shop, plain, { recursive: true, dereference: true });
    const { files } = await bundleFolder(plain);
    await writeFile(join(dir, 'shop.zip'), await zipFiles(plain, files));
    await tar.create({ cwd: plain, file: join(dir, 'shop.tar') }, ['.']);
    await tar.create({ cwd: plain, file: join(dir, 'shop.tgz'), gzip: true }, ['.']);
    const commit = commitAll();
    const all = await Promise.all([
      packSource(at(join(dir, 'shop.zip'))),
      packSource(at(join(dir, 'shop.tar'))),
      packSource(at(join(dir, 'shop.tgz'))),
      packSource(gitSource({})),
      packSource(gitSource({ repository: join(dir, 'repo'), path: 'services/shop' })),
      packSource(gitSource({ repository: shop, path: 'services/shop' })),
      packSource(gitSource({ repository: `file://${dir}/repo`, remote: true, path: 'services/shop' })),
    ]);
    expect(all.map(({ digest }) => digest)).toEqual(all.map(() => folder.digest));
    expect(all.slice(3).map((one) => one.commit)).toEqual(Array(4).fill(commit));
  });
});

describe('a commit', () => {
  it('is what was committed, whatever lies in the folder now', async () => {
    commitAll();
    const before = await packSource(gitSource({}));
    await writeFile(join(shop, 'server.js'), 'changed()');
    await writeFile(join(shop, 'new.js'), 'new()');
    expect((await packSource(gitSource({}))).digest).toBe(before.digest);
    expect((await packSource(at(shop))).digest).not.toBe(before.digest);
  });

  it('is found by branch, tag and name, and says what is not there', async () => {
    const commit = commitAll();
    run('tag', 'v1');
    for (const ref of ['main', 'v1', commit, commit.slice(0, 8)])
      expect(await packSource(gitSource({ ref }))).toMatchObject({ commit });
    expect(await refusal(gitSource({ ref: 'nowhere' }))).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      details: { where: `${shop}@nowhere`, why: 'it has no commit "nowhere"' },
    });
    expect(await refusal(gitSource({ ref: '--output=/tmp/x' }))).toMatchObject({ code: 'SOURCE_UNREADABLE' });
    expect(await refusal(gitSource({ path: 'no/such' }))).toMatchObject({ code: 'SOURCE_UNREADABLE' });
    expect(await refusal(gitSource({ repository: join(dir, 'nobody') }))).toMatchObject({
      details: { why: 'there is no such folder' },
    });
  });

  it('of a folder that is no repository says so', async () => {
    expect(await refusal(gitSource({}))).toMatchObject({
      details: { why: expect.stringContaining('not a git repository') },
    });
  });

  it('is fetched without ever printing the credentials of the address', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(403).end();
    });
    await new Promise<void>((open) => server.listen(0, '127.0.0.1', open));
    const { port } = server.address() as AddressInfo;
    try {
      const repository = `http://ada:planted-canary@127.0.0.1:${port}/shop.git`;
      const error = await refusal(gitSource({ repository, remote: true }));
      expect(error).toMatchObject({
        code: 'SOURCE_UNREADABLE',
        details: { where: `http://127.0.0.1:${port}/shop.git@main`, why: expect.stringContaining('403') },
      });
      expect(JSON.stringify(error)).not.toContain('planted-canary');
      expect(asked[0]).toBe(`Basic ${btoa('ada:planted-canary')}`);
    } finally {
      server.close();
    }
  });

  it('needs git, and says so where there is none', async () => {
    commitAll();
    const path = process.env['PATH'];
    process.env['PATH'] = join(dir, 'empty');
    try {
      expect(await refusal(gitSource({}))).toMatchObject({
        details: {
          why: expect.stringContaining('git is not installed'),
          remedy: expect.stringContaining('install git'),
        },
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('a program', () => {
  it('is one executable file, whatever its mode was', async () => {
    await writeFile(join(dir, 'server'), '#!/usr/bin/env node\nserve();\n', { mode: 0o644 });
    const one = await packSource(at(join(dir, 'server')));
    await mkdir(join(dir, 'folder'));
    await cp(join(dir, 'server'), join(dir, 'folder/server'));
    await chmod(join(dir, 'folder/server'), 0o755);
    expect((await packSource(at(join(dir, 'folder')))).digest).toBe(one.digest);
  });

  it('is not any file', async () => {
    await writeFile(join(dir, 'notes'), 'only words');
    expect(await refusal(at(join(dir, 'notes')))).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      details: { why: expect.stringContaining('no folder, no archive') },
    });
    expect(await refusal(at(join(dir, 'nothing')))).toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
});
