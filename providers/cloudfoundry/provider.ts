import { platformError, SluiceError, toWire } from '../../src/core/errors.ts';
import type { Clock, Logger, Random } from '../../src/core/ports.ts';
import {
  type OperationHandle,
  type OperationStatus,
  type PlatformProvider,
  type ProviderContext,
  RETRYABLE,
} from '../../src/core/provider.ts';
import { apply } from './apply.ts';
import { connect, type Session } from './client.ts';
import type { Options } from './config.ts';
import { findOwnApp, requireOwnApp, webProcesses } from './find.ts';
import { readLogs } from './logs.ts';
import { observe } from './observe.ts';
import { planChanges } from './plan.ts';
import { destroy, pollRemoval, retire } from './remove.ts';
import { pollApply } from './rollout.ts';
import { checkedDomains, resolveRoutes } from './routes.ts';
import { pollStage, stage } from './stage.ts';
import { finished, handleOf } from './status.ts';
import { process, route } from './wire.ts';

const KIND = 'cloudfoundry';

/** Speaks Cloud Foundry v3 to one org and space. Makes no connection before its first call. */
export function createProvider(deps: {
  platform: string;
  options: Options;
  clock: Clock;
  random: Random;
  logger: Logger;
}): PlatformProvider {
  const { platform, options, clock, logger } = deps;
  const connection = connect(deps);

  function session(context: ProviderContext): Session {
    return connection.session(context.signal);
  }

  async function poll(context: ProviderContext, handle: OperationHandle): Promise<OperationStatus> {
    switch (handle.kind) {
      case 'stage':
        return pollStage(session(context), context, handle);
      case 'apply':
      case 'scale':
        return pollApply(session(context), context, handle);
      case 'retire':
      case 'destroy':
        return pollRemoval(session(context), context, handle);
    }
  }

  return {
    kind: KIND,
    platform,

    async describe(context) {
      const calls = session(context);
      const root = await calls.root();
      await calls.spaceGuid();
      await checkedDomains(calls, options.domain);
      return {
        kind: KIND,
        apiVersion: root.links.cloud_controller_v3?.meta?.version ?? '3',
        identity: `${calls.identity()} in ${options.org}/${options.space}`,
        capabilities: { sideBySide: false, hostHeader: 'must-match' },
      };
    },

    observe: (context, application) => observe(session(context), options, clock, context, application),

    async plan(context, want, seen) {
      const calls = session(context);
      const routes = await resolveRoutes(calls, context, want, options.domain);
      const app = seen.exists ? await findOwnApp(calls, want.application) : undefined;
      if (!app) return planChanges({ want, routes }, seen, { process: undefined, routes: [] });
      const there = await calls.list(`/v3/apps/${app.guid}/routes`, route);
      const web = await calls.get(`/v3/apps/${app.guid}/processes/web`, process);
      return planChanges({ want, routes }, seen, { process: web, routes: there.map((one) => one.url) });
    },

    stage: (context, want, bundle) => stage(session(context), context, want, bundle),

    apply: (context, want, artifact) =>
      apply(session(context), clock, context, options.domain, want, artifact),

    async scale(context, application, instances) {
      const calls = session(context);
      const app = await requireOwnApp(calls, application);
      const web = (await webProcesses(calls, app.guid)).at(-1);
      if (!web) throw platformError('notFound', platform, `${application} has no web process`);
      await calls.post(`/v3/processes/${web.guid}/actions/scale`, { instances });
      const seconds = web.health_check.data?.timeout ?? 60;
      const native = {
        app: app.guid,
        mode: 'settle',
        instances: String(instances),
        startTimeoutMs: String(seconds * 1000),
      };
      const handle = handleOf(platform, application, 'scale', context.now(), native);
      return app.state === 'STOPPED' ? finished(handle) : { handle };
    },

    retire: (context, application, release) => retire(session(context), context, application, release),

    destroy: (context, application) => destroy(session(context), context, application),

    async poll(context, handle) {
      try {
        return await poll(context, handle);
      } catch (error) {
        const known = SluiceError.from(error);
        // That we may not ask, or get no answer, says nothing of the operation.
        const unknown = known.class === undefined || known.class === 'auth' || RETRYABLE.has(known.class);
        if (unknown) throw error;
        logger.warn({ platform, operation: handle.kind, error: known.message }, 'an operation was refused');
        return { state: 'failed', error: toWire(known) };
      }
    },

    close: () => connection.close(),

    async logs(context, application, lines) {
      const calls = session(context);
      const app = await findOwnApp(calls, application);
      if (!app) return [];
      const found = await readLogs(calls, app.guid, lines);
      return found.map(({ process: _, stamp: __, ...line }) => line);
    },
  };
}
