import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
} from '../../src/core/provider.ts';
import { taskAtWork } from '../../src/core/task-power.ts';
import type { Session } from './client.ts';
import { isNotThere } from './errors.ts';
import {
  activeDeployment,
  besideApps,
  findApp,
  findOwnApp,
  packagesOf,
  refuseForeign,
  runAtWork,
  stagedDroplets,
  trialApps,
} from './find.ts';
import { failed, finished, handleOf, next, running } from './status.ts';
import {
  APPLICATION,
  currentDroplet,
  isOurs,
  RELEASE,
  releaseOf,
  selectorOf,
  stamps,
  trialOf,
} from './translate.ts';
import { jobSchema, routeSchema } from './wire.ts';

/** Deletes droplets and packages of a release; the one that serves, or is on its way, is refused. */
export async function retire(
  session: Session,
  context: ProviderContext,
  application: string,
  release: string,
): Promise<Operation> {
  const handle = handleOf(session.platform, application, 'retire', context.now(), {});
  const app = await findOwnApp(session, application);
  if (!app) return finished(handle);
  const trials = await trialApps(session, application);
  if (trials.some((one) => trialOf(one) === release)) throw isTried(session.platform, release);
  const run = await runAtWork(session, application, release);
  if (run !== undefined) throw taskAtWork(session.platform, release, run);
  const active = await activeDeployment(session, app.guid);
  const inUse = [currentDroplet(app), active?.droplet?.guid, active?.previous_droplet?.guid];
  const paths: string[] = [];
  for (const { droplet, release: its } of await stagedDroplets(session, app.guid)) {
    if (its !== release) continue;
    if (app.state === 'STARTED' && inUse.includes(droplet.guid)) throw stillServes(session.platform, release);
    paths.push(`/v3/droplets/${droplet.guid}`);
  }
  for (const bits of await packagesOf(session, app.guid)) {
    if (releaseOf(bits) === release) paths.push(`/v3/packages/${bits.guid}`);
  }
  // A run whose end nobody wrote down.
  for (const { guid } of await besideApps(session, application, release)) paths.push(`/v3/apps/${guid}`);
  return removeAll(session, handle, paths);
}

/** Deletes the application with its trials and the routes we made for it, also those an interrupted try left behind. */
export async function destroy(
  session: Session,
  context: ProviderContext,
  application: string,
): Promise<Operation> {
  const handle = handleOf(session.platform, application, 'destroy', context.now(), {});
  const app = await findApp(session, application);
  if (app) refuseForeign(session.platform, app);
  const routes = await session.list('/v3/routes', routeSchema, {
    space_guids: await session.spaceGuid(),
    label_selector: selectorOf(stamps(application)),
  });
  const ours = routes.filter((one) => isOurs(one) && one.metadata?.labels?.[APPLICATION] === application);
  const paths = ours.map((one) => `/v3/routes/${one.guid}`);
  // Routes first: nothing shall be sent to instances that are being stopped.
  const apps = [...(app ? [app] : []), ...(await trialApps(session, application))];
  apps.push(...(await besideApps(session, application)));
  return removeAll(session, handle, [...paths, ...apps.map(({ guid }) => `/v3/apps/${guid}`)]);
}

export async function removeAll(
  session: Session,
  handle: OperationHandle,
  paths: readonly string[],
): Promise<Operation> {
  const jobs: string[] = [];
  for (const path of paths) {
    const guid = await removeOr(session, path);
    if (guid !== undefined) jobs.push(guid);
  }
  return jobs.length === 0 ? finished(handle) : { handle: next(handle, { jobs: jobs.join(' ') }) };
}

/** Korifi deletes old packages and droplets by itself and on no request: those are no longer of a release. */
async function removeOr(session: Session, path: string): Promise<string | undefined> {
  try {
    return await session.remove(path);
  } catch (error) {
    if (!isNotThere(error) || !/^\/v3\/(packages|droplets)\//.test(path)) throw error;
    await session.patch(path, { metadata: { labels: { [RELEASE]: null } } });
    return undefined;
  }
}

export async function pollRemoval(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const jobs = (handle.native['jobs'] ?? '').split(' ').filter(Boolean);
  let left = 0;
  for (const guid of jobs) {
    const found = await session.find(`/v3/jobs/${guid}`, jobSchema);
    // The platform forgets jobs after a while; those it ended well are forgotten too.
    if (!found || found.state === 'COMPLETE') continue;
    if (found.state !== 'FAILED') {
      left++;
      continue;
    }
    return failed('unavailable', session.platform, 'the platform could not delete everything', {
      why: found.errors.map((error) => `${error.detail} (${error.title})`).join('; ') || `job ${guid} failed`,
      remedy: 'try again; what is gone already is no harm',
    });
  }
  if (left === 0) return { state: 'succeeded' };
  return running(handle, context.now(), `${left} of ${jobs.length} deletions under way`, {
    progress: { done: jobs.length - left, total: jobs.length, unit: 'deletions' },
  });
}

function isTried(platform: string, release: string) {
  return platformError('conflict', platform, `release ${release} is being tried and is not retired`, {
    why: 'an application of its own runs it beside the one that serves',
    remedy: 'end the trial first',
  });
}

function stillServes(platform: string, release: string) {
  return platformError('conflict', platform, `release ${release} still serves and is not retired`, {
    why: 'its droplet is the one that runs, or is on its way',
    remedy: 'deploy another release first',
  });
}
