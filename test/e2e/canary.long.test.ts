import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { ask, type ClientAnswer, type Clients, startClients } from '../support/clients.ts';
import { type LocalWorld, openLocalWorld } from '../support/local-world.ts';
import { until } from '../support/processes.ts';

const PLATFORMS = ['cf', 'cf-2', 'ocp', 'rack'];

let world: LocalWorld;
let server: Serving;
let load: Clients;

beforeAll(async () => {
  world = await openLocalWorld({
    speed: 0.05,
    instances: 1,
    foundations: 2,
    deploy:
      '{ strategy: canary, steps: [20%, 50%], every: 3s, minRequests: 60, gates: { errorRate: 1%, latency: 20 }, barrier: 2m }',
    more: 'gateway: { admin: { port: 1 } }\nstate: { dir: ./state }',
  });
  await world.write('1');
  server = await serve([], world.dir, world.env);
  expect(await deploy()).toMatchObject({ status: 0 });
  await until('all platforms serve', async () => new Set(await places(40)).size === PLATFORMS.length, 60_000);
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

async function places(count: number): Promise<readonly (string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (let i = 0; i < count; i += 1) found.push((await ask(server.url)).platform);
  return found;
}

/** In each second, the part of the answers that came from a release. */
function partOf(release: string, answers: readonly ClientAnswer[]): number {
  return answers.filter((one) => one.release === release).length / Math.max(1, answers.length);
}

function steps(events: readonly LoggedEvent[]) {
  return events.filter((event) => event.type === 'deployment.step');
}

describe('a canary over three kinds of platform and a second Cloud Foundry, under load', () => {
  it('stops a release that fails 5 % of its requests at its first gate, and takes it back everywhere', async () => {
    const before = (await lastRecord()).release.id;
    load.answers.length = 0;
    await world.write('2', 0.05);
    const { status, events } = await deploy();
    const record = await lastRecord();
    const bad = record.release.id;
    expect(status).toBe(6);
    expect(record).toMatchObject({ outcome: 'rolledBack', together: { why: { code: 'GATE_FAILED' } } });
    expect(steps(events)).toHaveLength(1);
    const told = load.answers.length;
    await until('clients are served', () => load.answers.length > told + 100, 60_000);

    const all = [...load.answers];
    const errors = all.filter((one) => one.status !== 200);
    const met = all.filter((one) => one.release === bad);
    const [step, back] = [steps(events)[0], events.find((event) => event.type === 'deployment.takingBack')];
    process.stdout.write(
      `bad release: ${all.length} requests, ${met.length} met it, ${errors.filter((one) => one.release === bad).length} failed there; ` +
        `stopped ${(((back?.at ?? 0) - (step?.at ?? 0)) / 1000).toFixed(1)} s into step 1 (${record.together?.why?.why}); ` +
        `of ${all.length - met.length} answers of the old release ${errors.filter((one) => one.release !== bad).length} were errors\n`,
    );
    expect(met.length).toBeGreaterThan(0);
    // Nobody whom the old release served, or should have served, was answered with an error.
    expect(errors.filter((one) => one.release !== bad)).toEqual([]);
    // Clients are back before the deployment says that it is over.
    for (const name of PLATFORMS) expect([name, record.targets[name]?.phase]).toEqual([name, 'rolledBack']);
    // Clients were back before the deployment said that it was over; these asked after that.
    expect(new Set(all.slice(told + 20).map((one) => one.release))).toEqual(new Set([before]));
  }, 420_000);

  it('brings a good one to all clients in lockstep', async () => {
    const before = (await lastLive()) ?? '';
    load.answers.length = 0;
    await world.write('3');
    const { status, events, stderr } = await deploy();
    const record = await lastRecord();
    const good = record.release.id;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    await systemClock.sleep(1_500);

    const all = [...load.answers];
    const parts: string[] = [];
    for (const step of steps(events)) {
      const passed = events.find((event) => isPassed(event) && event.at > step.at);
      const during = all.filter(({ at }) => at > step.at && at < (passed?.at ?? 0));
      parts.push(`${step.part * 100} % asked, ${(partOf(good, during) * 100).toFixed(0)} % met`);
      // The same part everywhere at the same time, as far as so many requests can tell.
      for (const name of PLATFORMS) {
        const own = during.filter((one) => one.platform === name);
        const chance = 4 * Math.sqrt((step.part * (1 - step.part)) / own.length);
        const apart = Math.abs(partOf(good, own) - step.part);
        expect({ name, requests: own.length, apart, isApart: apart > 0.02 + chance }).toMatchObject({
          isApart: false,
        });
      }
    }
    const errors = all.filter((one) => one.status !== 200);
    process.stdout.write(
      `good release: ${all.length} requests, ${errors.length} errors; ${parts.join('; ')}; ` +
        `at the end ${(partOf(good, all.slice(-100)) * 100).toFixed(0)} %\n`,
    );
    expect(record.outcome).toBe('done');
    expect(steps(events).map(({ part }) => part)).toEqual([0.2, 0.5]);
    expect(errors).toEqual([]);
    expect(partOf(good, all.slice(-100))).toBe(1);
    expect(before).not.toBe(good);
    // Each platform has it in place, and serves clients with it.
    const serving = () => new Set(load.answers.slice(-200).map(({ platform }) => platform));
    await until('all platforms serve again', () => PLATFORMS.every((name) => serving().has(name)), 60_000);
    expect(partOf(good, load.answers.slice(-200))).toBe(1);
    expect(load.answers.filter((one) => one.status !== 200)).toEqual([]);
  }, 420_000);
});

async function lastLive(): Promise<string | undefined> {
  const answer = await request(`${server.adminUrl}/v1/releases/shop`);
  const { live } = (await answer.body.json()) as { live: Record<string, string> };
  return live['cf'];
}

function isPassed(event: LoggedEvent): boolean {
  return event.type === 'deployment.gate' && event.state === 'passed';
}
