import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Rack, rack } from '../support/rack.ts';

let world: Rack;
beforeAll(async () => {
  world = await rack();
});
afterAll(() => world.close());

async function change(from: string, to: string): Promise<void> {
  const text = await readFile(world.file, 'utf8');
  expect(text).toContain(from);
  await writeFile(world.file, text.replace(from, to));
}

async function deployed(): Promise<string> {
  const deploy = world.run(['deploy', '--json']);
  expect([await deploy.ended, deploy.stderr()]).toEqual([0, expect.stringContaining('deploying r')]);
  return /deploying (r\d+)/.exec(deploy.stderr())?.[1] ?? '';
}

it('a folder, its commit and its archive are one release; a program alone runs by its name', async () => {
  expect(await deployed()).toBe('r1');
  const run = (...args: string[]) => execFileSync('git', args, { cwd: world.dir });
  run('init', '--quiet', '--initial-branch=main');
  run('add', 'shop');
  run('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message', 'first');
  await change('source: ./shop', 'source: ./shop\n    git: main');
  expect(await deployed()).toBe('r1');
  execFileSync('tar', ['-czf', 'shop.tgz', '-C', 'shop', '.'], { cwd: world.dir });
  await change('source: ./shop\n    git: main', 'source: shop.tgz');
  expect(await deployed()).toBe('r1');

  const program = `#!/usr/bin/env node
require('node:http').createServer((_request, response) => {
  response.setHeader('x-release', process.env.SLUICE_RELEASE);
  response.end('ok');
}).listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
`;
  await writeFile(join(world.dir, 'serve'), program);
  await change('source: shop.tgz\n    command: node server.js', 'source: serve');
  expect(await deployed()).toBe('r2');
  await change('source: serve', 'git: { repository: ., ref: main, path: shop }\n    command: node server.js');
  await writeFile(join(world.dir, 'shop/server.js'), 'not committed');
  expect(await deployed()).toBe('r1');
  const releases = world.run(['releases']);
  await releases.ended;
  expect(releases.stdout()).toMatch(/^r2 .* serve$/m);
}, 30_000);
