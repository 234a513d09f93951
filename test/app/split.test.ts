import { afterEach, describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import { createTrafficControl } from '../../src/app/traffic-control.ts';
import { createWorkerLink } from '../../src/app/worker-link.ts';
import type { Observation, PlatformProvider } from '../../src/core/provider.ts';
import { DEFAULT_GATEWAY, DEFAULT_HEALTH } from '../../src/core/settings.ts';
import type { TrafficControl } from '../../src/core/traffic.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { createMonitor } from '../../src/health/monitor.ts';
import { createProbe } from '../../src/health/probes.ts';
import { healthJudge } from '../../src/health/verdicts.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { closeAll, startAll } from '../../src/lib/lifecycle.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { ask, type Cleanup, httpOrigin, until } from '../gateway/harness.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';

const OLD = 'r-0000000001';
const NEW = 'r-0000000002';
const MAIN_HOST = 'shop.apps.test';
const TRIAL_HOST = 'shop--r-0000000002.apps.test';

const cleanup: Cleanup = { tasks: [] };
afterEach(async () => {
  for (const task of cleanup.tasks.splice(0)) await task();
});

interface Served {
  readonly port: number;
  readonly traffic: TrafficControl;
  /** Of each hundred requests to the trial, so many are answered 500 by the application itself. */
  bad: number;
  get(): Promise<{ readonly status: number; readonly release: string }>;
}

/** A router with two releases behind one address, and a whole gateway before it. */
async function serve(): Promise<Served> {
  let asked = 0;
  let bad = 0;
  const router = await httpOrigin(cleanup, (request, response) => {
    const release = request.headers.host === TRIAL_HOST ? NEW : OLD;
    const isProbe = request.url === '/healthz';
    if (release === NEW && !isProbe) asked += 1;
    const fails = release === NEW && !isProbe && (asked * bad) % 100 < bad;
    response.writeHead(fails ? 500 : 200, { 'x-release': release });
    response.end();
  });
  const observation = (): Observation => ({
    ...{ at: systemClock.now(), apiLatencyMs: 1, exists: true, releases: [], serving: OLD, desired: 1 },
    instances: [{ id: '0', release: OLD, state: 'running', routable: true }],
    trial: { release: NEW, instances: [], desired: 1 },
    origins: [
      { url: router.url, hostHeader: MAIN_HOST },
      { url: router.url, hostHeader: TRIAL_HOST, release: NEW, trial: true },
    ],
    ...{ env: {}, foreign: [] },
  });
  // Only what the monitor asks of it.
  const provider = { platform: 'cf', observe: async () => observation() } as unknown as PlatformProvider;
  const health = {
    ...DEFAULT_HEALTH,
    ...{ path: '/healthz', everyMs: 200, release: { header: 'x-release' } },
  };
  const common = { clock: systemClock, logger: silent };
  const engine = createEngine({
    ...common,
    applications: [application([target({ platform: 'cf' })], { health })],
    platforms: { cf: { name: 'cf', provider: 'cloudfoundry', options: {} } },
    events: eventLog(virtualClock(), []),
    decide,
    judge: healthJudge,
  });
  const monitor = createMonitor({
    ...{ ...common, random: seededRandom(3), probe: createProbe({ clock: systemClock }) },
    platforms: [{ application: 'shop', provider }],
  });
  const settings = { ...DEFAULT_GATEWAY, listen: [{ host: '127.0.0.1', port: 0 }] };
  const gateway = createGateway({ worker: 0, settings, ...common, random: seededRandom(11) });
  const link = createWorkerLink(systemClock, (message) => {
    if (message.type === 'table') gateway.swap(message.table);
  });
  const worker = { to: 'controller', worker: 0 } as const;
  gateway.onApplied((version) => link.accept({ ...worker, type: 'applied', version }));
  gateway.onDrained((version) => link.accept({ ...worker, type: 'drained', version }));
  gateway.onTraffic((signals) => {
    for (const signal of signals) engine.accept(signal);
  });
  gateway.onEjection((ejection) => engine.accept(ejection));
  engine.onTable((table) => link.publish(table));
  monitor.onSignal((signal) => engine.accept(signal));
  engine.onWatched((origins) => monitor.watch(origins));
  engine.allowReleases('shop', [OLD]);
  cleanup.tasks.unshift(() => closeAll([engine, monitor, gateway]));
  await startAll([gateway, engine, monitor]);
  await until(() => (engine.table.routes[0]?.targets.length ?? 0) > 0);
  const port = gateway.ports[0] ?? 0;
  return {
    port,
    traffic: createTrafficControl(engine, monitor, link, { ...common, drainMs: () => 2_000 }),
    get bad() {
      return bad;
    },
    set bad(percent) {
      bad = percent;
    },
    async get() {
      const { status, headers } = await ask(port);
      return { status, release: String(headers['x-release']) };
    },
  };
}

async function releasesOf(served: Served, count: number): Promise<readonly string[]> {
  const releases: string[] = [];
  for (let sent = 0; sent < count; sent += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => served.get()));
    releases.push(...answers.map(({ release }) => release));
  }
  return releases;
}

describe('a split before two releases behind one router', () => {
  it('gives the trial its part of the requests, within what chance allows, and all of it back', async () => {
    const served = await serve();
    expect(new Set(await releasesOf(served, 40))).toEqual(new Set([OLD]));
    await served.traffic.split('shop', NEW, 0.2);
    const count = 600;
    const tried = (await releasesOf(served, count)).filter((release) => release === NEW).length;
    // Five standard deviations of a binomial: one run in two million leaves them by chance.
    const deviation = Math.sqrt(0.2 * 0.8 * count);
    expect(Math.abs(tried - 0.2 * count)).toBeLessThan(5 * deviation);
    await served.traffic.split('shop', NEW, 1);
    expect(new Set(await releasesOf(served, 60))).toEqual(new Set([NEW]));
    await served.traffic.split('shop', NEW, 0);
    expect(new Set(await releasesOf(served, 60))).toEqual(new Set([OLD]));
  });

  it('counts a 5xx that the application answered and we passed on as failed, there and nowhere else', async () => {
    const served = await serve();
    served.bad = 10;
    await served.traffic.split('shop', NEW, 0.5);
    const since = Date.now();
    // Windows that began before are not looked at.
    await systemClock.sleep(1_100);
    const statuses: number[] = [];
    for (let i = 0; i < 20; i += 1)
      statuses.push(
        ...(await Promise.all(Array.from({ length: 20 }, () => served.get()))).map((a) => a.status),
      );
    const seen = statuses.filter((status) => status === 500).length;
    expect(seen).toBeGreaterThan(0);
    const outcomes = () => served.traffic.outcomes('shop', since);
    await until(() => outcomes().reduce((sum, { requests }) => sum + requests, 0) >= 400);
    const [own, trial] = outcomes();
    expect(own).toMatchObject({ platform: 'cf', release: OLD, trial: false, failed: 0 });
    expect(trial).toMatchObject({ platform: 'cf', release: NEW, trial: true, failed: seen });
    expect((own?.requests ?? 0) + (trial?.requests ?? 0)).toBe(400);
    expect(trial?.p50Ms).toBeGreaterThan(0);
  });
});
