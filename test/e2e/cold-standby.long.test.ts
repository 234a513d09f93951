import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { ApplicationStatus, StatusView } from '../../src/core/status.ts';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { type LocalWorld, openLocalWorld } from '../support/local-world.ts';
import { until } from '../support/processes.ts';

let world: LocalWorld;
let serving: Serving | undefined;

beforeEach(async () => {
  world = await openLocalWorld({
    ...{ speed: 0.1, instances: 1, deploy: '{ strategy: rolling }' },
    more: '    policy: { base: demo, scale: { backAfter: 1s } }\n',
  });
  const file = join(world.dir, 'sluice.yaml');
  const text = await readFile(file, 'utf8');
  const cold = '{ standby: cold, capacity: 50rps/instance, maxInstances: 2 }';
  await writeFile(
    file,
    text
      .replace(/targets: .*/, `targets: { rack: { capacity: 50rps/instance }, cf: ${cold}, ocp: ${cold} }`)
      .replace('/healthz, ', '/healthz, every: 200ms, '),
  );
  await world.write('one');
});
afterEach(async () => {
  await serving?.stop();
  serving = undefined;
  await world.close();
});

async function view<T>(path: string): Promise<T> {
  return (await (await request(`${serving!.adminUrl}${path}`)).body.json()) as T;
}
async function platform(name: string): Promise<ApplicationStatus['platforms'][number]> {
  const [application] = (await view<StatusView>('/v1/status')).applications;
  return application!.platforms.find((one) => one.name === name)!;
}
async function served(): Promise<string> {
  const answer = await request(`${serving!.url}/`);
  await answer.body.dump();
  return `${answer.statusCode} ${answer.headers['x-platform']} ${answer.headers['x-release']}`;
}

it('cold standbys get the release and run nothing; when the only platform dies one is woken, serves, and sleeps again', async () => {
  serving = await serve([], world.dir, world.env);
  const ask = (...args: string[]) => sluice([...args, '--server', serving!.adminUrl], world.dir, world.env);
  const first = await ask('deploy');
  expect([first.status, `${first.stdout}${first.stderr}`]).toEqual([
    0,
    expect.stringContaining('runs nothing'),
  ]);
  await until('the rack serves', async () => (await platform('rack')).share === 1);
  for (const name of ['cf', 'ocp']) {
    await until(`${name} sleeps`, async () => (await platform(name)).verdict.cause.includes('cold standby'));
    const { instances, state } = await platform(name);
    expect([instances, state]).toEqual([{ running: 0, desired: 0 }, 'off']);
    await until(`${name} has the release`, async () => {
      const { readiness = [] } = await platform(name);
      return readiness.find((one) => one.name === 'release')?.state === 'ok';
    });
  }
  const again = await ask('deploy');
  expect([again.status, `${again.stdout}${again.stderr}`]).toEqual([
    0,
    expect.stringContaining('nothing to change'),
  ]);
  const plan = await ask('plan', '--exit-code');
  expect([plan.status, plan.stdout.match(/nothing to change/g)?.length]).toEqual([0, 3]);

  // Another release is brought there too, without anything having run there.
  await world.write('two');
  const second = await ask('deploy');
  expect([second.status, second.stderr]).toEqual([0, expect.any(String)]);
  await until('the rack serves it', async () => (await served()).startsWith('200 rack'));
  const release = (await served()).split(' ')[2];

  expect((await ask('drain', 'rack', '--force', '--reason', 'test')).status).toBe(0);
  await until('a standby serves', async () => /^200 (cf|ocp)/.test(await served()), 60_000);
  const [, woken = ''] = (await served()).split(' ');
  expect((await served()).split(' ')[2]).toBe(release);
  await until('it was measured', async () => (await platform(woken)).timeToCapacityMs !== undefined);

  expect((await ask('undrain', 'rack')).status).toBe(0);
  await until('the rack is back', async () => (await platform('rack')).share === 1, 60_000);
  await until(
    'it sleeps again',
    async () => (await platform(woken)).verdict.cause.includes('cold standby'),
    60_000,
  );
  expect(await served()).toBe(`200 rack ${release}`);
  const events = await view<LoggedEvent[]>('/v1/events?limit=10000');
  const ordered = events.flatMap((one) =>
    one.type === 'scale.ordered' && one.platform === woken ? [one] : [],
  );
  expect([ordered[0]?.from, ordered.at(-1)?.to]).toEqual([0, 0]);
  expect(events.filter(({ type }) => type === 'drift.found')).toEqual([]);
}, 180_000);
