import { decide } from '../../policies/decide.ts';
import type { FromSupervisor, FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import type { Clock, Logger, Random, Runnable } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { createEngine } from '../engine/engine.ts';
import { createLastTable } from '../engine/last-table.ts';
import { createEventLog } from '../events/log.ts';
import { createMonitor } from '../health/monitor.ts';
import { createProbe } from '../health/probes.ts';
import { healthJudge } from '../health/verdicts.ts';
import { closeAll, startAll } from '../lib/lifecycle.ts';
import { createRedactor } from '../lib/redact.ts';
import { createAdminApi } from '../observe/admin-api.ts';
import { fileStore } from '../state/file-store.ts';
import { createGatewayTotals } from './gateway-totals.ts';
import { localControl } from './local-control.ts';
import { openOrchestrator, openProviders } from './orchestration.ts';
import { createReleaseNames } from './release-names.ts';
import { releaseProbe } from './release-probe.ts';
import { statusView } from './status-view.ts';
import { takeUpDeployments } from './take-up.ts';
import { createTrafficControl } from './traffic-control.ts';
import { createWorkerLink } from './worker-link.ts';

export interface ControllerDeps {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** To the supervisor, which relays to the workers. */
  readonly send: (message: ToWorker | ToSupervisor) => void;
}

export interface Controller extends Runnable {
  readonly adminPort: number;
  accept(message: FromWorker | FromSupervisor): void;
}

/** Less than the supervisor waits before it ends us the hard way. */
const STOP_DEPLOYMENTS_MS = 2_000;

/** The part that knows and decides, put together: state → events → engine ⇄ monitor → orchestrator → admin API. */
export async function createController(deps: ControllerDeps): Promise<Controller> {
  const { settings, clock, random, logger, send } = deps;
  const applications = Object.values(settings.applications);
  const redactor = createRedactor(settings.secrets);

  const store = await fileStore(settings.state.dir, clock);
  const events = createEventLog({
    clock,
    redact: (event) => redactor.value(event) as typeof event,
    file: `${await store.folder('events')}/events.ndjson`,
  });
  const providers = openProviders(settings, { clock, random, logger });
  const lastTable = createLastTable(store, logger);
  const kept = await lastTable.read();
  const link = createWorkerLink(clock, send);
  const totals = createGatewayTotals();

  const engine = createEngine({
    applications,
    platforms: settings.platforms,
    clock,
    logger,
    events,
    decide,
    judge: healthJudge,
    ...(kept ? { lastTable: kept } : {}),
  });
  const monitor = createMonitor({
    clock,
    random,
    logger,
    probe: createProbe({ clock }),
    platforms: applications.flatMap(({ name, targets }) =>
      targets.map((target) => ({ application: name, provider: providers.get(target.platform)! })),
    ),
  });
  const traffic = createTrafficControl(engine, monitor, link, {
    clock,
    logger,
    drainMs: settings.gateway.timeouts.drainMs,
  });
  const orchestrator = await openOrchestrator({
    ...{ settings, store, events, clock, logger, traffic, providers },
    probe: releaseProbe,
    what: 'sluice serve',
    by: 'server',
  });
  const stopping = new AbortController();
  const control = await localControl(settings, orchestrator, store, logger, stopping.signal);
  const names = createReleaseNames(orchestrator, applications);
  const admin = createAdminApi({
    settings: settings.gateway.admin,
    status: () => statusView({ settings, engine, link, events, names, now: clock.now() }),
    table: () => engine.table,
    explain: (application) => engine.explain(application),
    counters: () => totals.now,
    events,
    control,
    redact: (value) => redactor.value(value),
    ready: () => engine.table.version > 0 && link.ready > 0,
  });

  // Facts in, tables out. Everything else follows from these lines.
  monitor.onSignal((signal) => engine.accept(signal));
  engine.onWatched((origins) => monitor.watch(origins));
  lastTable.follow(engine.onTable);
  engine.onTable((table) => link.publish(table));
  link.onMessage((message) => {
    totals.accept(message);
    if (message.type === 'traffic') for (const signal of message.signals) engine.accept(signal);
    else if (message.type === 'ejection') engine.accept(message.ejection);
    else if (message.type === 'ready') {
      // It may follow a table that a controller before us published and did not live to keep.
      engine.surpass(message.tableVersion);
      const { worker: index, pid } = message;
      if (pid !== undefined) events.append({ type: 'process.started', process: 'worker', pid, index });
    } else if (message.type === 'gone') {
      const { worker: index, pid, why } = message;
      events.append({ type: 'process.exited', process: 'worker', pid, index, why });
    }
  });
  // A deployment changes what is live; names are read again when it ends.
  events.onEvent((event) => {
    if (event.type === 'deployment.finished' || event.type === 'deployment.started') readNames();
  });

  function readNames(): void {
    names.refresh().catch((error: unknown) => {
      logger.warn({ err: String(error) }, 'the releases cannot be read; they are shown by their ids');
    });
  }

  const parts: readonly Runnable[] = [engine, monitor, admin];
  return {
    name: 'controller',
    get adminPort() {
      return admin.port;
    },
    accept(message) {
      if (message.type !== 'predecessor-gone') return link.accept(message);
      const { pid, why } = message;
      events.append({ type: 'process.exited', process: 'controller', pid, why });
    },
    async start() {
      events.append({ type: 'process.started', process: 'controller', pid: process.pid });
      await names.refresh();
      for (const { name } of applications) {
        const live = Object.values((await orchestrator.releases(name)).live);
        engine.allowReleases(name, [...new Set(live)]);
      }
      if (engine.table.version > 0) link.publish(engine.table);
      await startAll(parts);
      monitor.watch(engine.watched);
      void takeUpDeployments({ orchestrator, control, events, clock, logger, stop: stopping.signal });
    },
    async close() {
      stopping.abort();
      try {
        await closeAll(parts);
        // Deployments stop at their next step; what is under way then is resumed from the journal.
        const settled = new AbortController();
        void control.settled().then(() => settled.abort());
        await clock.sleep(STOP_DEPLOYMENTS_MS, settled.signal).catch(() => undefined);
      } finally {
        await lastTable.flush();
        await Promise.all([...providers.values()].map((provider) => provider.close()));
        await store.close();
      }
    },
  };
}
