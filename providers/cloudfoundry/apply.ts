import { hasClass, platformError, type SluiceError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import {
  type Operation,
  type OperationHandle,
  type ProviderContext,
  RETRYABLE,
  type StagedArtifact,
  type TargetSpec,
} from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { backward, difference, forward, split, UNDO } from './environment.ts';
import { activeDeployment, readEnvironment, requireOwnApp } from './find.ts';
import { describeProcesses } from './processes.ts';
import { ensureRoutes, resolveRoutes } from './routes.ts';
import { handleOf, next } from './status.ts';
import {
  ATTEMPT,
  attemptOf,
  currentDroplet,
  isOurs,
  type ProcessSettings,
  processChanges,
  processPatch,
  RELEASE,
  seenProcess,
  stamps,
  wantedProcess,
} from './translate.ts';
import {
  type App,
  type Deployment,
  deploymentSchema,
  dropletSchema,
  type Process,
  processSchema,
} from './wire.ts';

/** How long others have to end theirs. */
const LONGEST_OTHERS_MS = 60_000;

/** The release as it shall run, with what was read of the application. */
interface Rollout {
  readonly session: Session;
  readonly app: App;
  readonly droplet: string;
  readonly want: TargetSpec;
  readonly handle: OperationHandle;
  /** Processes beside web were given other settings. */
  readonly others: boolean;
}

/**
 * Runs a droplet instead of what runs now: started where nothing runs, otherwise by a rolling deployment. How it goes
 * on is in rollout.ts.
 */
export async function apply(
  session: Session,
  clock: Clock,
  context: ProviderContext,
  domain: string,
  want: TargetSpec,
  artifact: StagedArtifact,
): Promise<Operation> {
  const app = await requireOwnApp(session, want.application);
  const droplet = await requireDroplet(session, artifact);
  const routes = await resolveRoutes(session, context, want, domain);
  await ensureRoutes(session, app, routes, stamps(app.name));
  const handle = handleOf(session.platform, want.application, 'apply', context.now(), {
    app: app.guid,
    droplet,
    release: want.release.id,
    instances: String(want.process.instances),
    startTimeoutMs: String(want.health.startTimeoutMs),
  });
  const others = await describeProcesses(session, clock, app.guid, want);
  const rollout: Rollout = { session, app, droplet, want, handle, others };
  if (app.state === 'STOPPED' || currentDroplet(app) === undefined) return startFirst(rollout);
  if (want.process.instances === 0 && (await webProcess(session, app.guid)).instances === 0)
    return startFirst(rollout);
  const active = await afterOthers(rollout, clock, context);
  if (active?.droplet?.guid === droplet) {
    return { handle: next(handle, { mode: 'roll', deployment: active.guid }) };
  }
  return replace(rollout, active === undefined);
}

export async function requireDroplet(session: Session, artifact: StagedArtifact): Promise<string> {
  const guid = artifact.native['droplet'];
  const found = guid && (await session.find(`/v3/droplets/${guid}`, dropletSchema));
  if (found && found.state === 'STAGED') return found.guid;
  throw platformError('notFound', session.platform, 'what was built for this release is gone', {
    why: `droplet ${guid} ${found ? `is ${found.state}` : 'does not exist'}`,
    remedy: 'deploy again: it is built anew',
  });
}

/**
 * A deployment on its way back must end first: another on top of it can replace instances that serve. So must one that
 * is somebody else's, whom ours would supersede. Answers one of ours that is under way.
 */
async function afterOthers(
  { session, app, droplet }: Rollout,
  clock: Clock,
  context: ProviderContext,
): Promise<Deployment | undefined> {
  const deadline = clock.monotonic() + LONGEST_OTHERS_MS;
  let told = false;
  for (;;) {
    const active = await activeDeployment(session, app.guid);
    const isEnding = active?.status.reason === 'CANCELING';
    const isOwn = active && (isOurs(active) || active.droplet?.guid === droplet);
    if (!active || (isOwn && !isEnding)) return active;
    if (clock.monotonic() > deadline) throw othersStill(session.platform, active, isEnding);
    const text = `waits for ${isEnding ? 'an earlier' : 'somebody else’s'} deployment to end: ${stateOf(active)}`;
    if (!told) context.log({ at: context.now(), source: 'platform', text });
    told = true;
    await clock.sleep(500, session.signal);
  }
}

function othersStill(platform: string, active: Deployment, isEnding: boolean): SluiceError {
  return platformError(
    'conflict',
    platform,
    isEnding
      ? 'an earlier deployment is still being cancelled'
      : 'somebody else deploys this application, and is not superseded',
    {
      why: `${stateOf(active)} after ${LONGEST_OTHERS_MS / 1_000} s`,
      remedy: isEnding
        ? 'deploy again when it has ended'
        : 'see who: `cf events`; deploy again when it has ended, or end it: `cf cancel-deployment`',
    },
  );
}

function stateOf({ guid, status }: Deployment): string {
  return `deployment ${guid} is ${status.value} ${status.reason}`;
}

/** Nothing serves: everything is set in place, then started. */
async function startFirst({ session, app, droplet, want, handle }: Rollout): Promise<Operation> {
  await configure(session, app.guid, want);
  await session.patch(`/v3/apps/${app.guid}/relationships/current_droplet`, { data: { guid: droplet } });
  // Of one that is started and runs nothing: what is started later shall be the new droplet, not the one it was started with.
  if (app.state === 'STARTED') await session.post(`/v3/apps/${app.guid}/actions/stop`);
  await session.post(`/v3/apps/${app.guid}/actions/start`);
  return { handle: next(handle, { mode: 'start' }) };
}

/** Environment, process and size of an application that does not run. */
export async function configure(session: Session, appGuid: string, want: TargetSpec): Promise<void> {
  const { env } = split(await readEnvironment(session, appGuid));
  await patchEnvironment(session, appGuid, { ...difference(env, want.env), [UNDO]: null });
  const web = await webProcess(session, appGuid);
  const wanted = wantedProcess(want);
  await session.patch(`/v3/processes/${web.guid}`, processPatch(wanted));
  await session.post(`/v3/processes/${web.guid}/actions/scale`, {
    instances: want.process.instances,
    memory_in_mb: wanted.memoryMb,
  });
}

/** Something serves, and goes on until the new instances do. */
async function replace(rollout: Rollout, quiet: boolean): Promise<Operation> {
  const { session, app, droplet, want, handle, others } = rollout;
  const { env, undo } = split(await readEnvironment(session, app.guid));
  const web = await webProcess(session, app.guid);
  const seen = seenProcess(web);
  const wanted = wantedProcess(want);
  const changed =
    others || Object.keys(difference(env, want.env)).length > 0 || processChanges(seen, wanted).length > 0;
  const resumed = !changed && undo?.release === want.release.id ? undo : undefined;
  if (quiet && currentDroplet(app) === droplet && !changed) {
    const begun = resumed && (await deploymentOf(session, app.guid, resumed.attempt));
    if (!undo || begun?.status.reason === 'DEPLOYED') return { handle: next(handle, { mode: 'settle' }) };
  }
  const attempt = resumed?.attempt ?? String(handle.startedAt);
  const replaced = currentDroplet(app) ?? '';
  const patch = forward({ release: want.release.id, attempt }, { env, undo, process: seen }, want.env);
  await patchEnvironment(session, app.guid, patch);
  try {
    await setProcess(session, web, wanted);
    const created = await session.findOrCreate(
      () => deploymentOf(session, app.guid, attempt),
      '/v3/deployments',
      deploymentSchema,
      {
        droplet: { guid: droplet },
        strategy: 'rolling',
        options: { max_in_flight: maxInFlight(web.instances) },
        relationships: { app: { data: { guid: app.guid } } },
        metadata: { labels: { ...stamps(app.name), [RELEASE]: want.release.id, [ATTEMPT]: attempt } },
      },
    );
    return { handle: next(handle, { mode: 'roll', deployment: created.guid, replaced }) };
  } catch (error) {
    // Refused for good, e.g. for the quota: the environment must not wait for the next restart.
    if (!hasClass(error, ...RETRYABLE)) await undoRelease(session, app.guid);
    throw error;
  }
}

/** The deployment of this attempt, in whatever state: its making may have been the last thing an earlier process did. */
async function deploymentOf(
  session: Session,
  appGuid: string,
  attempt: string,
): Promise<Deployment | undefined> {
  const all = await session.list('/v3/deployments', deploymentSchema, {
    app_guids: appGuid,
    order_by: '-created_at',
  });
  return all.find((one) => attemptOf(one) === attempt);
}

/** A quarter at a time: room in the quota for all of them twice is rare. */
export function maxInFlight(instances: number): number {
  return Math.max(1, Math.ceil(instances / 4));
}

/**
 * Brings back the environment and the process settings that were there before the release that did not come up.
 * Returns false where there was nothing to bring back.
 */
export async function undoRelease(session: Session, appGuid: string, release?: string): Promise<boolean> {
  const { undo } = split(await readEnvironment(session, appGuid));
  if (!undo || (release !== undefined && undo.release !== release)) return false;
  await setProcess(session, await webProcess(session, appGuid), undo.process);
  // Last, for the way back goes with it.
  await patchEnvironment(session, appGuid, backward(undo));
  return true;
}

/**
 * As far as it can be while a deployment is under way, so that the next one has the values from before. The way back
 * stays for `undoRelease`: most foundations refuse process settings until it has ended.
 */
export async function undoInFlight(session: Session, appGuid: string, release: string): Promise<void> {
  const { undo } = split(await readEnvironment(session, appGuid));
  if (!undo || undo.release !== release) return;
  try {
    await setProcess(session, await webProcess(session, appGuid), undo.process);
  } catch (error) {
    if (!hasClass(error, 'conflict')) throw error;
  }
  const { [UNDO]: _, ...values } = backward(undo);
  await patchEnvironment(session, appGuid, values);
}

/** The release has come up: there is no way back to keep. */
export async function forgetUndo(session: Session, appGuid: string): Promise<void> {
  await patchEnvironment(session, appGuid, { [UNDO]: null });
}

async function patchEnvironment(
  session: Session,
  appGuid: string,
  patch: Readonly<Record<string, string | null>>,
): Promise<void> {
  if (Object.keys(patch).length === 0) return;
  await session.patch(`/v3/apps/${appGuid}/environment_variables`, { var: patch });
}

/** The newest web process, with its command: lists hide that. */
function webProcess(session: Session, appGuid: string): Promise<Process> {
  return session.get(`/v3/apps/${appGuid}/processes/web`, processSchema);
}

/** Takes effect in instances started from now on. */
async function setProcess(session: Session, web: Process, wanted: ProcessSettings): Promise<void> {
  const seen = seenProcess(web);
  if (processChanges(seen, wanted).length === 0) return;
  await session.patch(`/v3/processes/${web.guid}`, processPatch(wanted));
  if (seen.memoryMb !== wanted.memoryMb) {
    await session.post(`/v3/processes/${web.guid}/actions/scale`, { memory_in_mb: wanted.memoryMb });
  }
}
