import { hasClass, platformError } from '../../src/core/errors.ts';
import { escaped, type Session } from './client.ts';
import { isNotThere } from './errors.ts';
import {
  dropletRelease,
  isOurs,
  RELEASE,
  runOf,
  selectorOf,
  stamps,
  TASK_OF,
  TRIAL,
  trialOf,
} from './translate.ts';
import {
  type App,
  appSchema,
  type Deployment,
  type Droplet,
  deploymentSchema,
  dropletSchema,
  environmentSchema,
  type PackageBits,
  type Process,
  packageBitsSchema,
  processInstancesSchema,
  processSchema,
  statsSchema,
  taskSchema,
} from './wire.ts';

/** The application of that name in our space, whoever made it. */
export async function findApp(session: Session, application: string): Promise<App | undefined> {
  const space = await session.spaceGuid();
  const [found] = await session.list('/v3/apps', appSchema, {
    names: escaped(application),
    space_guids: space,
  });
  return found;
}

/** The application, if it is there, and what is tried beside it: by one question where all are ours. */
export async function findWithTrials(
  session: Session,
  application: string,
): Promise<{ readonly app: App | undefined; readonly trials: readonly App[] }> {
  const ours = await session.list('/v3/apps', appSchema, {
    space_guids: await session.spaceGuid(),
    label_selector: selectorOf(stamps(application)),
  });
  const named = ours.find((one) => one.name === application && trialOf(one) === undefined);
  const app = named ?? (await findApp(session, application));
  return { app, trials: ours.filter((one) => trialOf(one) !== undefined) };
}

export async function trialApps(session: Session, application: string): Promise<readonly App[]> {
  return session.list('/v3/apps', appSchema, {
    space_guids: await session.spaceGuid(),
    label_selector: `${selectorOf(stamps(application))},${TRIAL}`,
  });
}

/** Applications made for runs: of one release, or all. */
export async function besideApps(
  session: Session,
  application: string,
  release?: string,
): Promise<readonly App[]> {
  const which = release === undefined ? TASK_OF : `${TASK_OF}=${release}`;
  return session.list('/v3/apps', appSchema, {
    space_guids: await session.spaceGuid(),
    label_selector: `${selectorOf(stamps(application))},${which}`,
  });
}

/** The name of a run of this release that has not ended. */
export async function runAtWork(
  session: Session,
  application: string,
  release: string,
): Promise<string | undefined> {
  try {
    const [found] = await session.list('/v3/tasks', taskSchema, {
      space_guids: await session.spaceGuid(),
      label_selector: selectorOf({ ...stamps(application), [RELEASE]: release }),
      states: 'PENDING,RUNNING,CANCELING',
    });
    return found && (runOf(found) ?? found.name);
  } catch (error) {
    // Where there are no tasks none is at work.
    if (hasClass(error, 'notFound', 'unsupported', 'forbidden', 'invalid')) return undefined;
    throw error;
  }
}

/** Ours or none; somebody else's is a conflict, and is not touched. */
export async function findOwnApp(session: Session, application: string): Promise<App | undefined> {
  const found = await findApp(session, application);
  if (found) refuseForeign(session.platform, found);
  return found;
}

export function refuseForeign(platform: string, app: App): void {
  if (isOurs(app)) return;
  throw platformError(
    'conflict',
    platform,
    `an application named ${app.name} is there already, and not made by Sluice`,
    {
      why: `application ${app.guid} does not carry the label sluice.dev/managed-by=sluice`,
      remedy: `rename or delete it (cf delete ${app.name}), or give the application another name in sluice.yaml`,
    },
  );
}

export async function requireOwnApp(session: Session, application: string): Promise<App> {
  const found = await findOwnApp(session, application);
  if (found) return found;
  throw platformError('notFound', session.platform, `there is no application ${application}`, {
    why: 'none of that name is in this org and space',
    remedy: 'deploy it first: sluice deploy',
  });
}

