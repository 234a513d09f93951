import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { type Answer, type LiveWorld, openLiveWorld } from '../support/live-world.ts';

const PLATFORMS = ['cf', 'cf-us', 'ocp', 'rack'] as const;
const DEPLOY =
  'deploy: { strategy: canary, steps: [25%, 50%], every: 2s, minRequests: 60, gates: { latency: 20 } }';

let opened: LiveWorld | undefined;
let world: LiveWorld;

beforeAll(async () => {
  opened = await openLiveWorld([DEPLOY], true);
  world = opened;
  const deployed = await world.sluice(['deploy']);
  expect(deployed).toMatchObject({ status: 0 });
  await until('all serve', async () => (await world.shop()).platforms.every(({ share }) => share > 0));
}, 120_000);

afterAll(async () => {
  await opened?.close();
}, 60_000);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + 60_000;
  while (!(await holds())) {
    if (systemClock.now() > deadline)
      throw new Error(`waited in vain: ${what}; ${JSON.stringify(await world.shop())}`);
    await systemClock.sleep(100);
  }
}

async function releaseNow(): Promise<string> {
  return (await world.shop()).release?.id ?? 'none';
}

const of = (answers: readonly Answer[], release: string): readonly Answer[] =>
  answers.filter((answer) => answer.release === release);
const bad = (answers: readonly Answer[]): readonly Answer[] => answers.filter(({ status }) => status !== 200);

async function nothingIsTried(): Promise<void> {
  for (const platform of PLATFORMS) {
    const seen = await world
      .stranger(platform)
      .observe({ signal: new AbortController().signal, now: () => systemClock.now(), log() {} }, 'shop');
    expect(seen.trial).toBeUndefined();
    expect(seen.origins.filter(({ trial }) => trial === true)).toEqual([]);
  }
}

describe('a canary over two foundations, a cluster and a host, under load', () => {
  it('stops a release with 5 % errors at the first gate, and no client of the old one sees an error', async () => {
    const old = await releaseNow();
    const first = world.answers.length;
    await world.rewrite((server) =>
      server
        .replace(
          "'GET /products': (_request, response) => ",
          "'GET /products': (_request, response) => ++asked % 20 === 7 ? send(response, 500, {}) : ",
        )
        .concat('\nlet asked = 0;\n'),
    );
    const { status, text } = await world.sluice(['deploy']);
    expect([status, text]).toEqual([6, expect.stringContaining('GATE_FAILED')]);
    expect(text).toContain('gate of step 1/2 failed');
    expect(text).not.toContain('step 2/2');
    const met = world.answers.slice(first);
    const tried = met.filter(({ release }) => release !== undefined && release !== old);
    expect(bad(tried).length).toBeGreaterThanOrEqual(3);
    expect(bad(met).filter((answer) => !tried.includes(answer))).toEqual([]);
    expect(
      (await world.shop()).platforms.map(({ release, verdict }) => [release?.id, verdict.state]),
    ).toEqual(PLATFORMS.map(() => [old, 'up']));
    await nothingIsTried();
    const after = world.answers.length;
    await systemClock.sleep(1_000);
    expect(new Set(world.answers.slice(after).map(({ release }) => release))).toEqual(new Set([old]));
  }, 180_000);

  it('brings a good one to all platforms in step, and no client sees an error', async () => {
    const old = await releaseNow();
    const first = world.answers.length;
    await world.rewrite((server) => server);
    await world.changeSource();
    const { status, text } = await world.sluice(['deploy']);
    expect({ status, text }).toMatchObject({ status: 0 });
    for (const step of ['1/2', '2/2']) expect(text).toContain(`gate of step ${step} passed`);
    const next = await releaseNow();
    expect(next).not.toBe(old);
    const met = world.answers.slice(first);
    expect(bad(met)).toEqual([]);
    for (const platform of PLATFORMS) {
      const here = met.filter((answer) => answer.platform === platform);
      // The new one was met there while the old one still served.
      const firstNew = here.findIndex(({ release }) => release === next);
      const lastOld = here.findLastIndex(({ release }) => release === old);
      expect(firstNew).toBeGreaterThanOrEqual(0);
      expect(lastOld).toBeGreaterThan(firstNew);
      expect(of(here.slice(firstNew, lastOld), next).length).toBeGreaterThan(5);
    }
    await nothingIsTried();
    expect((await world.shop()).platforms.map(({ release }) => release?.id)).toEqual(
      PLATFORMS.map(() => next),
    );
  }, 180_000);
});
