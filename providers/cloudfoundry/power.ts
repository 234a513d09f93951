import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
} from '../../src/core/provider.ts';
import { maxInFlight, requireDroplet } from './apply.ts';
import type { Session } from './client.ts';
import { activeDeployment, instancesOf, requireOwnApp, webProcesses } from './find.ts';
import { othersOf } from './processes.ts';
import { failed, finished, handleOf, running } from './status.ts';
import { ATTEMPT, currentDroplet, stamps } from './translate.ts';
import { type App, deploymentSchema, type Process } from './wire.ts';

/** What the platform itself takes where nobody set another. */
const DEFAULT_START_TIMEOUT_S = 60;
const MARGIN_MS = 60_000;
/** Nothing asks a worker whether it is well: one that ends at once has run for a moment, too. */
const STEADY_S = 3;

/** The platform keeps droplet, environment and sizes of what is stopped, so there is nothing to remember. */
export async function stop(
  session: Session,
  context: ProviderContext,
  application: string,
): Promise<Operation> {
  const app = await requireOwnApp(session, application);
  if (app.state !== 'STOPPED') await session.post(`/v3/apps/${app.guid}/actions/stop`);
  return { handle: handleOf(session.platform, application, 'stop', context.now(), { app: app.guid }) };
}

/** STOPPED is what is wanted; whether it is so the instances tell. */
export async function pollStop(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  for (const { guid } of await webProcesses(session, handle.native['app'] ?? '')) {
    const left = (await instancesOf(session, guid)).filter(({ state }) => state !== 'DOWN');
    if (left.length > 0) return running(handle, context.now(), `${left.length} instances are ending`);
  }
  return { state: 'succeeded', message: 'stopped' };
}

export async function start(
  session: Session,
  context: ProviderContext,
  application: string,
): Promise<Operation> {
  const app = await requireOwnApp(session, application);
  const web = await requireWeb(session, app);
  const handle = handleOf(
    session.platform,
    application,
    'start',
    context.now(),
    startNative(app, web, 'settle'),
  );
  if (app.state !== 'STOPPED') return finished(handle);
  await session.post(`/v3/apps/${app.guid}/actions/start`);
  return { handle };
}

/**
 * A rolling deployment of the droplet that runs already: `actions/restart` would end all instances at once. At its end
 * the platform restarts the other processes by itself.
 */
export async function restart(
  session: Session,
  context: ProviderContext,
  application: string,
  process: string,
): Promise<Operation> {
  const app = await requireOwnApp(session, application);
  if (process !== 'web') return restartProcess(session, context, app, process);
  const web = await requireWeb(session, app);
  const active = await activeDeployment(session, app.guid);
  if (active) throw busy(session.platform, active.guid);
  const droplet = await requireDroplet(session, { native: { droplet: currentDroplet(app) ?? '' } });
  const attempt = `restart-${context.now()}`;
  const created = await session.findOrCreate(
    async () => {
      const found = await activeDeployment(session, app.guid);
      return found?.metadata?.labels?.[ATTEMPT] === attempt ? found : undefined;
    },
    '/v3/deployments',
    deploymentSchema,
    {
      droplet: { guid: droplet },
      strategy: 'rolling',
      options: { max_in_flight: maxInFlight(web.instances) },
      relationships: { app: { data: { guid: app.guid } } },
      metadata: { labels: { ...stamps(app.name), [ATTEMPT]: attempt } },
    },
  );
  const native = { ...startNative(app, web, 'roll'), deployment: created.guid };
  return { handle: handleOf(session.platform, application, 'restart', context.now(), native) };
}

/** There is no rolling deployment for these: each instance ends, and the platform starts it anew. */
async function restartProcess(
  session: Session,
  context: ProviderContext,
  app: App,
  type: string,
): Promise<Operation> {
  const process = (await othersOf(session, app.guid)).find((one) => one.type === type);
  if (!process) {
    throw platformError('notFound', session.platform, `there is no process ${type} of ${app.name}`, {
      why: `application ${app.guid} lists no process of that type`,
      remedy: 'deploy it first: sluice deploy',
    });
  }
  const handle = handleOf(session.platform, app.name, 'restart', context.now(), {
    ...startNative(app, process, 'process'),
    process: process.guid,
  });
  for (const { index } of await instancesOf(session, process.guid)) {
    await session.remove(`/v3/processes/${process.guid}/instances/${index}`);
  }
  return { handle };
}

export async function pollRestartedProcess(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { process = '', instances = '0' } = handle.native;
  const elapsedMs = context.now() - handle.startedAt;
  const seen = await instancesOf(session, process);
  // What has run for longer than we know of is an old one that is still to end.
  const anew = seen.filter(
    ({ state, uptime = STEADY_S }) =>
      state === 'RUNNING' && uptime >= STEADY_S && uptime <= elapsedMs / 1_000 + 1,
  );
  if (anew.length >= Number(instances))
    return { state: 'succeeded', message: `${anew.length} instances run anew` };
  const message = `${anew.length} of ${instances} instances run anew`;
  if (elapsedMs < Number(handle.native['startTimeoutMs']) + MARGIN_MS)
    return running(handle, context.now(), message);
  return failed('startFailed', session.platform, 'not all instances came up again', {
    why: message,
    remedy: 'read their log: sluice logs; web is not affected',
  });
}

function startNative(app: App, { instances, health_check }: Process, mode: string): Record<string, string> {
  return {
    app: app.guid,
    mode,
    instances: String(instances),
    startTimeoutMs: String((health_check.data?.timeout ?? DEFAULT_START_TIMEOUT_S) * 1_000),
  };
}

async function requireWeb(session: Session, app: App): Promise<Process> {
  const web = (await webProcesses(session, app.guid)).at(-1);
  if (web && currentDroplet(app) !== undefined) return web;
  throw platformError('notFound', session.platform, `nothing of ${app.name} was ever deployed there`, {
    why: `application ${app.guid} has no droplet to run`,
    remedy: 'deploy it: sluice deploy',
  });
}

function busy(platform: string, deployment: string): Error {
  return platformError('conflict', platform, 'somebody deploys this application', {
    why: `deployment ${deployment} is ACTIVE, and a restart would supersede it`,
    remedy: 'see who: `cf events`; restart it when that has ended',
  });
}
