import { beforeEach, describe, expect, it } from '@jest/globals';
import { createTrafficControl } from '../../src/app/traffic-control.ts';
import type { WorkerLink } from '../../src/app/worker-link.ts';
import type { TrafficControl } from '../../src/core/traffic.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Monitor } from '../../src/health/monitor.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { pass, settled } from '../support/virtual-time.ts';

let clock: VirtualClock;
let steps: string[];
let warnings: string[];
let offered: boolean;
let drains: boolean;
let late: readonly string[];
let traffic: TrafficControl;

beforeEach(() => {
  clock = virtualClock();
  steps = [];
  warnings = [];
  offered = false;
  drains = true;
  late = [];
  const engine: Partial<Engine> = {
    offers: () => offered,
    table: { version: 12, publishedAt: 0, routes: [] },
    allowReleases: (_application, releases) => void steps.push(`allow ${releases.join(' ')}`),
    withdrawRelease(_application, platform, release) {
      steps.push(`withdraw ${release} on ${platform}`);
      return 13;
    },
  };
  Object.assign(engine, {
    split(_application: string, release: string, part: number) {
      steps.push(`split ${release} ${part}`);
      return 14;
    },
    awaitedTrials: () => late,
    statusOf: () => ({
      platforms: [
        { name: 'cf', share: 0.5 },
        { name: 'ocp', share: 0.5, trial: { release: { id: 'r-2' } } },
        { name: 'rack', share: 0 },
      ],
    }),
  });
  const monitor: Partial<Monitor> = {
    async observeNow(application, platform) {
      steps.push(`observe ${platform}`);
      return { kind: 'platform', at: 0, application, platform, observation: undefined };
    },
  };
  const link: Partial<WorkerLink> = {
    async applied(version) {
      steps.push(`applied ${version}`);
      return true;
    },
    async drained(version, withinMs) {
      steps.push(`drained ${version} within ${withinMs}`);
      return drains;
    },
  };
  const logger = {
    debug() {},
    info() {},
    warn: (_fields: object, message: string) => void warnings.push(message),
    error() {},
  };
  // Only what traffic control asks of them.
  traffic = createTrafficControl(engine as Engine, monitor as Monitor, link as WorkerLink, {
    clock,
    logger,
    drainMs: () => 9_000,
  });
});

describe('introducing a release', () => {
  it('reads the platform, waits until the table offers it, then until the workers follow that table', async () => {
    const introduced = traffic.introduce('shop', 'cf', 'r-1');
    await pass(clock, 500, 50);
    expect(steps).toEqual(['observe cf']);
    offered = true;
    await pass(clock, 100, 50);
    await introduced;
    expect(steps).toEqual(['observe cf', 'applied 12']);
    expect(warnings).toEqual([]);
  });

  it('gives up after a while and says so: the release may be held down for good reasons', async () => {
    const introduced = traffic.introduce('shop', 'cf', 'r-1');
    await pass(clock, 16_000, 50);
    await introduced;
    expect(steps).toEqual(['observe cf']);
    expect(warnings).toEqual(['the release is not in the routing table yet']);
  });
});

describe('withdrawing a release', () => {
  it('takes it out of the table first, then waits for the workers to drain to that very version', async () => {
    await traffic.withdraw('shop', 'cf', 'r-1');
    expect(steps).toEqual(['withdraw r-1 on cf', 'drained 13 within 9000']);
    expect(warnings).toEqual([]);
  });

  it('goes on when exchanges outlast the drain, and says that they will be cut', async () => {
    drains = false;
    await traffic.withdraw('shop', 'cf', 'r-1');
    await settled();
    expect(warnings).toEqual(['some exchanges outlasted the drain; they will be cut']);
  });
});

describe('splitting', () => {
  it('reads who may have a trial that nobody knows of, and splits once it answers, and waits for the workers', async () => {
    late = ['cf'];
    const done = traffic.split('shop', 'r-2', 0.1);
    await pass(clock, 500, 50);
    expect(steps).toEqual(['observe cf']);
    late = [];
    await pass(clock, 100, 50);
    await done;
    expect(steps).toEqual(['observe cf', 'split r-2 0.1', 'applied 12']);
  });

  it('goes on without a trial that does not answer, and says so', async () => {
    late = ['cf'];
    const done = traffic.split('shop', 'r-2', 0.1);
    await pass(clock, 16_000, 50);
    await done;
    expect(steps.at(-1)).toBe('applied 12');
    expect(warnings).toEqual(['a trial does not answer and gets no traffic']);
  });

  it('ends at once, asks nobody, and waits for what is under way', async () => {
    late = ['cf'];
    await traffic.split('shop', 'r-2', 0);
    expect(steps).toEqual(['split r-2 0', 'drained 14 within 9000']);
  });
});

it('passes on which releases may take traffic', () => {
  traffic.allowReleases('shop', ['r-1', 'r-2']);
  expect(steps).toEqual(['allow r-1 r-2']);
});
