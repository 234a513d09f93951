import { hasClass } from '../../src/core/errors.ts';
import {
  type OperationHandle,
  type OperationStatus,
  type ProviderContext,
  RETRYABLE,
} from '../../src/core/provider.ts';
import { forgetUndo, maxInFlight, undoInFlight, undoRelease } from './apply.ts';
import type { Session } from './client.ts';
import { isNotThere } from './errors.ts';
import { type Instance, instancesOf, serves, webProcesses } from './find.ts';
import { logTail } from './logs.ts';
import { failed, next, running } from './status.ts';
import { RELEASE, stamps } from './translate.ts';
import { type Deployment, decode, deploymentSchema } from './wire.ts';

/** Placing a container, fetching the droplet and noticing that it runs takes the platform time of its own. */
const MARGIN_MS = 30_000;

/** Where a rollout or a change of size stands. */
export async function pollApply(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  if (handle.native['mode'] !== 'roll') return pollInstances(session, context, handle);
  const guid = handle.native['deployment'];
  const found = guid && (await session.find(`/v3/deployments/${guid}`, deploymentSchema));
  if (!found) return { state: 'lost', message: `deployment ${guid} is gone` };
  const { back } = handle.native;
  if (back !== undefined) {
    if (found.status.value === 'ACTIVE')
      return running(handle, context.now(), 'goes back to the release before');
    await undoRelease(session, handle.native['app'] ?? '', handle.native['release']);
    return notStarted(session, handle, handle.native['trouble'] ?? '', undefined);
  }
  if (found.status.value === 'ACTIVE') return pollActive(session, context, handle, found);
  switch (found.status.reason) {
    case 'CANCELED':
      return afterCancel(session, handle);
    case 'SUPERSEDED':
      // What the other one starts from now on shall not carry our release's environment.
      await undoRelease(session, handle.native['app'] ?? '', handle.native['release']);
      return failed('conflict', session.platform, 'another deployment took over', {
        why: `deployment ${guid} was superseded`,
        remedy: 'see who else deploys this application: cf revisions, cf events',
      });
    default:
      return pollInstances(session, context, handle);
  }
}

/**
 * Cloud Foundry never ends a rollout whose instances crash: it keeps the old ones and tries for ever. So the new
 * instances are watched, and the deployment is cancelled when all of them crash or time is up.
 */
async function pollActive(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  found: Deployment,
): Promise<OperationStatus> {
  if (found.status.reason === 'CANCELING') {
    return running(handle, context.now(), 'goes back to the release before');
  }
  // Korifi names none: it changes the instances of the one process there is, one after the other.
  const web =
    found.new_processes.find((one) => one.type === 'web') ??
    (await webProcesses(session, handle.native['app'] ?? '')).at(-1);
  const instances = web ? await tryInstances(session, web.guid) : undefined;
  const trouble = troubleOf(handle, instances, context.now());
  if (trouble === undefined) return progress(handle, context.now(), instances);
  try {
    await session.post(`/v3/deployments/${found.guid}/actions/cancel`);
  } catch (error) {
    if (isNotThere(error)) return goBack(session, context, handle, trouble);
    // It ended in this very moment; the next look tells how.
    if (!hasClass(error, 'invalid', 'conflict')) throw error;
  }
  return running(handle, context.now(), `${trouble}: goes back to the release before`, {
    handle: next(handle, { trouble, process: web?.guid ?? '' }),
  });
}

/** Where no deployment can be cancelled (Korifi), another one brings back the droplet before. */
async function goBack(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  trouble: string,
): Promise<OperationStatus> {
  const { app = '', release = '', replaced } = handle.native;
  await undoInFlight(session, app, release);
  // Taken up from somebody who did not say what ran before: a person must choose.
  if (!replaced) return notStarted(session, handle, `${trouble}; what ran before is not known`, undefined);
  const deployment = await deployAgain(session, app, replaced);
  return running(handle, context.now(), `${trouble}: goes back to the release before`, {
    handle: next(handle, { trouble, back: 'yes', deployment }),
  });
}

async function deployAgain(session: Session, app: string, droplet: string): Promise<string> {
  const { json } = await session.post('/v3/deployments', {
    droplet: { guid: droplet },
    relationships: { app: { data: { guid: app } } },
  });
  return decode(deploymentSchema, json, session.platform, 'POST /v3/deployments').guid;
}

/** The droplet went back by itself; environment and process settings do not. */
async function afterCancel(session: Session, handle: OperationHandle): Promise<OperationStatus> {
  const { app = '', release = '', trouble, process } = handle.native;
  const restored = await undoRelease(session, app, release);
  if (trouble === undefined && !restored) {
    return failed('conflict', session.platform, 'the deployment was cancelled by somebody else', {
      why: `deployment ${handle.native['deployment']} is CANCELED, and not by us`,
      remedy: 'see who: cf events; then deploy again',
    });
  }
  return notStarted(session, handle, trouble ?? 'the new instances did not start', process);
}

