import { toWire } from '../../src/core/errors.ts';
import {
  isFinal,
  type Observation,
  type OperationHandle,
  type OperationStatus,
  type PlatformProvider,
  type ProviderContext,
  type ProviderDeps,
  type TargetSpec,
} from '../../src/core/provider.ts';
import { apply } from './apply.ts';
import { createClient, type Session } from './client.ts';
import type { Options } from './config.ts';
import { describe } from './describe.ts';
import { events } from './events.ts';
import { findOwnApp } from './find.ts';
import { imageChecks } from './images.ts';
import { logs } from './logs.ts';
import { manifestChecks } from './manifest-diff.ts';
import { observe } from './observe.ts';
import { planChanges } from './plan.ts';
import { pollRestartedProcess, pollStop, restart, start, stop } from './power.ts';
import { applyProcesses, pollProcesses, scaleProcess } from './processes.ts';
import { quotaChecks } from './quota.ts';
import { destroy, pollRemoval, retire } from './remove.ts';
import { pollApply } from './rollout.ts';
import { resolveRoutes } from './routes.ts';
import { scale } from './scale.ts';
import {
  madeServices,
  pollRemovedServices,
  pollUnbinding,
  removeServices,
  unbindServices,
} from './service-removal.ts';
import { ensureServices, handedOut, pollServices, withServices } from './services.ts';
import { pollStage, stage } from './stage.ts';
import { cancelTask, forgetTask, pollTask, startTask } from './tasks.ts';
import { findBuilt, giveDroplet, pollGiven, takeDroplet } from './transfer.ts';
import { endTrial, pollTrial, startTrial } from './trial.ts';
import { processSchema, routeSchema } from './wire.ts';

/** Speaks Cloud Foundry v3 to one org and space. Makes no connection before its first call. */
export function createProvider(deps: ProviderDeps<Options>): PlatformProvider {
  const { platform, options, clock, logger } = deps;
  const client = createClient(deps);

  function session(context: ProviderContext): Session {
    return client.session(context.signal);
  }

  async function poll(context: ProviderContext, handle: OperationHandle): Promise<OperationStatus> {
    switch (handle.kind) {
      case 'stage':
        return handle.native['taken'] === undefined
          ? pollStage(session(context), context, handle)
          : pollGiven(session(context), context, handle);
      case 'apply':
      case 'scale':
      case 'start':
        return pollApply(session(context), context, handle);
      case 'retire':
      case 'destroy':
      case 'endTrial':
        return pollRemoval(session(context), context, handle);
      case 'services': {
        const { mode } = handle.native;
        if (mode === 'unbind') return pollUnbinding(session(context), context, handle);
        if (mode === 'remove') return pollRemovedServices(session(context), context, handle);
        return pollServices(session(context), context, handle);
      }
      case 'processes':
        return pollProcesses(session(context), context, handle);
      case 'task':
        return pollTask(session(context), context, handle);
      case 'stop':
        return pollStop(session(context), context, handle);
      case 'restart':
        return handle.native['mode'] === 'process'
          ? pollRestartedProcess(session(context), context, handle)
          : pollApply(session(context), context, handle);
      case 'trial':
        return pollTrial(session(context), context, handle);
    }
  }

  /** What is wanted, what is there, and the difference. */
  async function compare(context: ProviderContext, given: TargetSpec, seen: Observation) {
    const calls = session(context);
    const want = await withServices(calls, given);
    const routes = await resolveRoutes(calls, context, want, options.domain);
    const app = seen.exists ? await findOwnApp(calls, want.application) : undefined;
    const there = app ? await calls.list(`/v3/apps/${app.guid}/routes`, routeSchema) : [];
    const web = app && (await calls.get(`/v3/apps/${app.guid}/processes/web`, processSchema));
    const details = { process: web, routes: there.map((one) => one.url) };
    return { want, app, web, routes, changes: planChanges({ want, routes }, seen, details) };
  }

  return {
    kind: 'cloudfoundry',
    platform,

    describe: (context) => describe(session(context), options),

    observe: (context, application) => observe(session(context), options, clock, context, application),

    plan: async (context, given, seen) => (await compare(context, given, seen)).changes,

    async check(context, given, seen) {
      if (seen.foreign.length > 0) return [];
      const calls = session(context);
      const { want, app, web, routes, changes } = await compare(context, given, seen);
      const found = await Promise.all([
        imageChecks(calls, want, app),
        quotaChecks(calls, options, want, seen, web?.memory_in_mb ?? undefined),
        app === undefined ? [] : manifestChecks(calls, want, routes, changes),
      ]);
      return found.flat();
    },

    stage: (context, want, bundle) => stage(session(context), context, want, bundle),

    async apply(context, given, artifact) {
      const calls = session(context);
      const want = await withServices(calls, given);
      return apply(calls, clock, context, options.domain, want, artifact);
    },

    scale: (context, application, instances) => scale(session(context), context, application, instances),

    services: {
      ensure: (context, want) => ensureServices(session(context), context, want),
      handedOut: (context, application, services) => handedOut(session(context), application, services),
      unbind: (context, want) => unbindServices(session(context), context, want),
      made: (context, application) => madeServices(session(context), application),
      remove: (context, application) => removeServices(session(context), context, application),
    },

    processes: {
      apply: (context, want) => applyProcesses(session(context), context, want),
      scale: (context, application, process, instances) =>
        scaleProcess(session(context), application, process, instances),
    },

    power: {
      stop: (context, application) => stop(session(context), context, application),
      start: (context, application) => start(session(context), context, application),
      restart: (context, application, process) => restart(session(context), context, application, process),
    },

    transfer: {
      find: (context, application, release) => findBuilt(session(context), application, release),
      take: (context, artifact, folder) => takeDroplet(session(context), artifact, folder),
      give: (context, want, built) => giveDroplet(session(context), context, want, built),
    },

    retire: (context, application, release) => retire(session(context), context, application, release),

    destroy: (context, application) => destroy(session(context), context, application),

    trial: {
      async start(context, given, artifact) {
        const calls = session(context);
        const want = await withServices(calls, given);
        return startTrial(calls, context, options.domain, want, artifact);
      },
      end: (context, application, release) => endTrial(session(context), context, application, release),
    },

    tasks: {
      async start(context, given, artifact, task) {
        const calls = session(context);
        return startTask(calls, context, await withServices(calls, given), artifact, task);
      },
      cancel: (context, handle) => cancelTask(session(context), handle),
      forget: (context, handle) => forgetTask(session(context), handle),
    },

    async poll(context, handle) {
      try {
        return await poll(context, handle);
      } catch (error) {
        // That we may not ask, or get no answer, says nothing of the operation.
        if (!isFinal(error)) throw error;
        logger.warn({ platform, operation: handle.kind, error: error.message }, 'an operation was refused');
        return { state: 'failed', error: toWire(error) };
      }
    },

    logs: (context, application, query) => logs(session(context), context, application, query),

    events: (context, application, query) => events(session(context), application, query),

    close: () => client.close(),
  };
}
