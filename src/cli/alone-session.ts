import { hostname, userInfo } from 'node:os';
import { localControl } from '../app/local-control.ts';
import { openOperations } from '../app/operating.ts';
import { openOrchestrator, openProviders } from '../app/orchestration.ts';
import { createReleaseNames } from '../app/release-names.ts';
import { createReleaseProbe } from '../app/release-probe.ts';
import type { Control } from '../core/control.ts';
import { releaseLabel } from '../core/release.ts';
import type { Settings } from '../core/settings.ts';
import { noPlatformTraffic, noTraffic } from '../core/traffic.ts';
import { createEventLog } from '../events/log.ts';
import { createProbe } from '../health/probes.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createRedactor } from '../lib/redact.ts';
import { createLogs } from '../logs/read-logs.ts';
import { silentLogger } from '../observe/logger.ts';
import { intentRecordsIn } from '../orchestrator/intent-records.ts';
import { actsIn } from '../orchestrator/operation-rules.ts';
import { sizeOn } from '../orchestrator/sizes.ts';
import { stopOrdersIn } from '../orchestrator/stop-orders.ts';
import { fileStore } from '../state/file-store.ts';
import { aloneStatus } from './alone-status.ts';
import type { CliIo } from './io.ts';
import type { Session } from './session.ts';

/** No server runs: the same orchestrator in this process, over the same state. */
export async function aloneSession(settings: Settings, io: CliIo): Promise<Session> {
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
  const records = intentRecordsIn(store);
  for (const name of Object.keys(settings.applications)) await records.read(name);
  const stops = stopOrdersIn(store, clock);
  const orchestrator = await openOrchestrator({
    ...{ settings, store, events, clock, logger, providers },
    traffic: noTraffic,
    probe: createReleaseProbe(createProbe({ clock, upstreamTls: () => settings.gateway.upstreamTls })),
    what: `sluice on ${hostname()}`,
    by: 'command',
    started: stops.lift,
    scaledTo(name, platform) {
      const application = settings.applications[name];
      return application && sizeOn(records.known(name), application, platform, clock.now())?.instances;
    },
  });
  const control = await localControl(settings, orchestrator, store, logger, io.signal);
  const names = createReleaseNames(orchestrator, settings);
  await names.refresh();
  const logs = createLogs({
    ...{ settings, providers, clock },
    redact: redactor.text,
    numberOf: names.numberOf,
  });
  /** Nobody else writes down what people do. */
  function tell(act: string, subject: string, reason: string): void {
    events.append({ type: 'operator.act', act, who: userInfo().username, subject, reason });
  }
  const audited: Control = {
    ...control,
    async rollback(wish) {
      const started = await control.rollback(wish);
      const subject = `${wish.application} to ${releaseLabel(started.release)}`;
      tell('rollback', subject, wish.force ? 'forced' : '');
      return started;
    },
    async run(wish) {
      const started = await control.run(wish);
      tell('run', `${wish.task ?? 'a command'} on ${started.platform} of ${wish.application}`, '');
      return started;
    },
    async settleRun(run, as) {
      const settled = await control.settleRun(run, as);
      if (settled !== undefined) tell('settle', `run ${run} of ${settled.application} as ${as}`, '');
      return settled;
    },
    async breakLock(application, reason) {
      const broken = await control.breakLock(application, reason);
      if (broken !== undefined) tell('lock break', `${application}, held by ${broken.holder}`, reason);
      return broken;
    },
  };
  return {
    kind: 'alone',
    control: audited,
    operations: openOperations({
      ...{ settings, store, clock, events, providers, records },
      what: `sluice on ${hostname()}`,
      traffic: noPlatformTraffic,
      stops,
    }),
    logs: logs.logs,
    async status() {
      await names.refresh();
      const acts = await actsIn({ store, clock });
      return aloneStatus(settings, { providers, names, clock, signal: io.signal, acts });
    },
    async follow(onEvent) {
      events.onEvent(onEvent);
    },
    settled: () => control.settled(),
    async close() {
      await Promise.all([...providers.values()].map((provider) => provider.close()));
      await store.close();
    },
  };
}
