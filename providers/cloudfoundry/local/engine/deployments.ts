import type { RevisionRow } from '../app-state.ts';
import type { CloudBase } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import {
  type AppRow,
  activeDeployment,
  type DeploymentReason,
  type DeploymentRow,
  type ProcessRow,
  processesOf,
  webProcesses,
} from '../state.ts';
import { type Metadata, newRow } from '../state-rows.ts';
import type { Instances } from './instances.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Revisions } from './revisions.ts';
import { canaryStep, nextStep, type UpdaterView } from './updater.ts';

interface DeploymentWish {
  readonly app: AppRow;
  readonly strategy: 'rolling' | 'canary';
  readonly dropletGuid: string;
  readonly maxInFlight: number;
  readonly requested: DeploymentRow['requested'];
  readonly metadata: Metadata;
  /** Go back to this one instead of deploying what the application is now. */
  readonly revision?: RevisionRow | undefined;
}

/** The zero-downtime deployments of all apps, and the updater that ticks over them. */
export interface Deployments {
  create(wish: DeploymentWish): DeploymentRow;
  cancel(deployment: DeploymentRow): void;
  /** Next canary step; after the last one the rest rolls. */
  resume(deployment: DeploymentRow): void;
  start(): void;
  close(): void;
}

export function createDeployments(
  cloud: CloudBase,
  instances: Instances,
  lifecycle: Lifecycle,
  revisions: Revisions,
): Deployments {
  const { state, clock } = cloud;
  let stopTicking = (): void => undefined;

  function become(deployment: DeploymentRow, phase: DeploymentRow['phase'], reason: DeploymentReason): void {
    deployment.phase = phase;
    if (deployment.reason !== reason) deployment.statusChangedAt = clock.now();
    deployment.reason = reason;
    deployment.status = phase === 'DEPLOYED' || phase === 'CANCELED' ? 'FINALIZED' : 'ACTIVE';
    deployment.updatedAt = clock.now();
  }

  function create(wish: DeploymentWish): DeploymentRow {
    const { app, requested } = wish;
    const previous = activeDeployment(state, app.guid);
    const previousDroplet = app.dropletGuid;
    const webs = webProcesses(state, app.guid);
    const oldest = webs[0];
    const newest = webs.at(-1);
    if (!oldest || !newest) throw unprocessable('The app has no web process to deploy.');
    const rolledBack = wish.revision && revisions.rollBack(app, wish.revision);
    app.dropletGuid = wish.dropletGuid;
    app.updatedAt = clock.now();
    const revision = rolledBack ?? revisions.current(app);

    const original = previous?.originalInstances ?? oldest.instances;
    const target = requested.webInstances ?? original;
    const running = app.state === 'STARTED';
    const row = newRow(clock, cloud.newId);
    const process = running ? cloneProcess(newest, requested) : newest;
    const deployment: DeploymentRow = {
      ...row,
      appGuid: app.guid,
      strategy: wish.strategy,
      status: 'ACTIVE',
      reason: 'DEPLOYING',
      phase: wish.strategy === 'canary' ? 'PREPAUSED' : 'DEPLOYING',
      statusChangedAt: row.createdAt,
      lastHealthyAt: row.createdAt,
      error: null,
      maxInFlight: wish.maxInFlight,
      target,
      originalInstances: original,
      requested,
      canaryStep: 1,
      dropletGuid: wish.dropletGuid,
      revisionGuid: revision?.guid ?? null,
      previousDropletGuid: previousDroplet,
      processGuid: running ? process.guid : null,
      newProcesses: running ? [{ guid: process.guid, type: 'web' }] : [],
      metadata: wish.metadata,
    };
    state.deployments.set(deployment.guid, deployment);
    cloud.audit.record('audit.app.deployment.create', app, { deployment_guid: deployment.guid });

    if (!running) {
      // Nothing to replace gradually: the app is started and that was it.
      applyRequested(process, requested);
      if (requested.webInstances !== null) process.instances = requested.webInstances;
      lifecycle.start(app);
      become(deployment, 'DEPLOYED', 'DEPLOYED');
      return deployment;
    }
    process.revisionGuid = revision?.guid ?? null;
    process.instances = Math.min(wish.maxInFlight, phaseTarget(deployment).wanted);
    state.processes.set(process.guid, process);
    if (previous) {
      become(previous, previous.phase === 'DEPLOYING' ? 'DEPLOYED' : 'CANCELED', 'SUPERSEDED');
    }
    lifecycle.run(process);
    return deployment;
  }

  function cloneProcess(from: ProcessRow, requested: DeploymentRow['requested']): ProcessRow {
    const row = newRow(clock, cloud.newId);
    const process: ProcessRow = {
      ...structuredClone(from),
      ...row,
      version: cloud.newId(),
    };
    applyRequested(process, requested);
    return process;
  }

  function applyRequested(process: ProcessRow, requested: DeploymentRow['requested']): void {
    process.memoryMb = requested.memoryMb ?? process.memoryMb;
    process.diskMb = requested.diskMb ?? process.diskMb;
    process.logRate = requested.logRate ?? process.logRate;
  }

  function viewOf(deployment: DeploymentRow, phase: UpdaterView['phase'], fresh: ProcessRow): UpdaterView {
    const views = instances.views(fresh.guid);
    const count = (...states: string[]): number => views.filter((one) => states.includes(one.state)).length;
    const routable = views.filter((one) => one.routable).length;
    return {
      phase,
      maxInFlight: deployment.maxInFlight,
      ...phaseTarget(deployment),
      fresh: {
        instances: fresh.instances,
        // Running and not yet ready is still on its way.
        starting: count('STARTING', 'RUNNING') - routable,
        unhealthy: count('CRASHED', 'DOWN'),
        routable,
      },
      old: webProcesses(state, deployment.appGuid)
        .filter((process) => process.guid !== fresh.guid)
        .map(({ guid, instances: count }) => ({ guid, instances: count })),
    };
  }

  function tick(deployment: DeploymentRow): void {
    const app = state.apps.get(deployment.appGuid);
    const fresh = deployment.processGuid ? state.processes.get(deployment.processGuid) : undefined;
    const { phase } = deployment;
    if (!app || !fresh || app.state !== 'STARTED' || phase === 'DEPLOYED' || phase === 'CANCELED') return;
    dropSuperseded(deployment.appGuid);
    const view = viewOf(deployment, phase, fresh);
    const step = nextStep(view);
    const crashed = instances.views(fresh.guid).find((one) => one.state === 'CRASHED');
    deployment.error = crashed ? `Instance ${crashed.index} crashed: ${crashed.details ?? 'unknown'}` : null;
    switch (step.kind) {
      case 'wait':
        return;
      case 'scale':
        if (step.healthy) deployment.lastHealthyAt = clock.now();
        for (const { guid, instances: count } of step.old) scaleOld(deployment.appGuid, guid, count);
        if (step.fresh !== fresh.instances) lifecycle.scale(fresh, step.fresh);
        deployment.updatedAt = clock.now();
        return;
      case 'pause':
        deployment.lastHealthyAt = clock.now();
        become(deployment, 'PAUSED', 'PAUSED');
        return;
      case 'finalize':
        finalize(deployment, app, fresh);
        return;
      case 'cancel':
        finishCancel(deployment, fresh);
        return;
    }
  }

  /** Processes whose deployment was superseded while it was not rolling have nothing to give. */
  function dropSuperseded(appGuid: string): void {
    for (const { reason, phase, processGuid, ...other } of state.deployments.values()) {
      if (other.appGuid !== appGuid || reason !== 'SUPERSEDED' || phase !== 'CANCELED') continue;
      const process = processGuid ? state.processes.get(processGuid) : undefined;
      if (process && process.instances > 0) lifecycle.scale(process, 0);
    }
  }

  /** The oldest web process is kept at zero until the end; what came between is not needed again. */
  function scaleOld(appGuid: string, guid: string, count: number): void {
    const process = state.processes.get(guid);
    if (!process) return;
    if (count === 0 && webProcesses(state, appGuid)[0]?.guid !== guid) lifecycle.destroyProcess(process);
    else lifecycle.scale(process, count);
  }

  function finalize(deployment: DeploymentRow, app: AppRow, fresh: ProcessRow): void {
    deployment.lastHealthyAt = clock.now();
    for (const process of webProcesses(state, app.guid)) {
      if (process.guid !== fresh.guid) lifecycle.destroyProcess(process);
    }
    for (const process of processesOf(state, app.guid)) {
      // All at once: workers have no zero-downtime deployment.
      if (process.type === 'web') continue;
      process.revisionGuid = deployment.revisionGuid;
      lifecycle.run(process);
    }
    become(deployment, 'DEPLOYED', 'DEPLOYED');
  }

  function finishCancel(deployment: DeploymentRow, fresh: ProcessRow): void {
    const others = webProcesses(state, deployment.appGuid).filter((process) => process.guid !== fresh.guid);
    const prior = interimProcess(deployment.appGuid, others) ?? others[0];
    if (prior) lifecycle.scale(prior, deployment.originalInstances);
    for (const process of [...others, fresh]) {
      if (process.guid !== prior?.guid) lifecycle.destroyProcess(process);
    }
    become(deployment, 'CANCELED', 'CANCELED');
  }

  /** The newest process of a superseded rolling deployment that runs at all. */
  function interimProcess(appGuid: string, processes: readonly ProcessRow[]): ProcessRow | undefined {
    const superseded = new Set<string | null>();
    for (const one of state.deployments.values()) {
      if (one.appGuid === appGuid && one.reason === 'SUPERSEDED' && one.phase === 'DEPLOYED') {
        superseded.add(one.processGuid);
      }
    }
    return [...processes]
      .reverse()
      .find(
        ({ guid }) => superseded.has(guid) && instances.views(guid).some((one) => one.state === 'RUNNING'),
      );
  }

  return {
    create,
    cancel(deployment) {
      if (deployment.status !== 'ACTIVE') {
        throw unprocessable(
          `Cannot cancel a deployment with status: ${deployment.status} and reason: ${deployment.reason}`,
        );
      }
      const app = state.apps.get(deployment.appGuid);
      if (app && deployment.previousDropletGuid !== null) app.dropletGuid = deployment.previousDropletGuid;
      become(deployment, 'CANCELING', 'CANCELING');
      if (app) cloud.audit.record('audit.app.deployment.cancel', app, { deployment_guid: deployment.guid });
    },
    resume(deployment) {
      if (deployment.phase !== 'PAUSED') {
        throw unprocessable(
          `Cannot continue a deployment with status: ${deployment.status} and reason: ${deployment.reason}`,
        );
      }
      const steps = deployment.requested.canaryWeights?.length ?? 1;
      if (deployment.canaryStep >= steps) return become(deployment, 'DEPLOYING', 'DEPLOYING');
      deployment.canaryStep += 1;
      become(deployment, 'PREPAUSED', 'DEPLOYING');
    },
    start() {
      stopTicking = clock.every(cloud.delays.updaterTick, () => {
        for (const deployment of [...state.deployments.values()]) {
          if (deployment.status === 'ACTIVE') tick(deployment);
        }
      });
    },
    close: () => stopTicking(),
  };
}

/** How many instances the new process, and all together, shall have at the end of the phase. */
function phaseTarget(deployment: DeploymentRow): { readonly wanted: number; readonly total: number } {
  if (deployment.phase !== 'PREPAUSED' && deployment.phase !== 'PAUSED') {
    return { wanted: deployment.target, total: deployment.target };
  }
  const weight = deployment.requested.canaryWeights?.[deployment.canaryStep - 1];
  const { canary, original } = canaryStep(deployment.target, weight);
  return { wanted: canary, total: canary + original };
}
