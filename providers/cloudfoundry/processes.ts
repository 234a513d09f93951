import { platformError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type {
  ObservedProcess,
  Operation,
  OperationHandle,
  OperationStatus,
  OtherProcessSpec,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { type Instance, instancesOf, requireOwnApp } from './find.ts';
import { logTail } from './logs.ts';
import { failed, handleOf, running } from './status.ts';
import { isOurs, stamps } from './translate.ts';
import { jobSchema, type Process, processSchema } from './wire.ts';

const MARGIN_MS = 60_000;
const LONGEST_JOB_MS = 60_000;
const LOOK_MS = 250;
/** Nothing asks a worker whether it is well: one that ends at once has run for a moment, too. */
const STEADY_S = 3;
/** Read these and there is something that may be at work. */
const AT_WORK: ReadonlySet<string> = new Set(['RUNNING', 'STARTING', 'STOPPING']);

/**
 * Processes beside web are further types of the same application. Here they get command and memory, which only a
 * manifest can give to a type that no droplet names, and which the platform heeds when it restarts them: it does so by
 * itself at the end of a rollout. Says whether anything was changed. Those of a release that does not come up are not
 * restarted, and so go on as they were.
 */
export async function describeProcesses(
  session: Session,
  clock: Clock,
  appGuid: string,
  want: TargetSpec,
): Promise<boolean> {
  const { application, processes = [] } = want;
  if (processes.length === 0) return false;
  const there = await othersOf(session, appGuid);
  const changed: Record<string, unknown>[] = [];
  for (const process of processes) {
    const seen = there.find(({ type }) => type === process.name);
    if (seen !== undefined && (await isSame(session, seen, process))) continue;
    changed.push({
      type: process.name,
      command: process.command,
      memory: `${mebibytes(process)}M`,
      'health-check-type': 'process',
      ...(seen === undefined ? { instances: 0 } : {}),
    });
  }
  if (changed.length === 0) return false;
  const path = `/v3/spaces/${await session.spaceGuid()}/actions/apply_manifest`;
  const manifest = { applications: [{ name: application, processes: changed }] };
  const job = await session.manifest(path, manifest);
  if (job !== undefined) await jobDone(session, clock, job);
  return true;
}

async function jobDone(session: Session, clock: Clock, guid: string): Promise<void> {
  const deadline = clock.monotonic() + LONGEST_JOB_MS;
  for (;;) {
    const job = await session.find(`/v3/jobs/${guid}`, jobSchema);
    if (job === undefined || job.state === 'COMPLETE') return;
    const why = job.errors.map(({ title, detail }) => `${detail} (${title})`).join('; ');
    if (job.state === 'FAILED') {
      throw platformError('invalid', session.platform, 'the platform did not take the processes', {
        why,
        remedy: 'check their commands and memory; what serves is not affected',
      });
    }
    if (clock.monotonic() > deadline) {
      throw platformError('timeout', session.platform, 'the platform does not get on with a manifest', {
        why: `job ${guid} is ${job.state}`,
        remedy: 'deploy again when it has ended',
      });
    }
    await clock.sleep(LOOK_MS, session.signal);
  }
}

/** Brings them to their numbers. Web serves the release by now, and what was restarted with it runs it too. */
export async function applyProcesses(
  session: Session,
  context: ProviderContext,
  want: TargetSpec,
): Promise<Operation> {
  const { application, processes = [] } = want;
  const app = await requireOwnApp(session, application);
  const there = await othersOf(session, app.guid);
  const sizes: Record<string, number> = {};
  for (const { name, instances } of processes) {
    sizes[name] = instances ?? there.find(({ type }) => type === name)?.instances ?? 0;
  }
  // What a Procfile brought and somebody scaled is theirs.
  for (const one of there) if (isOurs(one) && sizes[one.type] === undefined) sizes[one.type] = 0;
  return {
    handle: handleOf(session.platform, application, 'processes', context.now(), {
      app: app.guid,
      sizes: JSON.stringify(sizes),
      allowedMs: String(want.health.startTimeoutMs + MARGIN_MS),
    }),
  };
}

/** Lists hide commands, so each is asked for. */
async function isSame(session: Session, seen: Process, wanted: OtherProcessSpec): Promise<boolean> {
  const { command, memory_in_mb, health_check } = await session.get(
    `/v3/processes/${seen.guid}`,
    processSchema,
  );
  return command === wanted.command && memory_in_mb === mebibytes(wanted) && health_check.type === 'process';
}

export async function pollProcesses(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app = '', sizes = '{}' } = handle.native;
  const wanted: Readonly<Record<string, number>> = JSON.parse(sizes);
  for (const process of await othersOf(session, app)) {
    const size = wanted[process.type];
    if (size === undefined) continue;
    if (!isOurs(process)) {
      await session.patch(`/v3/processes/${process.guid}`, {
        metadata: { labels: stamps(handle.application) },
      });
    }
    if (process.instances !== size) {
      await session.post(`/v3/processes/${process.guid}/actions/scale`, { instances: size });
      return running(handle, context.now(), `${process.type} goes to ${size} instances`);
    }
    const status = await arrival(session, context, handle, process);
    if (status !== undefined) return status;
  }
  return { state: 'succeeded', message: `${Object.keys(wanted).join(', ')} run` };
}

/** Undefined once all of its instances run. */
async function arrival(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  { guid, type, instances }: Process,
): Promise<OperationStatus | undefined> {
  if (instances === 0) return undefined;
  const seen = await instancesOf(session, guid);
  const up = seen.filter(({ state, uptime = STEADY_S }) => state === 'RUNNING' && uptime >= STEADY_S).length;
  if (up >= instances) return undefined;
  const crashed = seen.length > 0 && seen.every(({ state }) => state === 'CRASHED');
  const late = context.now() - handle.startedAt > Number(handle.native['allowedMs']);
  if (!crashed && !late)
    return running(handle, context.now(), `${type}: ${up} of ${instances} instances run`);
  return failed('startFailed', session.platform, `process ${type} of ${handle.application} did not start`, {
    why: crashed ? `all its instances crashed${detailOf(seen)}` : `${up} of ${instances} instances run`,
    remedy: 'see its last words below; web serves on',
    logTail: await logTail(session, handle.native['app'] ?? '', {
      source: 'app',
      since: handle.startedAt,
      process: guid,
    }),
  });
}

function detailOf(instances: readonly Instance[]): string {
  const details = instances.find((one) => one.details !== undefined)?.details;
  return details === undefined ? '' : ` (${details})`;
}

export async function scaleProcess(
  session: Session,
  application: string,
  process: string,
  instances: number,
): Promise<void> {
  const app = await requireOwnApp(session, application);
  const found = (await othersOf(session, app.guid)).find(({ type }) => type === process);
  if (found === undefined) {
    throw platformError('notFound', session.platform, `there is no process ${process} of ${application}`, {
      why: `application ${app.guid} lists no process of that type`,
      remedy: 'deploy it first: sluice deploy',
    });
  }
  await session.post(`/v3/processes/${found.guid}/actions/scale`, { instances });
}

/** `release`: of the droplet they were started with last. */
export async function observedProcesses(
  session: Session,
  others: readonly Process[],
  release: string | undefined,
): Promise<Readonly<Record<string, ObservedProcess>> | undefined> {
  const found = others.filter(isOurs).map(async (process): Promise<[string, ObservedProcess]> => {
    const instances = process.instances === 0 ? [] : await instancesOf(session, process.guid);
    return [
      process.type,
      {
        desired: process.instances,
        running: instances.filter(({ state }) => AT_WORK.has(state)).length,
        release,
        // Lists hide it.
        command: undefined,
        memoryBytes: process.memory_in_mb * 1_048_576,
      },
    ];
  });
  return found.length === 0 ? undefined : Object.fromEntries(await Promise.all(found));
}

export async function othersOf(session: Session, appGuid: string): Promise<readonly Process[]> {
  const all = await session.list(`/v3/apps/${appGuid}/processes`, processSchema);
  return all.filter(({ type }) => type !== 'web');
}

function mebibytes({ memoryBytes }: OtherProcessSpec): number {
  return Math.max(1, Math.round(memoryBytes / 1_048_576));
}
