import { beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { PlatformEvent, PlatformEventsQuery } from '../../src/core/platform-events.ts';
import type { PlatformProvider } from '../../src/core/provider.ts';
import { createEventLog } from '../../src/events/log.ts';
import { createPlatformEvents } from '../../src/events/platform-events.ts';
import { isBackground } from '../../src/lib/background.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { fakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { application, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const NOW = 10_000_000;
let clock: VirtualClock;
let asked: { readonly at: number; readonly query: PlatformEventsQuery; readonly background: boolean }[];
let there: PlatformEvent[];
let isAway: boolean;
let log: ReturnType<typeof createEventLog>;

beforeEach(() => {
  clock = virtualClock(NOW);
  asked = [];
  there = [];
  isAway = false;
  log = createEventLog({ clock, redact: (event) => event });
});

function reader() {
  const cf: PlatformProvider = {
    ...fakeProvider(fakePlatform('cf')),
    async events(_context, _application, query) {
      asked.push({ at: clock.now() - NOW, query, background: isBackground() });
      if (isAway) throw platformError('unavailable', 'cf', 'away');
      return { events: there.slice(-query.most), cursor: `${asked.length}` };
    },
  };
  return createPlatformEvents({
    settings: {
      applications: { shop: application([target({ platform: 'cf' }), target({ platform: 'rack' })]) },
    },
    // `rack` tells nothing.
    providers: new Map([cf, fakeProvider(fakePlatform('rack'))].map((one) => [one.platform, one])),
    ...{ clock, events: log, logger: silentLogger },
  });
}

function event(id: string, at = NOW - 1_000): PlatformEvent {
  return { id, at, kind: 'crash', text: `crash ${id}` };
}

function told(): readonly LoggedEvent[] {
  return log.since(0).filter(({ type }) => type === 'platform.event');
}

describe('what platforms tell', () => {
  it('goes into the log once, in their words and with their time', async () => {
    there = [event('1'), event('2')];
    const reading = reader();
    await reading.start();
    await pass(clock, 40_000, 1_000);
    await reading.close();
    expect(told()).toMatchObject([
      {
        application: 'shop',
        platform: 'cf',
        id: '1',
        kind: 'crash',
        text: 'crash 1',
        platformAt: NOW - 1_000,
      },
      { id: '2' },
    ]);
  });

  it('is asked for slowly, as what can wait, from ten minutes ago on and then from where it was left', async () => {
    const reading = reader();
    await reading.start();
    await pass(clock, 40_000, 1_000);
    await reading.close();
    await pass(clock, 60_000, 1_000);
    expect(asked.map(({ at }) => Math.round(at / 1_000))).toEqual([0, 16, 31]);
    expect(asked.every(({ background }) => background)).toBe(true);
    expect(asked[0]?.query).toEqual({ most: 30, since: NOW - 600_000 });
    expect(asked[1]?.query).toMatchObject({ after: '1' });
  });

  it('is not told again after a restart of ours', async () => {
    there = [event('1')];
    for (let turn = 0; turn < 2; turn++) {
      const reading = reader();
      await reading.start();
      await pass(clock, 2_000, 1_000);
      await reading.close();
    }
    expect(asked).toHaveLength(2);
    expect(told()).toHaveLength(1);
  });

  it('is waited for longer and longer where a platform does not tell', async () => {
    isAway = true;
    const reading = reader();
    await reading.start();
    await pass(clock, 120_000, 1_000);
    expect(asked.map(({ at }) => Math.round(at / 1_000))).toEqual([0, 31, 91]);
    isAway = false;
    there = [event('1')];
    await pass(clock, 120_000, 1_000);
    await reading.close();
    expect(told()).toHaveLength(1);
  });
});
