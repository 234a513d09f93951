import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { StatusView } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { ask, type Clients, startClients } from '../support/clients.ts';
import { type LocalWorld, openLocalWorld } from '../support/local-world.ts';
import { until } from '../support/processes.ts';

const PLATFORMS = ['cf', 'ocp', 'rack'];

let world: LocalWorld;
let server: Serving;
let load: Clients;

beforeAll(async () => {
  world = await openLocalWorld({
    speed: 0.05,
    instances: 2,
    deploy: '{ strategy: rolling }',
    more: [
      '    drift: { mode: heal, every: 1s }',
      '    policy: { name: quick, strategy: tiered, holdDown: { base: 500ms, max: 500ms }, ramp: { steps: [100%], every: 100ms } }',
      'gateway: { admin: { port: 1 } }',
      'state: { dir: ./state }',
    ].join('\n'),
  });
  await world.write('1');
  server = await serve([], world.dir, world.env);
  expect(await run('deploy')).toMatchObject({ status: 0 });
  await until('all platforms serve', servesFrom(PLATFORMS), 60_000);
  load = startClients(server.url);
}, 180_000);
afterAll(async () => {
  await load?.stop();
  await server?.stop();
  await world?.close();
});

function run(...args: string[]) {
  return sluice([...args, '--server', server.adminUrl], world.dir, world.env);
}

async function status(): Promise<Record<string, StatusView['applications'][0]['platforms'][0]>> {
  const answer = await request(`${server.adminUrl}/v1/status`);
  const [shop] = ((await answer.body.json()) as StatusView).applications;
  return Object.fromEntries((shop?.platforms ?? []).map((one) => [one.name, one]));
}

function servesFrom(platforms: readonly string[]): () => Promise<boolean> {
  return async () => {
    const met = new Set<string | undefined>();
    for (let i = 0; i < 40; i += 1) met.add((await ask(server.url)).platform);
    return met.size === platforms.length && platforms.every((name) => met.has(name));
  };
}

function failures() {
  return load.answers.filter((one) => one.status !== 200);
}

describe('an application that is stopped, started and restarted on three platforms, under load', () => {
  it('restarts everywhere, and no client notices', async () => {
    load.answers.length = 0;
    const before = await instances();
    const { status: exit, stdout, stderr } = await run('restart', 'shop', '--reason', 'a leak');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    process.stdout.write(
      `restart under load: ${stdout.trim().replaceAll('\n', '; ')}; ${load.answers.length} requests, ${failures().length} failed\n`,
    );
    expect(failures()).toEqual([]);
    // The next read of each platform tells.
    await until('as many as before', async () => (await instances())['rack']?.length === 2, 60_000);
    const after = await instances();
    // `sluice host` gives a place the same name again; its process is another.
    for (const name of ['cf', 'ocp']) {
      expect(after[name]).toHaveLength(2);
      expect(after[name]?.filter((id) => before[name]?.includes(id))).toEqual([]);
    }
    await until('all platforms serve again', servesFrom(PLATFORMS), 60_000);
  }, 180_000);

  it('stops one platform after its traffic left, and nothing starts it again', async () => {
    load.answers.length = 0;
    const { status: exit, stderr } = await run('stop', '--on', 'cf', '--reason', 'new cells');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    // Drift is looked at every second, and would be mended.
    await systemClock.sleep(5_000);
    expect(failures()).toEqual([]);
    const { cf } = await status();
    expect(cf).toMatchObject({ share: 0, stopped: { reason: 'new cells', emptying: false } });
    expect(cf?.instances).toBeUndefined();
    const shown = await run('status');
    expect(shown).toMatchObject({ status: 0, stdout: expect.stringMatching(/cf .*stopped .*new cells/) });
    expect((await run('scale', 'shop', '--on', 'cf', '--instances', '3')).status).toBe(4);
    expect((await run('restart', '--on', 'cf')).status).toBe(4);
  }, 120_000);

  it('is vetoed for the last that serve', async () => {
    const { status: exit, stderr } = await run('stop', '--on', 'ocp', '--on', 'rack');
    expect({ exit, stderr }).toMatchObject({ exit: 4, stderr: expect.stringContaining('--force') });
    expect(failures()).toEqual([]);
  }, 60_000);

  it('starts again, and gets its traffic back', async () => {
    const { status: exit, stderr } = await run('start', '--on', 'cf');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    await until('all platforms serve again', servesFrom(PLATFORMS), 60_000);
    expect((await status())['cf']).not.toHaveProperty('stopped');
    expect(failures()).toEqual([]);
  }, 120_000);

  it('is started by the next deployment', async () => {
    for (const platform of ['rack', 'ocp']) {
      expect(await run('stop', '--on', platform)).toMatchObject({ status: 0 });
    }
    await world.write('2');
    expect(await run('deploy')).toMatchObject({ status: 0 });
    await until('all platforms serve again', servesFrom(PLATFORMS), 60_000);
    for (const one of Object.values(await status())) expect(one).not.toHaveProperty('stopped');
    expect(failures()).toEqual([]);
  }, 180_000);
});

async function instances(): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const [name, { each = [] }] of Object.entries(await status())) found[name] = each.map(({ id }) => id);
  return found;
}
