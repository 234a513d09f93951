import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { type LivePlatform, type LiveWorld, openLiveWorld } from '../support/live-world.ts';
import { until } from '../support/processes.ts';

const WORK = `"node -e 'setInterval(() => 0, 1000)'"`;
let world: LiveWorld;
const opened: LiveWorld[] = [];

beforeAll(async () => {
  world = await openLiveWorld([
    'processes:',
    `  worker: { command: ${WORK}, memory: 32M, runOn: one }`,
    `  sync: { command: ${WORK}, memory: 32M, runOn: active }`,
    `  tick: { command: ${WORK}, memory: 32M }`,
  ]);
  opened.push(world);
  const deployed = await world.sluice(['deploy']);
  expect([deployed.status, deployed.text]).toEqual([0, expect.any(String)]);
}, 60_000);
afterAll(async () => {
  for (const one of opened) await one.close();
});

/** `1/1` of each platform. */
async function where(process: string): Promise<string> {
  const { platforms } = await world.shop();
  return platforms
    .map(({ name, processes }) => `${name} ${processes?.[process]?.running}/${processes?.[process]?.desired}`)
    .join(', ');
}

async function are(process: string, wanted: string): Promise<void> {
  let seen = '';
  await until(
    `${process} is at ${wanted}`,
    async () => {
      seen = await where(process);
      return seen === wanted;
    },
    30_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it is at ${seen}`);
  });
}

it('processes follow traffic on both platforms, and the one that must run once is never seen twice', async () => {
  const sums: number[] = [];
  const stop = systemClock.every(100, () => {
    world.shop().then(
      ({ platforms }) =>
        void sums.push(platforms.reduce((sum, one) => sum + (one.processes?.['worker']?.running ?? 0), 0)),
      () => undefined,
    );
  });
  await are('tick', 'cf 1/1, ocp 1/1');
  await are('sync', 'cf 1/1, ocp 1/1');
  await are('worker', 'cf 1/1, ocp 0/0');

  expect((await world.sluice(['drain', 'cf', '--reason', 'a test'])).status).toBe(0);
  await are('worker', 'cf 0/0, ocp 1/1');
  await are('sync', 'cf 0/0, ocp 1/1');
  await are('tick', 'cf 1/1, ocp 1/1');

  expect((await world.sluice(['undrain', 'cf', '--reason', 'over'])).status).toBe(0);
  await are('worker', 'cf 1/1, ocp 0/0');
  await are('sync', 'cf 1/1, ocp 1/1');
  stop();
  expect(Math.max(...sums)).toBe(1);

  const again = await world.sluice(['plan', '--exit-code']);
  expect([again.status, again.text]).toEqual([0, expect.any(String)]);
  const text = (await world.sluice(['status'])).text;
  expect(text).toContain('worker: cf 1/1');
  for (const platform of ['cf', 'ocp'] as const satisfies readonly LivePlatform[]) {
    const seen = await world.stranger(platform).observe(context, 'shop');
    expect(seen.processes?.['tick']?.release).toBe(seen.serving);
  }
}, 120_000);

const context = { signal: new AbortController().signal, now: () => 0, log: () => undefined };
