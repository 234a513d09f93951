import type { Clock } from '../../src/core/ports.ts';
import type {
  Observation,
  ObservedInstance,
  ObservedRelease,
  ProviderContext,
} from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { split } from './environment.ts';
import {
  activeDeployment,
  findApp,
  type Instance,
  instancesOf,
  type ReleasedDroplet,
  readEnvironment,
  serves,
  stagedDroplets,
  webProcesses,
} from './find.ts';
import { desiredInstances, dropletOfProcess, instanceState, isOurs, originsOf } from './translate.ts';
import { type App, routeSchema } from './wire.ts';

/** One normalised read. Its parts are read one after the other by the API, so they may be a moment apart. */
export async function observe(
  session: Session,
  options: { readonly domain: string; readonly router?: string | undefined },
  clock: Clock,
  context: ProviderContext,
  application: string,
): Promise<Observation> {
  const at = context.now();
  const began = clock.monotonic();
  const app = await findApp(session, application);
  const ours = app && isOurs(app) ? await read(session, options, app, application) : NOTHING;
  return {
    at,
    apiLatencyMs: clock.monotonic() - began,
    ...ours,
    foreign: app && !isOurs(app) ? [`application ${app.name} (${app.guid})`] : [],
  };
}

type Read = Omit<Observation, 'at' | 'apiLatencyMs' | 'foreign'>;

const NOTHING: Read = {
  exists: false,
  releases: [],
  serving: undefined,
  instances: [],
  desired: 0,
  origins: [],
  env: {},
};

async function read(
  session: Session,
  options: { readonly domain: string; readonly router?: string | undefined },
  app: App,
  application: string,
): Promise<Read> {
  const started = app.state === 'STARTED';
  const [active, web, droplets, variables, routes] = await Promise.all([
    activeDeployment(session, app.guid),
    webProcesses(session, app.guid),
    stagedDroplets(session, app.guid),
    readEnvironment(session, app.guid),
    session.list(`/v3/apps/${app.guid}/routes`, routeSchema),
  ]);
  const instances: ObservedInstance[] = [];
  for (const process of started ? web : []) {
    const release = releaseOfDroplet(droplets, dropletOfProcess(app, process, active));
    for (const one of await instancesOf(session, process.guid)) {
      instances.push(observed(process.guid, release, one));
    }
  }
  return {
    exists: true,
    releases: releasesOf(droplets, instances),
    serving: servingRelease(instances),
    instances,
    desired: started ? desiredInstances(web, active) : 0,
    origins: originsOf(application, options, routes),
    env: split(variables).env,
  };
}

function observed(process: string, release: string | undefined, one: Instance): ObservedInstance {
  return {
    // The form of X-CF-Process-Instance, which sends a request to this very instance.
    id: `${process}:${one.index}`,
    release,
    state: instanceState(one.state),
    routable: one.state === 'RUNNING' ? serves(one) && one.routable : false,
    ...(one.details === undefined ? {} : { reason: one.details }),
    ...(one.cpu === undefined ? {} : { cpu: one.cpu }),
    ...(one.memoryBytes === undefined ? {} : { memoryBytes: one.memoryBytes }),
  };
}

function releaseOfDroplet(
  droplets: readonly ReleasedDroplet[],
  guid: string | undefined,
): string | undefined {
  return droplets.find((one) => one.droplet.guid === guid)?.release;
}

function releasesOf(
  droplets: readonly ReleasedDroplet[],
  instances: readonly ObservedInstance[],
): readonly ObservedRelease[] {
  const alive = new Set(instances.filter((one) => one.state === 'running').map((one) => one.release));
  const releases = new Map<string, ObservedRelease>();
  for (const { release } of droplets) {
    if (release !== undefined) {
      releases.set(release, { id: release, state: alive.has(release) ? 'running' : 'staged' });
    }
  }
  return [...releases.values()];
}

/** While two releases run, the older is what still serves: instances come in the order of their processes. */
function servingRelease(instances: readonly ObservedInstance[]): string | undefined {
  return instances.find((one) => one.state === 'running' && one.routable !== false)?.release;
}
