import { hostname } from 'node:os';
import { localControl } from '../app/local-control.ts';
import { openOrchestrator, openProviders } from '../app/orchestration.ts';
import { releaseProbe } from '../app/release-probe.ts';
import type { Control } from '../core/control.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { Settings } from '../core/settings.ts';
import { noTraffic } from '../core/traffic.ts';
import { createEventLog } from '../events/log.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createRedactor } from '../lib/redact.ts';
import { silentLogger } from '../observe/logger.ts';
import { fileStore } from '../state/file-store.ts';
import type { CliIo } from './io.ts';
import { adminUrlOf, ownToken } from './server-address.ts';
import { serverClient } from './server-client.ts';

/** Who does what the command asks: a running controller, or an orchestrator in this very process. */
export interface Session {
  readonly kind: 'server' | 'alone';
  readonly control: Control;
  /** Calls back for events from now on, until closed. */
  follow(onEvent: (event: LoggedEvent) => void): void;
  /** Alone: resolves when all that was begun has ended. With a server the work goes on there: at once. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly server?: string;
  readonly token?: string;
}

/** `--server` if given, else the controller of this configuration if it runs, else alone over the same state. */
export async function openSession(settings: Settings, options: ServerOptions, io: CliIo): Promise<Session> {
  const url = options.server ?? adminUrlOf(settings);
  const client = serverClient(url, options.token ?? io.env['SLUICE_TOKEN'] ?? ownToken(settings));
  if (options.server !== undefined || (await client.isAlive())) return serverSession(client);
  await client.close();
  return await aloneSession(settings, io);
}

function serverSession(client: ReturnType<typeof serverClient>): Session {
  const detached = new AbortController();
  return {
    kind: 'server',
    control: client,
    follow(onEvent) {
      // A refused stream shows in the act itself, which has the better words for it.
      void client.follow('now', onEvent, detached.signal).catch(() => undefined);
    },
    async settled() {},
    async close() {
      detached.abort();
      await client.close();
    },
  };
}

async function aloneSession(settings: Settings, io: CliIo): Promise<Session> {
  const clock = systemClock;
  const logger = silentLogger;
  const store = await fileStore(settings.state.dir, clock);
  const redactor = createRedactor(settings.secrets);
  const events = createEventLog({
    clock,
    redact: (event) => redactor.value(event) as typeof event,
    file: `${await store.folder('events')}/events.ndjson`,
  });
  const providers = openProviders(settings, { clock, random: systemRandom, logger });
  const orchestrator = await openOrchestrator({
    settings,
    store,
    events,
    clock,
    logger,
    traffic: noTraffic,
    probe: releaseProbe,
    providers,
    what: `sluice on ${hostname()}`,
  });
  const control = await localControl(orchestrator, store, logger, io.signal);
  return {
    kind: 'alone',
    control,
    follow: (onEvent) => void events.onEvent(onEvent),
    settled: () => control.settled(),
    async close() {
      await Promise.all([...providers.values()].map((provider) => provider.close()));
      await store.close();
    },
  };
}
