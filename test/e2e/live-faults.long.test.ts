import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Culprit } from '../../src/core/attribution.ts';
import type { ApplicationStatus } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Fault } from '../../src/lib/faults.ts';
import { type LivePlatform, type LiveWorld, openLiveWorld } from '../support/live-world.ts';

let opened: LiveWorld | undefined;
let world: LiveWorld;

beforeAll(async () => {
  opened = await openLiveWorld();
  world = opened;
  const deployed = await world.sluice(['deploy']);
  expect(deployed).toMatchObject({ status: 0 });
  await until('both serve', async () => isCalm(await world.shop()));
}, 60_000);

afterAll(async () => {
  await opened?.close();
}, 30_000);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + 30_000;
  while (!(await holds())) {
    if (systemClock.now() > deadline) {
      throw new Error(`waited in vain: ${what}; ${JSON.stringify(await world.shop())}`);
    }
    await systemClock.sleep(50);
  }
}

function isCalm({ platforms, attribution = [] }: ApplicationStatus): boolean {
  return (
    attribution.length === 0 &&
    platforms.every(
      ({ verdict, share, api }) => verdict.state === 'up' && share > 0 && api?.reachable === true,
    )
  );
}

function shareOf({ platforms }: ApplicationStatus, name: LivePlatform): number | undefined {
  return platforms.find((one) => one.name === name)?.share;
}

async function blamedSince(at: number) {
  const { recent } = await world.status();
  return recent.flatMap((event) => (event.type === 'fault.attributed' && event.at >= at ? [event] : []));
}

/** Whatever happened: no client met it. Else what the gateway says of why, so that a rare failure explains itself. */
async function badSince(first: number): Promise<unknown[]> {
  const bad = world.answers.slice(first).filter(({ status }) => status !== 200);
  return bad.length === 0 ? [] : [...bad, ...(await world.failures())];
}

async function isNamed(names: Culprit, platform: LivePlatform): Promise<boolean> {
  const { attribution = [] } = await world.shop();
  return attribution.some((one) => one.culprit === names && one.platforms.includes(platform));
}

interface Drill {
  readonly platform: LivePlatform;
  readonly faults: readonly Fault[];
  readonly names: Culprit;
  /** Part of the sentence that a person reads. */
  readonly says: RegExp;
  readonly traffic: 'moves' | 'stays';
}

const DRILLS: readonly (readonly [what: string, drill: Drill])[] = [
  [
    'a router that is down',
    {
      ...{ platform: 'cf', faults: ['router-down'], names: 'router', traffic: 'moves' },
      says: /the router of cf does not serve/,
    },
  ],
  [
    'a router that accepts and says nothing',
    {
      ...{ platform: 'ocp', faults: ['router-frozen'], names: 'router', traffic: 'moves' },
      says: /the router of ocp does not serve/,
    },
  ],
  [
    'instances that die and do not come back, behind a router of Cloud Foundry',
    {
      ...{ platform: 'cf', faults: ['apps-down'], names: 'application-on-platform', traffic: 'moves' },
      says: /the application fails on cf/,
    },
  ],
  [
    'instances that die and do not come back, behind a router of OpenShift',
    {
      ...{ platform: 'ocp', faults: ['apps-down'], names: 'application-on-platform', traffic: 'moves' },
      says: /the application fails on ocp/,
    },
  ],
  [
    'an API that is down while the applications serve',
    {
      ...{ platform: 'cf', faults: ['api-down'], names: 'platform-api', traffic: 'stays' },
      says: /the API of cf is down; its traffic stays/,
    },
  ],
  [
    'an API that answers 502 with something else',
    {
      ...{ platform: 'ocp', faults: ['api-502'], names: 'platform-api', traffic: 'stays' },
      says: /the API of ocp is down; its traffic stays/,
    },
  ],
  [
    'an API that asks for patience',
    {
      ...{ platform: 'cf', faults: ['api-429'], names: 'platform-api', traffic: 'stays' },
      says: /the API of cf asks us to slow down; its traffic stays/,
    },
  ],
];

