import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { Clock, StateStore } from '../../src/core/ports.ts';
import type { Bundle } from '../../src/core/provider.ts';
import {
  type ApplicationSettings,
  DEFAULT_GATEWAY,
  DEFAULT_HEALTH,
  DEFAULT_POLICY,
} from '../../src/core/settings.ts';
import type { ReleaseOutcome, TrafficControl } from '../../src/core/traffic.ts';
import { createEventLog } from '../../src/events/log.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { bundleFolder } from '../../src/orchestrator/bundle.ts';
import { bundleStore } from '../../src/orchestrator/bundle-store.ts';
import type { ReleaseProbe } from '../../src/orchestrator/context.ts';
import type { OrchestratorDeps } from '../../src/orchestrator/deps.ts';
import { createOrchestrator, type Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { type FakePlatform, fakePlatform, fakeProvider } from '../support/fake-provider.ts';

/** An orchestrator over fake platforms and a fake gateway, in time that flies. */
export interface World {
  readonly dir: string;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly platforms: Readonly<Record<string, FakePlatform>>;
  readonly trafficCalls: string[];
  readonly events: LoggedEvent[];
  readonly shop: ApplicationSettings;
  probe: ReleaseProbe;
  outcomes: (since: number) => readonly ReleaseOutcome[];
  /** As a process that has just started would have it. */
  open(application?: ApplicationSettings, more?: Partial<OrchestratorDeps>): Promise<Orchestrator>;
  source(content: string): Promise<Bundle>;
  deploy(orchestrator: Orchestrator, content: string, stop?: AbortSignal): Promise<DeploymentRecord>;
  close(): Promise<void>;
}

export const never = new AbortController().signal;

/** Time flies while we wait: sleeping takes no time but moves the clock, and what is due then happens. */
function fastClock(): Clock {
  let now = 1_000_000;
  const due = new Map<() => void, number>();
  return {
    ...systemClock,
    now: () => now,
    monotonic: () => now,
    after(ms, run) {
      due.set(run, now + ms);
      return () => void due.delete(run);
    },
    every(ms, run) {
      function again(): void {
        due.set(again, now + ms);
        run();
      }
      due.set(again, now + ms);
      return () => void due.delete(again);
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      now += ms;
      for (const [run, at] of due) {
        if (at > now) continue;
        due.delete(run);
        run();
      }
      await new Promise((next) => setImmediate(next));
    },
  };
}

export async function openWorld(names: readonly string[] = ['cf', 'ocp']): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-orchestrator-'));
  const clock = fastClock();
  const store = memoryStore(clock);
  const platforms = Object.fromEntries(names.map((name) => [name, fakePlatform(name)]));
  const trafficCalls: string[] = [];
  const events: LoggedEvent[] = [];
  let ids = 0;

  const world: World = {
    ...{ dir, store, clock, platforms, trafficCalls, events },
    shop: shopOn(names),
    outcomes: () => [],
    async probe({ url }) {
      const { serving, trial } = platforms[url.split(/[./]/).at(-1) ?? ''] ?? {};
      const release = url.includes('//trial.') ? trial?.release : serving;
      return { ok: release !== undefined, detail: 'ok', ...(release === undefined ? {} : { release }) };
    },
    async open(application = world.shop, more = {}) {
      const log = createEventLog({ clock, redact: (event) => event });
      log.onEvent((event) => events.push(event));
      const traffic: TrafficControl = {
        allowReleases: (_app, releases) => void trafficCalls.push(`allow ${releases.join(' ')}`),
        introduce: async (_app, platform, release) =>
          void trafficCalls.push(`introduce ${platform} ${release}`),
        async withdraw(_app, platform, release) {
          const gone = platforms[platform]?.calls.includes(`retire ${release}`);
          trafficCalls.push(`withdraw ${platform} ${release}${gone ? ' (too late)' : ''}`);
        },
        async split(_app, release, part) {
          trafficCalls.push(`split ${release} ${part}`);
        },
        outcomes: (_app, since) => world.outcomes(since),
      };
      return createOrchestrator({
        settings: {
          file: undefined,
          platforms: {},
          applications: { shop: application },
          gateway: DEFAULT_GATEWAY,
          state: { dir },
          secrets: [],
        },
        store,
        bundles: await bundleStore(store, () => `b${++ids}`),
        clock,
        logger: silentLogger,
        events: log,
        traffic,
        probe: (origin, health) => world.probe(origin, health),
        providers: new Map(Object.values(platforms).map((one) => [one.name, fakeProvider(one)])),
        deploysTo: () => true,
        uniqueId: () => `${++ids}`,
        hashKey: 'key',
        by: 'command',
        process: { host: 'nowhere', pid: 1 },
        holder: 'test',
        ...more,
      });
    },
    async source(content) {
      await writeFile(join(dir, 'server.js'), content);
      return bundleFolder(dir);
    },
    async deploy(orchestrator, content, stop = never) {
      const wish = { application: 'shop', platforms: undefined, bundle: await world.source(content) };
      return (await orchestrator.deploy(wish, stop)).finished;
    },
    async close() {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}

function shopOn(names: readonly string[]): ApplicationSettings {
  return {
    name: 'shop',
    source: { kind: 'path', path: '/unused' },
    process: { command: 'node server.js', instances: 2, memoryBytes: 1 },
    env: { LOG: 'info' },
    secretEnv: [],
    health: { ...DEFAULT_HEALTH, release: { header: 'x-release' } },
    data: { writes: 'anywhere' },
    routes: [],
    targets: names.map((platform) => ({
      platform,
      tier: 1,
      weight: 1,
      instances: 2,
      env: {},
      capacityRps: undefined,
      capacityRpsPerInstance: undefined,
    })),
    policy: DEFAULT_POLICY,
    startTimeoutMs: 10_000,
  };
}
