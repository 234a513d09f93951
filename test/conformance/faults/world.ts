import { createReleaseProbe } from '../../../src/app/release-probe.ts';
import type { DeploymentRecord } from '../../../src/core/deployment.ts';
import type { LoggedEvent } from '../../../src/core/events.ts';
import type { Clock } from '../../../src/core/ports.ts';
import type { Bundle, Observation, PlatformProvider } from '../../../src/core/provider.ts';
import {
  type ApplicationSettings,
  DEFAULT_GATEWAY,
  DEFAULT_HEALTH,
  DEFAULT_POLICY,
} from '../../../src/core/settings.ts';
import { noTraffic } from '../../../src/core/traffic.ts';
import { createEventLog } from '../../../src/events/log.ts';
import { createProbe } from '../../../src/health/probes.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { bundleStore } from '../../../src/orchestrator/bundle-store.ts';
import { createOrchestrator } from '../../../src/orchestrator/orchestrator.ts';
import { quietContext } from '../../../src/orchestrator/scope.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import { type Clients, createClients } from './clients.ts';

const MEBIBYTE = 1024 * 1024;

export interface Deploy {
  readonly bundle: Bundle;
  readonly greeting: string;
  readonly startTimeoutMs: number;
  /** Called for each event, while what it tells of goes on. */
  readonly onEvent?: (event: LoggedEvent) => void;
}

/** One application on one platform, with a state of its own, deployed by the orchestrator as `sluice deploy` does. */
export interface World {
  /** Clients of what serves now, which the next deployment will not disturb. */
  clients(): Promise<Clients>;
  deploy(wish: Deploy): Promise<DeploymentRecord>;
  observe(): Promise<Observation>;
  close(): Promise<void>;
}

export async function createWorld(given: {
  readonly application: string;
  readonly clock: Clock;
  readonly provider: PlatformProvider;
}): Promise<World> {
  const { application, clock, provider } = given;
  const { platform } = provider;
  const context = quietContext(() => clock.now());
  const store = memoryStore(clock);
  const events = createEventLog({ clock, redact: (event) => event });
  const observe = (): Promise<Observation> => provider.observe(context, application);
  const probe = createReleaseProbe(createProbe({ clock, upstreamTls: () => DEFAULT_GATEWAY.upstreamTls }));
  let clients: Clients | undefined;
  let listen: Deploy['onEvent'];
  let ids = 0;
  events.onEvent((event) => listen?.(event));
  const bundles = await bundleStore(store, () => `b${++ids}`);

  return {
    observe,
    async clients() {
      await clients?.stop();
      clients = createClients(observe);
      await clients.start();
      return clients;
    },
    async deploy(wish) {
      listen = wish.onEvent;
      const settings = settingsOf(application, platform, wish);
      const orchestrator = createOrchestrator({
        ...{
          store,
          bundles,
          clock,
          events,
          probe,
          logger: silentLogger,
          traffic: clients?.traffic ?? noTraffic,
        },
        settings: {
          file: undefined,
          platforms: {},
          applications: { [application]: settings },
          gateway: DEFAULT_GATEWAY,
          state: { dir: '' },
          secrets: [],
        },
        providers: new Map([[platform, provider]]),
        deploysTo: () => true,
        uniqueId: () => `${++ids}`,
        hashKey: 'key',
        by: 'command',
        process: { host: 'nowhere', pid: 1 },
        holder: 'the fault matrix',
      });
      const { bundle } = wish;
      const begun = await orchestrator.deploy(
        { application, platforms: undefined, bundle },
        new AbortController().signal,
      );
      return begun.finished;
    },
    async close() {
      await clients?.stop();
      await provider.close();
      await store.close();
    },
  };
}

function settingsOf(application: string, platform: string, wish: Deploy): ApplicationSettings {
  const { greeting, startTimeoutMs } = wish;
  return {
    name: application,
    source: { kind: 'path', path: '/unused' },
    process: { command: 'node server.js', instances: 1, memoryBytes: 64 * MEBIBYTE },
    env: { GREETING: greeting },
    secretEnv: [],
    health: { ...DEFAULT_HEALTH, path: '/healthz', release: { header: 'x-release' } },
    data: { writes: 'anywhere' },
    routes: [],
    targets: [
      {
        platform,
        tier: 1,
        weight: 1,
        instances: 1,
        env: {},
        capacityRps: undefined,
        capacityRpsPerInstance: undefined,
      },
    ],
    policy: DEFAULT_POLICY,
    startTimeoutMs,
  };
}
