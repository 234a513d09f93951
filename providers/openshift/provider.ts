import type { ApplicationName } from '../../src/core/ids.ts';
import type {
  Observation,
  OperationHandle,
  OperationStatus,
  PlatformProvider,
  ProviderContext,
  ProviderDeps,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { TaskSpec } from '../../src/core/task-power.ts';
import { apply, pollApply } from './apply.ts';
import { autoscalerOf } from './autoscaler.ts';
import { watchedKinds } from './capabilities.ts';
import { check } from './check.ts';
import { createClient } from './client.ts';
import type { Options } from './config.ts';
import { describe } from './describe.ts';
import { events } from './events.ts';
import { logs } from './logs.ts';
import { checkName, ownerLabels, selector } from './names.ts';
import { observe } from './observe.ts';
import { planChanges } from './plan.ts';
import { pollRestart, pollStart, pollStop, restart, start, stop } from './power.ts';
import { applyProcesses, pollProcesses, scaleProcess } from './processes.ts';
import { heldPullSecret } from './registry.ts';
import { destroy, pollDestroy, pollRetire, retire } from './remove.ts';
import { DEPLOYMENT } from './resources.ts';
import { pollScale, scale } from './scale.ts';
import {
  ensureServices,
  handedOut,
  madeServices,
  pollServices,
  removeServices,
  withServices,
} from './services.ts';
import { createSites, type Site } from './site.ts';
import { pollStage, stage } from './stage.ts';
import { cancelTask, forgetTask, pollTask, startTask } from './tasks.ts';
import { endTrial, pollEndTrial, pollTrial, startTrial } from './trial.ts';
import { watchNamespace } from './watch/namespace-watch.ts';

/** Operations whose progress is all to be seen in what is watched. */
const IS_WATCHED: ReadonlySet<OperationHandle['kind']> = new Set(['apply', 'scale', 'trial']);
/** Deadlines pass without anything happening. */
const UNWATCHED_EVERY_MS = 3_000;

import { claimsOf } from './volume-claims.ts';
import { volumeChanges, volumesIn } from './volumes.ts';

/** One namespace of one OpenShift cluster. */
export function createProvider(deps: ProviderDeps<Options>): PlatformProvider {
  const { platform, options, clock } = deps;
  const client = createClient(deps);
  const siteOf = createSites({ platform, options, client, clock });
  const watch = watchNamespace({
    client,
    clock,
    random: deps.random,
    kinds: async (signal) => watchedKinds((await siteOf(signal)).capabilities),
  });

  /** The act with the site as it was found. */
  function on<Rest extends readonly unknown[], Result>(
    act: (site: Site, context: ProviderContext, ...rest: Rest) => Promise<Result>,
  ): (context: ProviderContext, ...rest: Rest) => Promise<Result> {
    return async (context, ...rest) => act(await siteOf(context.signal), context, ...rest);
  }

  const polls: Record<OperationHandle['kind'], Poll> = {
    stage: pollStage,
    apply: pollApply,
    scale: pollScale,
    retire: pollRetire,
    destroy: pollDestroy,
    trial: pollTrial,
    endTrial: pollEndTrial,
    processes: pollProcesses,
    task: pollTask,
    stop: pollStop,
    start: pollStart,
    restart: pollRestart,
    services: pollServices,
  };

  return {
    kind: 'openshift',
    platform,
    describe: async (context) => describe(await siteOf(context.signal, true), context),
    observe: on((site, context, application: ApplicationName) => observe(site, watch, context, application)),
    plan: on(async (site, context, given: TargetSpec, seen: Observation) => {
      const want = await withServices(site, context, given);
      const [deployment, routes, autoscaler, pullSecret] = await Promise.all([
        site.client.get(DEPLOYMENT, want.application, context.signal),
        site.client.list(site.routing, selector(ownerLabels(want.application)), context.signal),
        autoscalerOf(site, want.application, context.signal),
        heldPullSecret(site, want, context.signal),
      ]);
      const volumes = volumesIn(want.services ?? []);
      const claims = volumes.length === 0 ? [] : await claimsOf(site, want.application, context.signal);
      return [
        ...planChanges(want, seen, { deployment, routes, autoscaler, pullSecret }),
        ...(seen.foreign.length > 0 ? [] : volumeChanges(want.application, volumes, claims)),
      ];
    }),
    check: on(check),
    stage: on(stage),
    apply: on(async (site, context, want: TargetSpec, artifact: StagedArtifact) => {
      checkName(platform, want.application);
      return apply(site, context, await withServices(site, context, want), artifact);
    }),
    scale: on(scale),
    retire: on(retire),
    destroy: on(destroy),
    trial: {
      start: on(async (site, context, want: TargetSpec, artifact: StagedArtifact) =>
        startTrial(site, context, await withServices(site, context, want), artifact),
      ),
      end: on(endTrial),
    },
    poll: on(async (site, context, handle: OperationHandle) => {
      const status = await polls[handle.kind](site, context, handle);
      // Whoever waits hears of it; time is only for what nothing tells of.
      return status.state === 'running' && watch.isLive && IS_WATCHED.has(handle.kind)
        ? { ...status, retryAfterMs: UNWATCHED_EVERY_MS }
        : status;
    }),
    changes: (application, changed) => watch.changes(application, changed),
    services: {
      ensure: on(ensureServices),
      handedOut: on(handedOut),
      made: on(madeServices),
      remove: on(removeServices),
    },
    processes: {
      apply: on(async (site, context, want: TargetSpec, artifact: StagedArtifact) =>
        applyProcesses(site, context, await withServices(site, context, want), artifact),
      ),
      scale: on(scaleProcess),
    },
    tasks: {
      start: on(async (site, context, want: TargetSpec, artifact: StagedArtifact, task: TaskSpec) =>
        startTask(site, context, await withServices(site, context, want), artifact, task),
      ),
      cancel: on(cancelTask),
      forget: on(forgetTask),
    },
    power: { stop: on(stop), start: on(start), restart: on(restart) },
    logs: on(logs),
    events: on(events),
    async close() {
      watch.close();
      await client.close();
    },
  };
}

type Poll = (site: Site, context: ProviderContext, handle: OperationHandle) => Promise<OperationStatus>;
