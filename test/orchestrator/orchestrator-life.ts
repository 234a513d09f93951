import { join } from 'node:path';
import { readConfiguration } from '../../src/app/configuration.ts';
import { openOrchestrator, openProviders } from '../../src/app/orchestration.ts';
import { createReleaseProbe } from '../../src/app/release-probe.ts';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { Clock, StateStore } from '../../src/core/ports.ts';
import { noTraffic, type ReleaseOutcome, type TrafficControl } from '../../src/core/traffic.ts';
import { createEventLog } from '../../src/events/log.ts';
import { createProbe } from '../../src/health/probes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { bundleFolder } from '../../src/orchestrator/bundle.ts';
import type { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import { fileStore } from '../../src/state/file-store.ts';

/** An orchestrator over real platforms as one process has it: from its start to its end, or to its death. */
export interface OrchestratorLife {
  readonly orchestrator: Orchestrator;
  readonly events: readonly LoggedEvent[];
  deploy(): Promise<DeploymentRecord>;
  resume(id: string): Promise<DeploymentRecord>;
  close(): Promise<void>;
}

export interface LifeOptions {
  /** Where sluice.yaml, the state and the application lie. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly asInReality?: boolean;
  /** Stands before the state: whoever writes a journal passes it. */
  readonly around?: (store: StateStore) => StateStore;
}

/** Clients are content with every release: what is looked at here is not the gateway. */
const CONTENT: TrafficControl = {
  ...noTraffic,
  outcomes: () =>
    ['cf', 'ocp', 'rack'].flatMap((platform) => [outcome(platform, false), outcome(platform, true)]),
};

function outcome(platform: string, trial: boolean): ReleaseOutcome {
  return { platform, trial, release: undefined, requests: 1_000, failed: 0, p50Ms: 1, p95Ms: 2 };
}

const never = new AbortController().signal;

export async function openOrchestratorLife(options: LifeOptions): Promise<OrchestratorLife> {
  const { dir, env } = options;
  const read = readConfiguration({ file: join(dir, 'sluice.yaml') }, { cwd: dir, env });
  const { settings } = read;
  if (settings === undefined) throw new Error(JSON.stringify(read.diagnostics));
  // Where nobody looks at the time, all that is waited for is asked for ten times as often.
  const clock: Clock = options.asInReality
    ? systemClock
    : { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };
  const logger = silentLogger;
  const plain = await fileStore(settings.state.dir, clock);
  const store = options.around?.(plain) ?? plain;
  const log = createEventLog({ clock, redact: (event) => event });
  const events: LoggedEvent[] = [];
  log.onEvent((event) => events.push(event));
  const providers = openProviders(settings, { clock, random: systemRandom, logger });
  const orchestrator = await openOrchestrator({
    ...{ settings, store, clock, logger, providers },
    events: log,
    traffic: CONTENT,
    probe: createReleaseProbe(createProbe({ clock, upstreamTls: () => undefined })),
    what: 'a life',
    by: 'command',
  });
  return {
    orchestrator,
    events,
    async deploy() {
      const bundle = await bundleFolder(join(dir, 'shop'));
      const wish = { application: 'shop', platforms: undefined, bundle };
      return await (await orchestrator.deploy(wish, never)).finished;
    },
    resume: async (id) => (await orchestrator.resume(id, never)).finished,
    async close() {
      await Promise.all([...providers.values()].map((provider) => provider.close()));
      await store.close();
    },
  };
}
