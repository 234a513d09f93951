import { platformError } from '../../src/core/errors.ts';
import {
  isFinal,
  type Operation,
  type OperationHandle,
  type OperationStatus,
  type ProviderContext,
  type StagedArtifact,
  type TargetSpec,
} from '../../src/core/provider.ts';
import { configure, requireDroplet } from './apply.ts';
import type { Session } from './client.ts';
import { findApp, refuseForeign, trialApps, webProcesses } from './find.ts';
import { lifecycleOf } from './images.ts';
import { removeAll } from './remove.ts';
import { pollInstances } from './rollout.ts';
import { ensureRoutes, resolveRoutes } from './routes.ts';
import { failed, handleOf, next, running } from './status.ts';
import {
  currentDroplet,
  isOurs,
  selectorOf,
  stamps,
  TRIAL,
  trialLabels,
  trialName,
  trialOf,
} from './translate.ts';
import { type App, appSchema, dropletSchema, routeSchema } from './wire.ts';

/**
 * A release beside the one that serves: an application of its own, with a copy of the droplet and a route of its own.
 * Its name tells people whose it is; we find it by its labels.
 */
export async function startTrial(
  session: Session,
  context: ProviderContext,
  domain: string,
  want: TargetSpec,
  artifact: StagedArtifact,
): Promise<Operation> {
  const source = await requireDroplet(session, artifact);
  const app = await findOrCreateTrial(session, want);
  const handle = handleOf(session.platform, want.application, 'trial', context.now(), {
    app: app.guid,
    release: want.release.id,
    instances: String(want.process.instances),
    startTimeoutMs: String(want.health.startTimeoutMs),
  });
  if (app.state === 'STARTED' && currentDroplet(app) !== undefined) return resize(session, app, handle);
  return orRemove(session, handle, async () => {
    const copy = await findOrCopy(session, app, source);
    await configure(session, app.guid, want);
    await ensureRoutes(session, app, await routesOf(session, context, want, domain), trialLabels(want));
    return { handle: next(handle, { mode: 'copy', droplet: copy }) };
  });
}

async function findOrCreateTrial(session: Session, want: TargetSpec): Promise<App> {
  const name = trialName(want.application, want.release.id);
  const space = await session.spaceGuid();
  const app = await session.findOrCreate(() => findApp(session, name), '/v3/apps', appSchema, {
    name,
    ...lifecycleOf(want),
    relationships: { space: { data: { guid: space } } },
    metadata: { labels: trialLabels(want) },
  });
  refuseForeign(session.platform, app);
  if (trialOf(app) === want.release.id) return app;
  throw platformError('conflict', session.platform, `an application named ${name} is there already`, {
    why: `it is no trial of ${want.release.id}: application ${app.guid} does not carry the label ${TRIAL}`,
    remedy: `give the application of that name another one in sluice.yaml`,
  });
}

/** The application is the release's alone: what is in it, or on its way there, is this very droplet. */
export async function findOrCopy(session: Session, app: App, source: string): Promise<string> {
  const found = await session.findOrCreate(
    async () => {
      const copies = await session.list(`/v3/apps/${app.guid}/droplets`, dropletSchema);
      return copies.find(({ state }) => state === 'STAGED' || state === 'COPYING');
    },
    `/v3/droplets?source_guid=${source}`,
    dropletSchema,
    { relationships: { app: { data: { guid: app.guid } } } },
  );
  return found.guid;
}

/** Public hosts lead to what serves and nowhere else. */
function routesOf(session: Session, context: ProviderContext, want: TargetSpec, domain: string) {
  const application = trialName(want.application, want.release.id);
  return resolveRoutes(session, context, { application, hosts: [] }, domain);
}

async function resize(session: Session, app: App, handle: OperationHandle): Promise<Operation> {
  const web = (await webProcesses(session, app.guid)).at(-1);
  const instances = Number(handle.native['instances']);
  if (web !== undefined && web.instances !== instances) {
    await session.post(`/v3/processes/${web.guid}/actions/scale`, { instances });
  }
  return { handle: next(handle, { mode: 'settle' }) };
}

export async function pollTrial(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  if (handle.native['mode'] === 'settle') return pollInstances(session, context, handle);
  const status = await orRemove(session, handle, () =>
    handle.native['mode'] === 'copy'
      ? pollCopy(session, context, handle)
      : pollInstances(session, context, handle),
  );
  // It never came up, and is nobody's: unlike the application itself it leaves nothing behind.
  if (status.state === 'failed') await removeTrial(session, handle, handle.native['release'] ?? '');
  return status;
}

/** Copied by the platform in its own time; started when all of it is there. */
async function pollCopy(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app = '', droplet = '' } = handle.native;
  const copy = await session.find(`/v3/droplets/${droplet}`, dropletSchema);
  if (!copy) return { state: 'lost', message: `droplet ${droplet} is gone` };
  if (copy.state === 'COPYING') return running(handle, context.now(), 'the platform copies the droplet');
  if (copy.state !== 'STAGED') {
    return failed('buildFailed', session.platform, 'the platform could not copy the droplet', {
      why: copy.error ?? `droplet ${droplet} is ${copy.state}`,
      remedy: 'deploy again; if it fails again, ask the operator about the blobstore',
    });
  }
  await session.patch(`/v3/apps/${app}/relationships/current_droplet`, { data: { guid: droplet } });
  await session.post(`/v3/apps/${app}/actions/start`);
  return running(handle, context.now(), 'starts', { handle: next(handle, { mode: 'start' }) });
}

/** What the platform refuses for good, e.g. for the quota, leaves nothing behind either. */
async function orRemove<T>(session: Session, handle: OperationHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFinal(error))
      await removeTrial(session, handle, handle.native['release'] ?? '').catch(() => undefined);
    throw error;
  }
}

export function endTrial(
  session: Session,
  context: ProviderContext,
  application: string,
  release: string,
): Promise<Operation> {
  const handle = handleOf(session.platform, application, 'endTrial', context.now(), {});
  return removeTrial(session, handle, release);
}

/** Routes first: nothing shall be sent to instances that are being stopped. */
async function removeTrial(session: Session, handle: OperationHandle, release: string): Promise<Operation> {
  const { application } = handle;
  const apps = (await trialApps(session, application)).filter((app) => trialOf(app) === release);
  const routes = await session.list('/v3/routes', routeSchema, {
    space_guids: await session.spaceGuid(),
    label_selector: selectorOf({ ...stamps(application), [TRIAL]: release }),
  });
  const ours = routes.filter((route) => isOurs(route) && trialOf(route) === release);
  return removeAll(session, handle, [
    ...ours.map(({ guid }) => `/v3/routes/${guid}`),
    ...apps.map(({ guid }) => `/v3/apps/${guid}`),
  ]);
}
