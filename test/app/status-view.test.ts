import { expect, it } from '@jest/globals';
import { statusView } from '../../src/app/status-view.ts';
import type { WorkerLink } from '../../src/app/worker-link.ts';
import { originsSettings } from '../../src/config/inline.ts';
import type { PlatformStatus } from '../../src/core/status.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createEventLog } from '../../src/events/log.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';

const settings = originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]);
const clock = virtualClock(5_000);

function platform(name: string, release: PlatformStatus['release']): PlatformStatus {
  return {
    name,
    provider: 'static',
    tier: 1,
    verdict: { state: 'up', since: 0, cause: 'ok', evidence: [] },
    share: 0.5,
    state: 'active',
    rps: 1,
    errorRate: 0,
    p95Ms: 2,
    instances: undefined,
    release,
    api: undefined,
    ejectedOrigins: 0,
    origins: 1,
  };
}

function view(events = createEventLog({ clock, redact: (event) => event })) {
  const platforms = [platform('a', { id: 'r-1' }), platform('b', { id: 'r-9' }), platform('c', undefined)];
  const engine: Partial<Engine> = {
    table: { version: 8, publishedAt: 0, routes: [] },
    statusOf: (name) => ({ name, demandRps: 3, platforms }),
  };
  const link: Partial<WorkerLink> = { ready: 1 };
  return statusView({
    settings,
    // Only what the view asks of them.
    engine: engine as Engine,
    link: link as WorkerLink,
    events,
    drills: {
      lastDrill: (_application, name) => (name === 'a' ? { proven: true, passedAt: 1 } : undefined),
    },
    drift: { status: () => undefined },
    placer: { status: () => undefined },
    names: {
      async refresh() {},
      numberOf: (_application, id) => (id === 'r-1' ? 42 : undefined),
      newestLive: () => ({
        id: 'r-1',
        number: 42,
        application: 'default',
        sourceDigest: 'sha256:x',
        configHash: 'sha256:y',
        createdAt: 0,
      }),
    },
    executor: { scaling: () => undefined, promotion: () => undefined },
    configuration: { file: undefined, since: 1_000 },
    now: clock.now(),
  });
}

it('puts together what engine, workers and releases know', () => {
  const status = view();
  expect(status).toMatchObject({ at: 5_000, tableVersion: 8, workers: { wanted: 1, ready: 1 } });
  expect(status.applications[0]).toMatchObject({ name: 'default', release: { id: 'r-1', number: 42 } });
  expect(status.applications[0]?.platforms.map((one) => one.release)).toEqual([
    { id: 'r-1', number: 42 },
    { id: 'r-9' },
    undefined,
  ]);
});

it('shows the last fifty events that explain, not the lines of a build', () => {
  const events = createEventLog({ clock, redact: (event) => event });
  for (let pid = 1; pid <= 60; pid++) {
    events.append({ type: 'process.started', process: 'worker', pid, index: 0 });
    events.append({ type: 'deployment.log', deployment: 'd-1', platform: 'a', source: 'build', text: 'x' });
  }
  const { recent } = view(events);
  expect(recent).toHaveLength(50);
  expect(recent.every((event) => event.type === 'process.started')).toBe(true);
  expect(recent.at(-1)).toMatchObject({ pid: 60 });
});