/** Started, settled or scaled: no deployment is under way, and the instances decide. */
export async function pollInstances(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app: appGuid, mode } = handle.native;
  if (!appGuid) return { state: 'lost', message: 'the stored handle is incomplete' };
  const processes = await webProcesses(session, appGuid).catch((error: unknown) => {
    if (hasClass(error, 'notFound')) return [];
    throw error;
  });
  const process = processes.at(-1);
  if (!process) return { state: 'lost', message: 'the application is gone' };
  const wanted = Number(handle.native['instances']);
  if (process.instances !== wanted && processes.length === 1) {
    if (handle.kind === 'scale') return { state: 'succeeded', message: 'another size was asked for since' };
    await session.post(`/v3/processes/${process.guid}/actions/scale`, { instances: wanted });
    return running(handle, context.now(), `asks for ${wanted} instances`);
  }
  const instances = await tryInstances(session, process.guid);
  if (instances && processes.length === 1 && isComplete(instances, wanted)) {
    if (handle.kind === 'apply') await markArrived(session, handle, appGuid);
    return { state: 'succeeded', message: `${wanted} of ${wanted} instances run` };
  }
  const trouble = troubleOf(handle, instances, context.now());
  if (trouble === undefined) return progress(handle, context.now(), instances);
  // Of a first release nothing serves: better stopped than crashing for ever.
  if (mode === 'start') await session.post(`/v3/apps/${appGuid}/actions/stop`);
  return notStarted(session, handle, trouble, process.guid);
}

function isComplete(instances: readonly Instance[], wanted: number): boolean {
  return instances.length === wanted && instances.every(serves);
}

async function markArrived(session: Session, handle: OperationHandle, appGuid: string): Promise<void> {
  await forgetUndo(session, appGuid);
  const labels = { ...stamps(handle.application), [RELEASE]: handle.native['release'] ?? '' };
  await session.patch(`/v3/apps/${appGuid}`, { metadata: { labels } });
}

/** Undefined while the platform cannot tell: not knowing is no reason to cancel anything before time is up. */
async function tryInstances(session: Session, processGuid: string): Promise<readonly Instance[] | undefined> {
  try {
    return await instancesOf(session, processGuid);
  } catch (error) {
    if (hasClass(error, ...RETRYABLE)) return undefined;
    throw error;
  }
}

/** Why this will not come to a good end; undefined while it still may. */
function troubleOf(
  handle: OperationHandle,
  instances: readonly Instance[] | undefined,
  now: number,
): string | undefined {
  const details = instances?.find((one) => one.details !== undefined)?.details;
  const suffix = details === undefined ? '' : ` (${details})`;
  if (instances && instances.length > 0 && instances.every((one) => one.state === 'CRASHED')) {
    return `all new instances crashed${suffix}`;
  }
  const allowed = allowedMs(handle);
  if (now - handle.startedAt <= allowed) return undefined;
  const up = instances?.filter(serves).length;
  const count = up === undefined ? 'an unknown number' : String(up);
  return `only ${count} of ${handle.native['instances']} instances were ready after ${Math.round(allowed / 1000)} s${suffix}`;
}

/** Each wave of new instances may take the whole start allowance. */
function allowedMs(handle: OperationHandle): number {
  const instances = Math.max(1, Number(handle.native['instances']));
  const waves = handle.native['mode'] === 'roll' ? Math.ceil(instances / maxInFlight(instances)) : 1;
  return Number(handle.native['startTimeoutMs']) * waves + MARGIN_MS;
}

function progress(
  handle: OperationHandle,
  now: number,
  instances: readonly Instance[] | undefined,
): OperationStatus {
  if (!instances) return running(handle, now, 'the platform does not tell the state of the instances');
  const total = Number(handle.native['instances']);
  const done = Math.min(total, instances.filter(serves).length);
  return running(handle, now, `${done} of ${total} instances run`, {
    progress: { done, total, unit: 'instances' },
  });
}

async function notStarted(
  session: Session,
  handle: OperationHandle,
  why: string,
  process: string | undefined,
): Promise<OperationStatus> {
  const quota = /insufficient resources/i.test(why);
  return failed(
    quota ? 'quota' : 'startFailed',
    session.platform,
    quota ? 'the platform has no room for the instances' : 'the application did not start',
    {
      why,
      remedy: quota
        ? 'ask the operator for more cells, or want less memory'
        : 'see its last words below; it must listen on $PORT and answer its health path within startTimeout',
      logTail: await logTail(session, handle.native['app'] ?? '', {
        source: 'app',
        since: handle.startedAt,
        process,
      }),
    },
  );
}