describe('a fault on a live platform', () => {
  it.each(DRILLS)(
    '%s is named, and its traffic does what it should',
    async (_what, drill) => {
      const { platform, faults, names, says, traffic } = drill;
      const begun = systemClock.now();
      const first = world.answers.length;
      for (const fault of faults) world.setFault(platform, fault, true);

      await until('it is attributed', () => isNamed(names, platform));
      const gone = traffic === 'moves';
      await until('the shares are right', async () => (shareOf(await world.shop(), platform) === 0) === gone);

      // Nobody else is blamed, not even for a moment.
      const blamed = await blamedSince(begun);
      expect(blamed.map((one) => `${one.culprit} ${one.platforms.join()}`)).toEqual([`${names} ${platform}`]);
      expect(blamed[0]?.summary).toMatch(says);
      expect(blamed[0]?.evidence.length).toBeGreaterThan(0);
      const explained = await world.sluice(['explain', 'shop']);
      expect(explained.text).toMatch(says);
      expect(explained.text).toContain(names);

      const settled = world.answers.length;
      await until('it is quiet for a while', async () => world.answers.length >= settled + 20);
      const since = world.answers.slice(settled + 4).map((answer) => answer.platform);
      expect(since.includes(platform)).toBe(!gone);
      for (const fault of faults) world.setFault(platform, fault, false);
      await until('all is well again', async () => isCalm(await world.shop()));
      expect(await badSince(first)).toEqual([]);
    },
    60_000,
  );

  it('an API that is slow, and one that finds its token expired, are nobody’s fault', async () => {
    const begun = systemClock.now();
    const first = world.answers.length;
    const before = await world.shop();
    world.setFault('cf', 'api-slow', true);
    world.setFault('ocp', 'api-401-once', true);
    await until('both were read anew', async () => {
      const { platforms } = await world.shop();
      return platforms.every(({ api }, i) => (api?.at ?? 0) > (before.platforms[i]?.api?.at ?? 0) + 2_500);
    });
    world.setFault('cf', 'api-slow', false);
    expect(isCalm(await world.shop())).toBe(true);
    expect(await blamedSince(begun)).toEqual([]);
    expect(await badSince(first)).toEqual([]);
  }, 60_000);

  it('instances that report another release are left, whatever else they answer', async () => {
    const first = world.answers.length;
    world.setFault('cf', 'wrong-release', true);
    world.setFault('cf', 'apps-down', true);
    await until('they are down', async () => shareOf(await world.shop(), 'cf') === 0);
    world.setFault('cf', 'apps-down', false);
    await until('it is attributed', () => isNamed('release', 'cf'));
    const explained = await world.sluice(['explain', 'shop']);
    expect(explained.text).toMatch(/cf answers another release than the wanted one/);
    expect(explained.text).toMatch(/cf may not serve: it answers \S+, wanted r-[0-9a-f]{10}/);
    expect(shareOf(await world.shop(), 'cf')).toBe(0);

    world.setFault('cf', 'wrong-release', false);
    world.setFault('cf', 'apps-down', true);
    world.setFault('cf', 'apps-down', false);
    await until('all is well again', async () => isCalm(await world.shop()));
    expect(await badSince(first)).toEqual([]);
  }, 60_000);

  it('instances that crash as often as they are started are the application’s fault there', async () => {
    const first = world.answers.length;
    world.setFault('cf', 'crash-loop', true);
    world.setFault('cf', 'apps-down', true);
    world.setFault('cf', 'apps-down', false);
    await until('it is attributed', () => isNamed('application-on-platform', 'cf'));
    await until('it is left', async () => shareOf(await world.shop(), 'cf') === 0);
    expect((await world.sluice(['explain', 'shop'])).text).toMatch(/0 of 1 instances run/);
    world.setFault('cf', 'crash-loop', false);
    await until('all is well again', async () => isCalm(await world.shop()));
    expect(await badSince(first)).toEqual([]);
  }, 60_000);

  it('a quota that refuses a deployment is said, and what serves goes on', async () => {
    const begun = systemClock.now();
    const first = world.answers.length;
    world.setFault('cf', 'quota-exceeded', true);
    await world.changeSource();
    const refused = await world.sluice(['deploy', '--on', 'cf']);
    expect(refused.status).not.toBe(0);
    expect(refused.text).toMatch(/quota/i);
    world.setFault('cf', 'quota-exceeded', false);
    expect(isCalm(await world.shop())).toBe(true);
    expect(await blamedSince(begun)).toEqual([]);
    expect(await badSince(first)).toEqual([]);
  }, 60_000);
});
