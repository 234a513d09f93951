import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Rack, rack } from '../support/rack.ts';

let world: Rack;

beforeAll(async () => {
  world = await rack();
  expect(await run('deploy')).toMatchObject({ status: 0 });
});
afterAll(() => world?.close());

async function run(...args: string[]) {
  const started = world.run(args);
  const status = await started.ended;
  return { status, stdout: started.stdout(), stderr: started.stderr() };
}

it('stops, shows, starts and restarts without a server', async () => {
  expect(await run('stop')).toMatchObject({ status: 4, stderr: expect.stringContaining('--force') });
  expect(await run('stop', '--force', '--reason', 'a new disk')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^rack: stopped after /),
  });
  const stopped = await run('status');
  expect(stopped.stdout).toMatch(/rack .*stopped .*a new disk/);
  expect(await run('scale', '--instances', '2')).toMatchObject({
    status: 4,
    stderr: expect.stringContaining('sluice start shop --on rack'),
  });
  expect(await run('restart')).toMatchObject({ status: 4 });
  expect(await run('start', '--json')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\{"platform":"rack","tookMs":\d+\}\n$/),
  });
  expect((await run('status')).stdout).not.toContain('stopped');
  expect(await run('restart')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^rack: runs anew after /),
  });
  expect((await run('status')).stdout).toMatch(/1\/1/);
});

it('is started by a deployment of what is there already', async () => {
  expect(await run('stop', '--force')).toMatchObject({ status: 0 });
  expect(await run('deploy')).toMatchObject({ status: 0 });
  const { stdout } = await run('status');
  expect(stdout).not.toContain('stopped');
  expect(stdout).toMatch(/1\/1/);
});

it('says what cannot be meant', async () => {
  expect(await run('stop', '--on', 'mars')).toMatchObject({ status: 2 });
  expect(await run('restart', '--process', 'wroker')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('name one of: web'),
  });
});
