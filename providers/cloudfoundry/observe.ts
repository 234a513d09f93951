import { hasClass } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type {
  Observation,
  ObservedInstance,
  ObservedOrigin,
  ObservedRelease,
  ObservedTrial,
  ProviderContext,
} from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import type { Options } from './config.ts';
import { split } from './environment.ts';
import {
  activeDeployment,
  findWithTrials,
  type Instance,
  instancesOf,
  type ReleasedDroplet,
  readEnvironment,
  serves,
  stagedDroplets,
  webOf,
  webProcesses,
} from './find.ts';
import { observedProcesses } from './processes.ts';
import {
  currentDroplet,
  desiredInstances,
  dropletOfProcess,
  instanceState,
  isOurs,
  originsOf,
  trialOf,
} from './translate.ts';
import { type App, processSchema, routeSchema } from './wire.ts';

/** One normalised read. Its parts are read one after the other by the API, so they may be a moment apart. */
export async function observe(
  session: Session,
  options: Options,
  clock: Clock,
  context: ProviderContext,
  application: string,
): Promise<Observation> {
  const at = context.now();
  const began = clock.monotonic();
  const { app, trials } = await findWithTrials(session, application);
  const [ours, trial] = await Promise.all([
    app && isOurs(app) ? read(session, options, app, application) : NOTHING,
    readTrial(session, options, trials).catch((error: unknown) => {
      // It was ended between two of our reads.
      if (hasClass(error, 'notFound')) return undefined;
      throw error;
    }),
  ]);
  return {
    at,
    apiLatencyMs: clock.monotonic() - began,
    ...ours,
    ...(trial === undefined ? {} : { trial: trial.seen, origins: [...ours.origins, ...trial.origins] }),
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

async function read(session: Session, options: Options, app: App, application: string): Promise<Read> {
  const started = app.state === 'STARTED';
  const [active, processes, droplets, variables, routes] = await Promise.all([
    activeDeployment(session, app.guid),
    session.list(`/v3/apps/${app.guid}/processes`, processSchema),
    stagedDroplets(session, app.guid),
    readEnvironment(session, app.guid),
    session.list(`/v3/apps/${app.guid}/routes`, routeSchema),
  ]);
  const web = webOf(processes);
  const release = releaseOfDroplet(droplets, currentDroplet(app));
  const others = await observedProcesses(
    session,
    started ? processes.filter(({ type }) => type !== 'web') : [],
    release,
  );
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
    ...(instances.length === 0 && release !== undefined ? { standing: release } : {}),
    instances,
    desired: started ? desiredInstances(web, active) : 0,
    ...(others === undefined ? {} : { processes: others }),
    origins: originsOf(application, options, routes),
    env: split(variables).env,
  };
}

/** Of several the newest: the others are left over, and go with their application. */
async function readTrial(
  session: Session,
  options: Options,
  trials: readonly App[],
): Promise<{ readonly seen: ObservedTrial; readonly origins: readonly ObservedOrigin[] } | undefined> {
  const app = [...trials].sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? '')).at(-1);
  const release = app && trialOf(app);
  if (app === undefined || release === undefined) return undefined;
  const started = app.state === 'STARTED';
  const [web, routes] = await Promise.all([
    webProcesses(session, app.guid),
    session.list(`/v3/apps/${app.guid}/routes`, routeSchema),
  ]);
  const instances: ObservedInstance[] = [];
  for (const process of started ? web : []) {
    for (const one of await instancesOf(session, process.guid))
      instances.push(observed(process.guid, release, one));
  }
  const origins = started ? originsOf(app.name, options, routes) : [];
  return {
    seen: { release, instances, desired: started ? desiredInstances(web, undefined) : 0 },
    origins: origins.map((origin) => ({ ...origin, release, trial: true as const })),
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
