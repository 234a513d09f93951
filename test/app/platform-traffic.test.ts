import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPlatformTraffic } from '../../src/app/platform-traffic.ts';
import type { WorkerLink } from '../../src/app/worker-link.ts';
import { originId } from '../../src/core/ids.ts';
import type { PlatformTraffic } from '../../src/core/traffic.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Monitor } from '../../src/health/monitor.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { pass } from '../support/virtual-time.ts';

const URL = 'http://h:1';

let clock: VirtualClock;
let steps: string[];
let share: number;
let isUp: boolean;
let inTable: boolean;
let traffic: PlatformTraffic;

beforeEach(() => {
  clock = virtualClock();
  steps = [];
  share = 0;
  isUp = true;
  inTable = true;
  const engine = {
    get table() {
      const origins = inTable ? [{ id: originId('rack', URL), url: URL }] : [];
      return { version: 12, publishedAt: 0, routes: [{ targets: [{ origins }] }] };
    },
    statusOf: () => ({ platforms: [{ name: 'rack', share }] }),
    isUp: () => isUp,
    retireOrigins(_application: string, origins: readonly string[]) {
      steps.push(`retire ${origins.join(' ')}`);
      return 13;
    },
  };
  const link: Pick<WorkerLink, 'applied' | 'drained'> = {
    async applied(version) {
      steps.push(`applied ${version}`);
      return true;
    },
    async drained(version, withinMs) {
      steps.push(`drained ${version} within ${withinMs}`);
      return true;
    },
  };
  const monitor: Pick<Monitor, 'observeNow'> = {
    async observeNow(application, platform) {
      steps.push(`observe ${platform}`);
      return { kind: 'platform', at: 0, application, platform, observation: undefined };
    },
  };
  const options = { clock, logger: silentLogger, drainMs: () => 30_000 };
  // Only what it asks of them.
  traffic = createPlatformTraffic(engine as unknown as Engine, monitor, link, options);
});

describe('a platform that is to be empty', () => {
  it('is waited for until its share is gone, and then until its exchanges have ended', async () => {
    share = 0.5;
    const emptied = traffic.emptied('shop', 'rack');
    await pass(clock, 1_000, 50);
    expect(steps).toEqual([]);
    share = 0;
    await pass(clock, 100, 50);
    expect(await emptied).toBe(true);
    expect(steps).toEqual(['drained 12 within 30000']);
  });

  it('is given up after a minute when it still serves', async () => {
    share = 0.5;
    const emptied = traffic.emptied('shop', 'rack');
    await pass(clock, 61_000, 1_000);
    expect(await emptied).toBe(false);
    expect(steps).toEqual([]);
  });
});

describe('an instance', () => {
  it('leaves the table and drains', async () => {
    await traffic.leave('shop', 'rack', [URL]);
    expect(steps).toEqual([`retire ${originId('rack', URL)}`, 'drained 13 within 30000']);
  });

  it('is back once it is in the table, answers, and every worker knows', async () => {
    inTable = false;
    isUp = false;
    const joined = traffic.join('shop', 'rack', [URL]);
    await pass(clock, 1_000, 50);
    inTable = true;
    await pass(clock, 1_000, 50);
    expect(steps).toEqual(['observe rack']);
    isUp = true;
    await pass(clock, 100, 50);
    expect(await joined).toBe(true);
    expect(steps).toEqual(['observe rack', 'applied 12']);
  });

  it('that does not come back is told so', async () => {
    isUp = false;
    const joined = traffic.join('shop', 'rack', [URL]);
    await pass(clock, 31_000, 1_000);
    expect(await joined).toBe(false);
  });
});
