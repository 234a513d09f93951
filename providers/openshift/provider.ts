import type {
  OperationHandle,
  OperationStatus,
  PlatformProvider,
  ProviderContext,
  ProviderDeps,
} from '../../src/core/provider.ts';
import { apply, pollApply } from './apply.ts';
import { autoscalerOf } from './autoscaler.ts';
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
import { DEPLOYMENT, ROUTE, WATCHED } from './resources.ts';
import { pollScale, scale } from './scale.ts';
import { checkServices, handedOut, withServices } from './services.ts';
import type { Site } from './site.ts';
import { pollStage, stage } from './stage.ts';
import { handleOf } from './status.ts';
import { cancelTask, forgetTask, pollTask, startTask } from './tasks.ts';
import { endTrial, pollEndTrial, pollTrial, startTrial } from './trial.ts';
import { watchNamespace } from './watch/namespace-watch.ts';

/** Operations whose progress is all to be seen in what is watched. */
const IS_WATCHED: ReadonlySet<OperationHandle['kind']> = new Set(['apply', 'scale', 'trial']);
/** Deadlines pass without anything happening. */
const UNWATCHED_EVERY_MS = 3_000;

/** One namespace of one OpenShift cluster. */
export function createProvider(deps: ProviderDeps<Options>): PlatformProvider {
  const { platform, options, clock } = deps;
  const client = createClient(deps);
  const site: Site = { platform, options, client, clock };

  const watch = watchNamespace({ client, clock, random: deps.random, kinds: WATCHED });

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
    // Secrets are there or not: nothing is waited for.
    services: async () => ({ state: 'succeeded' }),
  };

  return {
    kind: 'openshift',
    platform,
    describe: (context) => describe(site, context),
    observe: (context, application) => observe(site, watch, context, application),
    async plan(context, given, seen) {
      const want = await withServices(site, context, given);
      const [deployment, routes, autoscaler, pullSecret] = await Promise.all([
        client.get(DEPLOYMENT, want.application, context.signal),
        client.list(ROUTE, selector(ownerLabels(want.application)), context.signal),
        autoscalerOf(site, want.application, context.signal),
        heldPullSecret(site, want, context.signal),
      ]);
      return planChanges(want, seen, { deployment, routes, autoscaler, pullSecret });
    },
    check: (context, want, seen) => check(site, context, want, seen),
    stage: (context, want, bundle) => stage(site, context, want, bundle),
    async apply(context, want, artifact) {
      checkName(platform, want.application);
      return apply(site, context, await withServices(site, context, want), artifact);
    },
    scale: (context, application, instances) => scale(site, context, application, instances),
    retire: (context, application, release) => retire(site, context, application, release),
    destroy: (context, application) => destroy(site, context, application),
    trial: {
      start: async (context, want, artifact) =>
        startTrial(site, context, await withServices(site, context, want), artifact),
      end: (context, application, release) => endTrial(site, context, application, release),
    },
    async poll(context, handle) {
      const status = await polls[handle.kind](site, context, handle);
      // Whoever waits hears of it; time is only for what nothing tells of.
      return status.state === 'running' && watch.isLive && IS_WATCHED.has(handle.kind)
        ? { ...status, retryAfterMs: UNWATCHED_EVERY_MS }
        : status;
    },
    changes: (application, changed) => watch.changes(application, changed),
    services: {
      async ensure(context, want) {
        await checkServices(site, context, want);
        const handle = handleOf(site, context, want.application, 'services', {});
        return { handle, done: { state: 'succeeded' } };
      },
      handedOut: (context, _application, services) => handedOut(site, context, services),
      made: async () => [],
      async remove(context, application) {
        const handle = handleOf(site, context, application, 'services', {});
        return { handle, done: { state: 'succeeded' } };
      },
    },
    processes: {
      apply: async (context, want, artifact) =>
        applyProcesses(site, context, await withServices(site, context, want), artifact),
      scale: (context, application, process, instances) =>
        scaleProcess(site, context, application, process, instances),
    },
    tasks: {
      start: async (context, want, artifact, task) =>
        startTask(site, context, await withServices(site, context, want), artifact, task),
      cancel: (context, handle) => cancelTask(site, context, handle),
      forget: (context, handle) => forgetTask(site, context, handle),
    },
    power: {
      stop: (context, application) => stop(site, context, application),
      start: (context, application) => start(site, context, application),
      restart: (context, application, process) => restart(site, context, application, process),
    },
    logs: (context, application, query) => logs(site, context, application, query),
    events: (context, application, query) => events(site, context, application, query),
    async close() {
      watch.close();
      await client.close();
    },
  };
}

type Poll = (site: Site, context: ProviderContext, handle: OperationHandle) => Promise<OperationStatus>;
