import type { CloudBase } from '../cloud.ts';
import type { AppRow, DropletRow, HealthCheck, ProcessRow } from '../state.ts';
import { processesOf } from '../state.ts';
import type { DesiredProcess, Instances } from './instances.ts';
import type { Revisions } from './revisions.ts';
import { commandOf, processEnv, withSidecars } from './start-command.ts';
import { withMountPaths } from './volume-folders.ts';

const DEFAULT_START_TIMEOUT_S = 60;

/** What the API makes the cells do; desired state becomes instances here. */
export interface Lifecycle {
  start(app: AppRow): void;
  stop(app: AppRow): void;
  restart(app: AppRow): void;
  /** Runs a process with the app's droplet, environment and settings of this moment. */
  run(process: ProcessRow): void;
  /** Sets and, where the app is started, makes it so. */
  scale(process: ProcessRow, instances: number): void;
  destroyProcess(process: ProcessRow): void;
  /** Resolves when its last instance is gone. */
  destroyApp(app: AppRow): Promise<void>;
}

export function createLifecycle(cloud: CloudBase, instances: Instances, revisions: Revisions): Lifecycle {
  const { state, clock } = cloud;

  function run(process: ProcessRow): void {
    const app = state.apps.get(process.appGuid);
    const droplet = app?.dropletGuid ? state.droplets.get(app.dropletGuid) : undefined;
    if (!app || !droplet) return;
    const wish = wishOf(cloud, app, droplet, process);
    if (wish) instances.desire(wish, process.instances);
  }

  function start(app: AppRow): void {
    touch(app, 'STARTED');
    const revision = revisions.current(app);
    for (const process of processesOf(state, app.guid)) {
      process.revisionGuid = revision?.guid ?? null;
      run(process);
    }
    cloud.audit.record('audit.app.start', app);
  }

  function stop(app: AppRow): void {
    touch(app, 'STOPPED');
    for (const process of processesOf(state, app.guid)) void instances.remove(process.guid);
    cloud.audit.record('audit.app.stop', app);
  }

  function touch(app: AppRow, to: AppRow['state']): void {
    app.state = to;
    app.updatedAt = clock.now();
  }

  return {
    start,
    stop,
    run,
    restart(app) {
      for (const process of processesOf(state, app.guid)) void instances.remove(process.guid);
      start(app);
    },
    scale(process, count) {
      process.instances = count;
      process.updatedAt = clock.now();
      const app = state.apps.get(process.appGuid);
      if (app?.state !== 'STARTED') return;
      if (instances.has(process.guid)) instances.scale(process.guid, count);
      else run(process);
    },
    destroyProcess(process) {
      state.processes.delete(process.guid);
      void instances.remove(process.guid);
    },
    async destroyApp(app) {
      const processes = processesOf(state, app.guid);
      state.apps.delete(app.guid);
      for (const process of processes) state.processes.delete(process.guid);
      for (const route of state.routes.values()) {
        route.destinations = route.destinations.filter((one) => one.appGuid !== app.guid);
      }
      const { packages, builds, droplets, deployments, revisions, sidecars } = state;
      for (const rows of [packages, builds, droplets, deployments, revisions, sidecars]) {
        for (const row of rows.values()) if (row.appGuid === app.guid) rows.delete(row.guid);
      }
      for (const { guid, appGuid } of state.serviceBindings.values()) {
        if (appGuid === app.guid) state.serviceBindings.delete(guid);
      }
      await Promise.all(processes.map((process) => instances.remove(process.guid)));
      cloud.logs.forget(app.guid);
    },
  };
}

function wishOf(
  cloud: CloudBase,
  app: AppRow,
  droplet: DropletRow,
  process: ProcessRow,
): DesiredProcess | undefined {
  const command = commandOf(process, droplet);
  if (command === undefined) return undefined;
  const { delays, state, urls } = cloud;
  return {
    processGuid: process.guid,
    appGuid: app.guid,
    type: process.type,
    dropletGuid: droplet.guid,
    command: withSidecars(command, state, app.guid, process.type),
    cwd: droplet.folder,
    env: withMountPaths(cloud, app.guid, processEnv(state, urls.api, app, process)),
    memoryMb: process.memoryMb,
    diskMb: process.diskMb,
    health: {
      ...checkOf(process.healthCheck, delays.liveness),
      startTimeoutMs: (process.healthCheck.timeout ?? DEFAULT_START_TIMEOUT_S) * 1_000,
    },
    readiness: checkOf(process.readiness, delays.readiness),
  };
}

function checkOf(health: HealthCheck, defaultEveryMs: number): DesiredProcess['readiness'] {
  return {
    type: health.type,
    path: health.endpoint ?? '/',
    timeoutMs: (health.invocationTimeout ?? 1) * 1_000,
    intervalMs: health.interval === null ? defaultEveryMs : health.interval * 1_000,
  };
}