/** The deployment that is under way, if any; a new one would supersede it. */
export async function activeDeployment(session: Session, appGuid: string): Promise<Deployment | undefined> {
  const [newest] = await session.list('/v3/deployments', deploymentSchema, {
    app_guids: appGuid,
    status_values: 'ACTIVE',
    order_by: '-created_at',
  });
  return newest;
}

/** All web processes, the newest last; there are two while a deployment is under way. */
export async function webProcesses(session: Session, appGuid: string): Promise<readonly Process[]> {
  return webOf(await session.list(`/v3/apps/${appGuid}/processes`, processSchema));
}

export function webOf(all: readonly Process[]): readonly Process[] {
  return all
    .filter((one) => one.type === 'web')
    .sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''));
}

export async function readEnvironment(
  session: Session,
  appGuid: string,
): Promise<Readonly<Record<string, string | null>>> {
  return (await session.get(`/v3/apps/${appGuid}/environment_variables`, environmentSchema)).var;
}

export async function packagesOf(session: Session, appGuid: string): Promise<readonly PackageBits[]> {
  return session.list('/v3/packages', packageBitsSchema, { app_guids: appGuid });
}

export interface ReleasedDroplet {
  readonly droplet: Droplet;
  readonly release: string | undefined;
}

/** Korifi lists droplets by package only. */
async function dropletsOf(session: Session, appGuid: string): Promise<readonly Droplet[]> {
  try {
    return await session.list(`/v3/apps/${appGuid}/droplets`, dropletSchema, { states: 'STAGED' });
  } catch (error) {
    if (!isNotThere(error)) throw error;
    const packages = await packagesOf(session, appGuid);
    const lists = packages.map(({ guid }) => session.list(`/v3/packages/${guid}/droplets`, dropletSchema));
    return (await Promise.all(lists)).flat().filter(({ state }) => state === 'STAGED');
  }
}

/** The droplets that can run, with the release each belongs to. */
export async function stagedDroplets(session: Session, appGuid: string): Promise<readonly ReleasedDroplet[]> {
  const droplets = await dropletsOf(session, appGuid);
  const stamped = droplets.every((one) => dropletRelease(one, []) !== undefined);
  const packages = stamped ? [] : await packagesOf(session, appGuid);
  return droplets.map((one) => ({ droplet: one, release: dropletRelease(one, packages) }));
}

export interface Instance {
  readonly index: number;
  readonly state: string;
  readonly routable: boolean | null;
  readonly details: string | undefined;
  /** Seconds since it started; undefined: not said. */
  readonly uptime?: number;
  readonly cpu: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Running and routable is the only state that serves; foundations that do not tell "routable" mean yes. */
export function serves(instance: Instance): boolean {
  return instance.state === 'RUNNING' && instance.routable !== false;
}

/** A process' instances; where metrics are out of order, by the plainer list that needs none. */
export async function instancesOf(session: Session, processGuid: string): Promise<readonly Instance[]> {
  try {
    const { resources } = await session.get(`/v3/processes/${processGuid}/stats`, statsSchema);
    return resources.map((one) => ({
      index: one.index,
      state: one.state,
      routable: one.routable ?? null,
      details: one.details ?? undefined,
      ...(one.uptime == null ? {} : { uptime: one.uptime }),
      cpu: one.usage?.cpu ?? undefined,
      memoryBytes: one.usage?.mem ?? undefined,
    }));
  } catch (error) {
    // The process of a deployment that just ended.
    if (hasClass(error, 'notFound')) return [];
    if (!hasClass(error, 'unavailable')) throw error;
    const { resources } = await session
      .get(`/v3/processes/${processGuid}/process_instances`, processInstancesSchema)
      .catch(() => Promise.reject(error));
    return resources.map(({ index, state }) => ({
      index,
      state,
      routable: null,
      details: undefined,
      cpu: undefined,
      memoryBytes: undefined,
    }));
  }
}
