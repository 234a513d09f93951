import { join } from 'node:path';
import { decide } from '../../policies/decide.ts';
import type { EventType } from '../core/events.ts';
import type { FromSupervisor, FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import type { Clock, Dispose, Logger, Random, Runnable } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { RefusedConfiguration } from '../core/status.ts';
import { createEngine } from '../engine/engine.ts';
import { createLastTable } from '../engine/last-table.ts';
import { schedule } from '../engine/schedule.ts';
import { createEventLog } from '../events/log.ts';
import { createPlatformEvents } from '../events/platform-events.ts';
import { Egress } from '../health/egress.ts';
import { createMonitor } from '../health/monitor.ts';
import { createProbe } from '../health/probes.ts';
import { healthJudge } from '../health/verdicts.ts';
import { closeAll, startAll } from '../lib/lifecycle.ts';
import { createRedactor } from '../lib/redact.ts';
import { createDrains } from '../logs/drains.ts';
import { createLogs } from '../logs/read-logs.ts';
import { createAdminApi } from '../observe/admin-api.ts';
import { intentRecordsIn } from '../orchestrator/intent-records.ts';
import { fileStore } from '../state/file-store.ts';
import { automaticWrites } from './automatic-writes.ts';
import { createAutoscaling } from './autoscaling.ts';
import { watchBreakGlass } from './break-glass.ts';
import type { ReadConfiguration } from './configuration.ts';
import { watchDrift } from './drift-watching.ts';
import { createDrills } from './drills.ts';
import { tellExchanges } from './exchanges.ts';
import { explainPast } from './explain-past.ts';
import { createFileWatch } from './file-watch.ts';
import { answersOf, createGatewayTotals } from './gateway-totals.ts';
import { withAffinityKey } from './installation-key.ts';
import { deploymentLimits, executeIntents } from './intent-execution.ts';
import { scheduleJobs } from './job-scheduling.ts';
import { createLiveSettings } from './live-settings.ts';
import { localControl } from './local-control.ts';
import { openOperations } from './operating.ts';
import { createOperatorActs } from './operator-acts.ts';
import { leaseIdentity, openOrchestrator, openProviders } from './orchestration.ts';
import { createPlatformTraffic } from './platform-traffic.ts';
import { placeProcesses } from './process-placing.ts';
import { reconfiguration, watchedPlatforms } from './reconfigure.ts';
import { createReleaseNames } from './release-names.ts';
import { createReleaseProbe } from './release-probe.ts';
import { createReload, textsOf } from './reload.ts';
import { gatewayRevision } from './revision.ts';
import { watchServices } from './service-watching.ts';
import { createStateWatch } from './state-watch.ts';
import { statusView } from './status-view.ts';
import { takeUpDeployments } from './take-up.ts';
import { createTrafficControl } from './traffic-control.ts';
import { createWorkerLink } from './worker-link.ts';

export interface ControllerDeps {
  /** What to begin with. */
  readonly settings: Settings;
  /** What was read for it. */
  readonly files: ReadConfiguration['files'];
  /** Set when the configuration is no good now and `settings` are those of a controller before. */
  readonly refused?: RefusedConfiguration | undefined;
  /** The configuration as it is now. */
  readonly read: () => ReadConfiguration;
  /** These shall not be printed from now on, beside those that came with `settings`. */
  readonly hide: (secrets: readonly string[]) => void;
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

/** A deployment changes what is live, a configuration which applications there are. */
const NAMES_CHANGE: ReadonlySet<EventType> = new Set([
  'deployment.started',
  'deployment.finished',
  'configuration.reloaded',
]);
/** Less than the supervisor waits before it ends us the hard way. */
const STOP_DEPLOYMENTS_MS = 2_000;

/** The part that knows and decides, put together: state → events → engine ⇄ monitor → orchestrator → admin API. */
export async function createController(deps: ControllerDeps): Promise<Controller> {
  const { clock, random, logger, send } = deps;
  let redactor = createRedactor(deps.settings.secrets);
  let stopping = false;
  let unwatchGlass: Dispose = () => undefined;

  const store = await fileStore(deps.settings.state.dir, clock);
  const first = await withAffinityKey(deps.settings, store);
  const live = createLiveSettings(first);
  const { settings } = live;
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
    applications: Object.values(settings.applications),
    platforms: settings.platforms,
    clock,
    logger,
    events,
    decide,
    judge: healthJudge,
    drillOf: (application, platform) => drills.lastDrill(application, platform),
    ...(kept ? { lastTable: kept } : {}),
  });
  const probe = createProbe({ clock, upstreamTls: () => settings.gateway.upstreamTls });
  const monitor = createMonitor({
    clock,
    random,
    logger,
    probe,
    platforms: watchedPlatforms(settings, providers),
  });
  const egress = new Egress();
  const trafficOptions = { clock, logger, drainMs: () => settings.gateway.timeouts.drainMs };
  const traffic = createTrafficControl(engine, monitor, link, trafficOptions);
  const orchestrator = await openOrchestrator({
    ...{ settings, store, events, clock, logger, traffic, providers },
    probe: createReleaseProbe(probe),
    ...deploymentLimits(
      engine,
      () => executor,
      () => acts.acts(),
    ),
    started: (application, platform) => acts.stops.lift(application, platform),
    what: 'sluice serve',
    by: 'server',
  });
  const stateWatch = createStateWatch({ store, clock, logger, tell: engine.stateIs });
  const quitting = new AbortController();
  const control = await localControl(settings, orchestrator, store, logger, quitting.signal);
  const acts = createOperatorActs({ settings, store, engine, events, clock, random });
  const records = intentRecordsIn(store);
  const executor = executeIntents({
    ...{ settings, store, clock, logger, events, providers, engine, monitor, records },
    acts: acts.acts,
  });
  const drills = createDrills({
    ...{ settings, engine, acts, store, events, clock, random, logger, schedule },
    applied: link.applied,
    answers: (application) => answersOf(totals.now, application),
    deployments: control.deployments,
  });
  const drift = await watchDrift({
    ...{ settings, store, clock, logger, events, providers, engine, executor },
    acts: acts.acts,
  });
  const services = await watchServices({ settings, store, clock, logger, providers, tell: engine.accept });
  const placer = placeProcesses({
    ...{ settings, store, clock, logger, events, providers, engine, monitor },
    acts: acts.acts,
  });
  const operating = {
    ...{ settings, store, clock, events, providers, records },
    capacityTook: engine.capacityTook,
  };
  const operations = openOperations({
    ...operating,
    what: 'sluice serve',
    traffic: createPlatformTraffic(engine, monitor, link, trafficOptions),
    stops: acts.stops,
    serving: (application) => acts.serving(application),
  });
  const autoscaling = createAutoscaling({
    ...{ ...operating, engine, executor, logger, schedule },
    identity: leaseIdentity('sluice serve'),
    forbidden: automaticWrites({ acts: acts.acts, clock, engine }),
  });
  const jobs = scheduleJobs({
    ...{ settings, store, clock, logger, events, providers, engine, orchestrator, schedule },
    acts: acts.acts,
  });
  const names = createReleaseNames(orchestrator, settings);
  const logs = createLogs({
    ...{ settings, providers, clock },
    redact: (text) => redactor.text(text),
    numberOf: names.numberOf,
  });
  const platformEvents = createPlatformEvents({ settings, providers, clock, logger, events });
  const drains = createDrains({ settings, logs, clock, logger });
  const admin = createAdminApi({
    settings: {
      ...settings.gateway.admin,
      get tokens() {
        return settings.gateway.admin.tokens;
      },
    },
    status: () =>
      statusView({
        ...{ settings, engine, link, events, names, executor, drills, drift, placer },
        acts: acts.acts(),
        configuration: reload.status,
        now: clock.now(),
      }),
    table: () => engine.table,
    explain: (application, at) =>
      at === undefined ? engine.explain(application) : explainPast(events.since(0), application, at),
    counters: () => totals.now,
    events,
    control,
    acts,
    operations,
    drills,
    logs,
    drains: drains.counts,
    redact: (value) => redactor.value(value),
    ready: () => engine.table.version > 0 && link.ready > 0,
    stopping: () => stopping,
  });
  const reload = createReload(
    {
      ...{ clock, logger, events },
      ...reconfiguration({
        ...{ live, engine, monitor, providers, orchestrator, control, link, send, executor },
        ...{ clock, random, logger },
      }),
      read: deps.read,
      async complete(next) {
        // The old ones may still occur somewhere.
        redactor = createRedactor([...new Set([...settings.secrets, ...next.secrets])]);
        deps.hide(next.secrets);
        return await withAffinityKey(next, store);
      },
      watch: (files) => watch.watch(files),
      keep: (files) => send({ to: 'supervisor', type: 'last-good', files }),
    },
    { settings: first, refused: deps.refused },
  );
  const watch = createFileWatch(clock, () => reload.soon('files'));

  // Facts in, tables out. Everything else follows from these lines.
  monitor.onSignal((signal) => {
    engine.accept(signal);
    const self = egress.hear(signal);
    if (self !== undefined) engine.accept(self);
    if (signal.kind === 'platform') {
      drift.hear(signal);
      placer.hear(signal);
      services.hear(signal);
    }
  });
  engine.onWatched((origins) => monitor.watch(origins));
  lastTable.follow(engine.onTable);
  engine.onTable((table) => link.publish(table));
  link.onMessage((message) => {
    totals.accept(message);
    if (message.type === 'traffic') {
      for (const signal of message.signals) {
        engine.accept(signal);
        drills.hear(signal);
      }
    } else if (message.type === 'demand') {
      for (const signal of message.signals) engine.accept(signal);
    } else if (message.type === 'ejection') engine.accept(message.ejection);
    else if (message.type === 'ready') {
      // It may follow a table that a controller before us published and did not live to keep.
      engine.surpass(message.tableVersion);
      const { worker: index, pid } = message;
      if (pid !== undefined) events.append({ type: 'process.started', process: 'worker', pid, index });
    } else if (message.type === 'gone') {
      const { worker: index, pid, why } = message;
      events.append({ type: 'process.exited', process: 'worker', pid, index, why });
    } else if (message.type === 'configured' && message.error) {
      logger.warn({ worker: message.worker, ...message.error }, 'a worker could not take the settings');
    }
  });
  events.onEvent(tellExchanges(engine));
  events.onEvent((event) => {
    if (event.type === 'configuration.reloaded') egress.keepOnly(new Set(Object.keys(settings.platforms)));
    if (NAMES_CHANGE.has(event.type)) readNames();
    if (event.type === 'configuration.reloaded') {
      drills.rearm();
      drains.renew();
      autoscaling.rearm();
      jobs.rearm();
    }
  });

  function readNames(): void {
    names.refresh().catch((error: unknown) => {
      logger.warn({ err: String(error) }, 'the releases cannot be read; they are shown by their ids');
    });
  }

  function announce({ at: _at, diagnostics: _diagnostics, ...refused }: RefusedConfiguration): void {
    events.append({ type: 'configuration.refused', ...refused });
  }

  const parts: readonly Runnable[] = [
    engine,
    monitor,
    stateWatch,
    drills,
    autoscaling,
    jobs,
    drains,
    platformEvents,
    admin,
  ];
  return {
    name: 'controller',
    get adminPort() {
      return admin.port;
    },
    accept(message) {
      switch (message.type) {
        case 'predecessor-gone': {
          const { pid, why } = message;
          events.append({ type: 'process.exited', process: 'controller', pid, why });
          return;
        }
        case 'reload':
          return reload.soon('signal');
        case 'stopping':
          stopping = true;
          return;
        default:
          return link.accept(message);
      }
    },
    async start() {
      events.append({ type: 'process.started', process: 'controller', pid: process.pid });
      await names.refresh();
      await executor.restore(Object.keys(settings.applications));
      await acts.restore();
      unwatchGlass = watchBreakGlass(join(settings.state.dir, 'break-glass.json'), acts.breakGlass, {
        clock,
        logger,
      });
      for (const name of Object.keys(settings.applications)) {
        const deployed = Object.values((await orchestrator.releases(name)).live);
        engine.allowReleases(name, [...new Set(deployed)]);
      }
      // The workers may still serve by what a controller before this one had read.
      const { gateway } = settings;
      send({ to: 'supervisor', type: 'gateway', revision: gatewayRevision(gateway), settings: gateway });
      if (engine.table.version > 0) link.publish(engine.table);
      await startAll(parts);
      monitor.watch(engine.watched);
      watch.watch(deps.files);
      if (deps.refused === undefined)
        send({ to: 'supervisor', type: 'last-good', files: textsOf(deps.files) });
      else announce(deps.refused);
      void orchestrator.runs
        .takeUp(quitting.signal)
        .catch((error: unknown) => logger.warn({ error: String(error) }, 'tasks could not be taken up'));
      void takeUpDeployments({ orchestrator, control, events, clock, logger, stop: quitting.signal });
    },
    async close() {
      quitting.abort();
      watch.close();
      unwatchGlass();
      try {
        await reload.settled();
        await closeAll(parts);
        // Deployments stop at their next step; what is under way then is resumed from the journal.
        const settled = new AbortController();
        void Promise.all([
          control.settled(),
          executor.close(),
          drift.close(),
          placer.close(),
          services.close(),
        ]).then(() => settled.abort());
        await clock.sleep(STOP_DEPLOYMENTS_MS, settled.signal).catch(() => undefined);
      } finally {
        await lastTable.flush();
        await Promise.all([...providers.values()].map((provider) => provider.close()));
        await store.close();
      }
    },
  };
}
