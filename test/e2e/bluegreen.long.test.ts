import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { ask, type ClientAnswer, type Clients, startClients } from '../support/clients.ts';
import { type LocalWorld, openLocalWorld } from '../support/local-world.ts';
import { until } from '../support/processes.ts';

const PLATFORMS = ['cf', 'ocp', 'rack'];
/** A table reaches a worker, and requests that are under way end. */
const SWITCH_MS = 1_500;

let world: LocalWorld;
let server: Serving;
let load: Clients;

beforeAll(async () => {
  world = await openLocalWorld({
    speed: 0.05,
    instances: 1,
    deploy:
      '{ strategy: bluegreen, every: 3s, minRequests: 60, gates: { errorRate: 1%, latency: 20 }, barrier: 2m }',
    more: [
      '    policy: { name: quick, strategy: tiered, holdDown: { base: 500ms, max: 500ms }, ramp: { steps: [100%], every: 100ms } }',
      'gateway: { admin: { port: 1 } }',
      'state: { dir: ./state }',
    ].join('\n'),
  });
  await world.write('1');
  server = await serve([], world.dir, world.env);
  expect(await deploy()).toMatchObject({ status: 0 });
  await until(
    'all platforms serve',
    async () => {
      const met = new Set<string | undefined>();
      for (let i = 0; i < 40; i += 1) met.add((await ask(server.url)).platform);
      return met.size === PLATFORMS.length;
    },
    60_000,
  );
  load = startClients(server.url);
}, 180_000);
afterAll(async () => {
  await load?.stop();
  await server?.stop();
  await world?.close();
});

async function deploy() {
  const args = ['deploy', '--json', '--server', server.adminUrl];
  const { status, stdout, stderr } = await sluice(args, world.dir, world.env);
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LoggedEvent);
  return { status, stderr, events };
}

async function lastRecord(): Promise<DeploymentRecord> {
  const answer = await request(`${server.adminUrl}/v1/deployments`);
  return ((await answer.body.json()) as DeploymentRecord[]).at(-1)!;
}

function of<T extends LoggedEvent['type']>(events: readonly LoggedEvent[], type: T) {
  return events.filter((event): event is Extract<LoggedEvent, { type: T }> => event.type === type);
}

/** The first and the last answer of a release, by when it was asked. */
function span(release: string, answers: readonly ClientAnswer[]) {
  const own = answers.filter((one) => one.release === release).map(({ at }) => at);
  return { first: Math.min(...own), last: Math.max(...own) };
}

describe('blue and green over three kinds of platform, under load', () => {
  it('gives a good release all clients at once, and no client an error', async () => {
    const old = (await lastRecord()).release.id;
    load.answers.length = 0;
    await world.write('2');
    const { status, events, stderr } = await deploy();
    const { release, outcome } = await lastRecord();
    await systemClock.sleep(1_000);
    const all = [...load.answers];
    const both = span(old, all).last - span(release.id, all).first;
    const errors = all.filter((one) => one.status !== 200);
    process.stdout.write(
      `blue-green: ${all.length} requests, ${errors.length} errors; both releases answered for ${Math.max(0, both)} ms\n`,
    );
    expect({ status, stderr, outcome }).toMatchObject({ status: 0, outcome: 'done' });
    expect(of(events, 'deployment.step').map(({ part }) => part)).toEqual([1]);
    expect(errors).toEqual([]);
    // All platforms switched together: nobody met the old one long after somebody had met the new one.
    expect(both).toBeLessThan(SWITCH_MS);
    expect(new Set(all.slice(-100).map((one) => one.release))).toEqual(new Set([release.id]));
    const left = load.answers.length;
    await until(
      'all platforms serve it',
      () => PLATFORMS.every((name) => load.answers.slice(left).some(({ platform }) => platform === name)),
      60_000,
    );
  }, 240_000);

  it('takes a bad one back everywhere, to the release before', async () => {
    const old = (await lastRecord()).release.id;
    load.answers.length = 0;
    await world.write('3', 0.2);
    const { status } = await deploy();
    const { release, outcome } = await lastRecord();
    const back = load.answers.length;
    await until('clients are served', () => load.answers.length > back + 100, 60_000);
    expect({ status, outcome }).toEqual({ status: 6, outcome: 'rolledBack' });
    const errors = load.answers.filter((one) => one.status !== 200);
    // Nobody but those whom the bad one answered met an error, and now nobody meets it.
    expect(errors.filter((one) => one.release !== release.id)).toEqual([]);
    expect(new Set(load.answers.slice(back + 20).map((one) => one.release))).toEqual(new Set([old]));
  }, 240_000);

  it('pauses while one of its platforms fails over, and goes on when that is back', async () => {
    load.answers.length = 0;
    await world.write('4');
    const deploying = deploy();
    await until('all clients meet it', async () => ((await lastRecord()).together?.part ?? 0) === 1, 60_000);
    world.cf.setFault('router-down', true);
    const paused = async (): Promise<boolean> => (await gates()).some(({ state }) => state === 'paused');
    await until('it is paused', paused, 60_000);
    // The others go on to serve it, and nothing goes further.
    await systemClock.sleep(5_000);
    expect((await lastRecord()).together).toMatchObject({ stage: 'trying', part: 1 });
    world.cf.setFault('router-down', false);
    const { status, stderr, events } = await deploying;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const said = of(events, 'deployment.gate').filter(({ state }) => state === 'paused');
    expect(said[0]?.message).toMatch(/^cf is down/);
    expect(of(events, 'deployment.gate').at(-1)?.state).toBe('passed');
    expect(load.answers.filter((one) => one.status !== 200)).toEqual([]);
  }, 240_000);
});

async function gates() {
  const answer = await request(`${server.adminUrl}/v1/events?since=0&limit=5000`);
  const { id } = await lastRecord();
  const all = (await answer.body.json()) as LoggedEvent[];
  return of(all, 'deployment.gate').filter(({ deployment }) => deployment === id);
}
