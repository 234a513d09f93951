import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { request } from 'undici';
import { startLoad } from '../../src/app/demo/load.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { ApplicationStatus, StatusView } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createHost } from '../../src/runner/host.ts';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { childrenOf, until } from '../support/processes.ts';

const SERVER = `import { createServer } from 'node:http';
const server = createServer((request, response) => {
  request.resume();
  response.setHeader('x-release', process.env.SLUICE_RELEASE);
  response.setHeader('x-platform', process.env.SLUICE_PLATFORM);
  response.setHeader('x-role', String(request.headers['x-sluice-role']) + ' ' + request.headers['x-sluice-epoch']);
  request.on('end', () => response.end('ok'));
});
server.listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
`;
const PROMOTE = `echo "$SLUICE_APPLICATION from $SLUICE_PREVIOUS_WRITER to $SLUICE_WRITER in $SLUICE_EPOCH" >> promoted.log`;

let dir: string;
let serving: Serving | undefined;
let hosts: Map<string, ReturnType<typeof createHost>>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-scale-'));
  await mkdir(join(dir, 'shop'));
  await writeFile(join(dir, 'shop/server.js'), SERVER);
  await writeFile(join(dir, 'shop/package.json'), '{"type":"module"}');
  await writeFile(join(dir, 'promote.sh'), PROMOTE);
  await writeFile(
    join(dir, 'sluice.yaml'),
    `version: 1
platforms:
  east: { provider: selfhosted, driver: process, socket: ${join(dir, 'east.sock')} }
  west: { provider: selfhosted, driver: process, socket: ${join(dir, 'west.sock')} }
applications:
  shop:
    source: ./shop
    command: node server.js
    memory: 64Mi
    health: { path: /, every: 200ms, release: { header: x-release } }
    data: { writes: single, writer: east, promote: sh promote.sh }
    policy: { base: demo, scale: { backAfter: 1h } }
    targets:
      east: { capacity: 20rps/instance, maxInstances: 4 }
      west: { capacity: 20rps/instance, maxInstances: 4 }
`,
  );
  hosts = new Map();
  for (const name of ['east', 'west']) {
    const host = createHost({
      ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
      ...{ socket: join(dir, `${name}.sock`), stateDir: join(dir, name), onOwnerExit: 'kill' },
    });
    await host.start();
    hosts.set(name, host);
  }
});

afterEach(async () => {
  await serving?.stop();
  for (const host of hosts.values()) await host.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

async function view<T>(path: string): Promise<T> {
  return (await (await request(`${serving!.adminUrl}${path}`)).body.json()) as T;
}

async function shop(): Promise<ApplicationStatus> {
  const [application] = (await view<StatusView>('/v1/status')).applications;
  return application!;
}

const platformIn = (application: ApplicationStatus, name: string) =>
  application.platforms.find((one) => one.name === name)!;

async function post(): Promise<string> {
  const answer = await request(`${serving!.url}/`, { method: 'POST', body: 'x' });
  await answer.body.dump();
  return `${answer.statusCode} ${answer.headers['x-platform']} ${answer.headers['x-role']}`;
}

it('a platform dies under load: the other is scaled, takes the traffic and the writes, and a restart forgets nothing', async () => {
  serving = await serve([], dir);
  const deployed = await sluice(['deploy', '--server', serving.adminUrl], dir);
  expect([deployed.status, deployed.stderr]).toEqual([0, expect.any(String)]);
  await until('both serve', async () => (await shop()).platforms.every(({ share }) => share > 0));
  expect(await post()).toBe('200 east writer 1');

  const load = startLoad(serving.url, 50, systemClock);
  await until('both are used', async () => (await shop()).demandRps > 30);
  await hosts.get('east')!.close();
  hosts.delete('east');
  await until(
    'the survivor has grown',
    async () => {
      const { instances } = platformIn(await shop(), 'west');
      return instances !== undefined && instances.desired >= 2 && instances.running === instances.desired;
    },
    30_000,
  );
  await until('it was measured', async () => platformIn(await shop(), 'west').timeToCapacityMs !== undefined);
  const { timeToCapacityMs = 0, share, instances } = platformIn(await shop(), 'west');
  expect(share).toBe(1);
  expect(timeToCapacityMs).toBeGreaterThan(0);
  expect(instances!.desired).toBeLessThanOrEqual(4);
  await load.stop();
  expect(load.samples.filter((one) => one.safe && !one.ok)).toEqual([]);

  const events = await view<LoggedEvent[]>('/v1/events?limit=10000');
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'scale.ordered', platform: 'west', from: 1 }),
  );
  const text = (await sluice(['status', '--server', serving.adminUrl], dir)).stdout;
  expect(text).toMatch(/time to capacity, as last measured: west \d/);
  expect(text).toContain('west takes the writes, epoch 2');
  expect(await view('/v1/writer/shop')).toEqual({
    ...{ application: 'shop', writes: 'single', writer: 'west', epoch: 2 },
  });
  expect(await post()).toBe('200 west writer 2');

  const controller = async (): Promise<number | undefined> =>
    (await childrenOf(serving!.pid)).find(({ env }) => env['SLUICE_ROLE'] === 'controller')?.pid;
  const before = await controller();
  process.kill(before!, 'SIGKILL');
  await until('another controller answers', async () => {
    const pid = await controller();
    return pid !== undefined && pid !== before && (await shop().catch(() => undefined)) !== undefined;
  });
  await until('it has looked', async () => platformIn(await shop(), 'west').verdict.state === 'up');
  expect(await post()).toBe('200 west writer 2');
  expect(platformIn(await shop(), 'west').timeToCapacityMs).toBe(timeToCapacityMs);
  expect(await readFile(join(dir, 'promoted.log'), 'utf8')).toBe('shop from east to west in 2\n');
}, 90_000);
