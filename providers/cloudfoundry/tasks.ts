import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { TaskSpec } from '../../src/core/task-power.ts';
import { requireDroplet } from './apply.ts';
import type { Session } from './client.ts';
import { difference, split } from './environment.ts';
import { findApp, readEnvironment, refuseForeign, requireOwnApp } from './find.ts';
import { lifecycleOf } from './images.ts';
import { isUnknownParameter } from './label-filter.ts';
import { logTail, relayTaskLog } from './logs.ts';
import { failed, handleOf, next, running } from './status.ts';
import {
  currentDroplet,
  isOurs,
  RELEASE,
  RUN,
  runOf,
  selectorOf,
  stamps,
  TASK_OF,
  trialName,
} from './translate.ts';
import { findOrCopy } from './trial.ts';
import { type App, appSchema, dropletSchema, type Task, taskSchema } from './wire.ts';

/** Where the command waits until the droplet is copied: it may be as secret as the rest of an environment. */
const COMMAND = 'SLUICE_TASK';

/** From the end of a task until its last words can be read. */
const LAST_WORDS_MS = 1_000;

/**
 * A task has its application's environment, and no other can be given to it. So it runs on the application itself where
 * that runs this very release, and else on a stopped one beside it, made for this run, with the release's environment
 * and a copy of its droplet: what serves is not touched by a migration.
 */
export async function startTask(
  session: Session,
  context: ProviderContext,
  want: TargetSpec,
  artifact: StagedArtifact,
  task: TaskSpec,
): Promise<Operation> {
  const { application, release } = want;
  const app = await requireOwnApp(session, application);
  const handle = handleOf(session.platform, application, 'task', context.now(), {
    ...{ run: task.run, name: task.name, release: release.id },
    memoryMb: String(Math.max(1, Math.ceil(task.memoryBytes / 1_048_576))),
    timeoutMs: String(task.timeoutMs),
  });
  const begun = await findTask(session, application, task.run);
  if (begun !== undefined) return { handle: begunAs(handle, begun, app) };
  const droplet = await requireDroplet(session, artifact);
  if (currentDroplet(app) === droplet)
    return create(session, next(handle, { app: app.guid, droplet }), task.command);
  const beside = await findOrCreateBeside(session, want, task.run);
  const { env } = split(await readEnvironment(session, beside.guid));
  const patch = difference(env, { ...want.env, [COMMAND]: task.command });
  if (Object.keys(patch).length > 0)
    await session.patch(`/v3/apps/${beside.guid}/environment_variables`, { var: patch });
  const copy = await findOrCopy(session, beside, droplet);
  return { handle: next(handle, { app: beside.guid, beside: 'true', droplet: copy }) };
}

async function findOrCreateBeside(session: Session, want: TargetSpec, run: string): Promise<App> {
  const { application, release } = want;
  const name = trialName(application, run);
  const space = await session.spaceGuid();
  const app = await session.findOrCreate(() => findApp(session, name), '/v3/apps', appSchema, {
    name,
    ...lifecycleOf(want),
    relationships: { space: { data: { guid: space } } },
    metadata: { labels: { ...stamps(application), [TASK_OF]: release.id, [RUN]: run } },
  });
  refuseForeign(session.platform, app);
  return app;
}

/** Anywhere in our space: it may have been begun when the release did not serve yet. */
async function findTask(session: Session, application: string, run: string): Promise<Task | undefined> {
  const query = { label_selector: selectorOf({ ...stamps(application), [RUN]: run }) };
  const tasks = await session
    .list('/v3/tasks', taskSchema, { ...query, space_guids: await session.spaceGuid() })
    .catch((error: unknown) => {
      // Korifi has no such filter, and a run's name is nobody else's in other spaces either.
      if (!isUnknownParameter(error, 'space_guids')) throw error;
      return session.list('/v3/tasks', taskSchema, query);
    });
  return tasks.find((one) => isOurs(one) && runOf(one) === run);
}

async function create(session: Session, handle: OperationHandle, command: string): Promise<Operation> {
  const { application, native } = handle;
  const task = await session.findOrCreate(
    () => findTask(session, application, native['run'] ?? ''),
    `/v3/apps/${native['app']}/tasks`,
    taskSchema,
    {
      // Its lines in the log are known by the name.
      name: `${native['name']}-${native['run']}`,
      command,
      memory_in_mb: Number(native['memoryMb']),
      droplet_guid: native['droplet'],
      metadata: {
        labels: {
          ...stamps(application),
          [RUN]: native['run'] ?? '',
          ...(native['release'] === undefined ? {} : { [RELEASE]: native['release'] }),
        },
      },
    },
  );
  return { handle: begunAs(handle, task) };
}

/** `main`: the application itself, where it is not known yet on which one the task runs. */
function begunAs(handle: OperationHandle, task: Task, main?: App): OperationHandle {
  const app = task.relationships?.app?.data?.guid ?? handle.native['app'] ?? '';
  const beside = main !== undefined && app !== main.guid ? { beside: 'true' } : {};
  return next(handle, { ...beside, app, task: task.guid, taskName: task.name });
}

export async function pollTask(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { task: guid, name = '' } = handle.native;
  if (guid === undefined) return pollCopy(session, context, handle);
  const task = await session.find(`/v3/tasks/${guid}`, taskSchema);
  if (task === undefined) return { state: 'lost', message: `task ${guid} is gone` };
  const { app = '', taskName = '', log = '0', ended } = handle.native;
  const seen = await relayTaskLog(session, context.log, app, { taskName, from: log });
  if (task.state === 'SUCCEEDED' || task.state === 'FAILED') {
    // The log comes by another way, and later.
    if (ended === undefined) {
      const waiting = next(handle, { log: seen, ended: task.state });
      const more = { handle: waiting, retryAfterMs: LAST_WORDS_MS };
      return running(handle, context.now(), `${name} ended`, more);
    }
    if (task.state === 'SUCCEEDED') return { state: 'succeeded', message: `${name} ended well` };
    return taskFailed(session, handle, task);
  }
  const age = context.now() - Date.parse(task.created_at);
  if (task.state !== 'CANCELING' && age > Number(handle.native['timeoutMs'])) {
    await cancel(session, guid);
    return running(handle, context.now(), `${name} takes too long and is cancelled`, {
      handle: next(handle, { log: seen, late: 'true' }),
    });
  }
  return running(handle, context.now(), `${name} is ${task.state.toLowerCase()}`, {
    handle: next(handle, { log: seen }),
  });
}

async function pollCopy(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { droplet = '', name = '' } = handle.native;
  const copy = await session.find(`/v3/droplets/${droplet}`, dropletSchema);
  if (copy?.state === 'STAGED') {
    const { env } = split(await readEnvironment(session, handle.native['app'] ?? ''));
    const { handle: begun } = await create(session, handle, env[COMMAND] ?? '');
    return running(handle, context.now(), `${name} begins`, { handle: begun });
  }
  if (copy?.state === 'COPYING')
    return running(handle, context.now(), `${name} waits: the platform copies the droplet`);
  return failed('buildFailed', session.platform, 'the platform could not copy the droplet', {
    why: copy === undefined ? `droplet ${droplet} is gone` : (copy.error ?? `droplet is ${copy.state}`),
    remedy: 'deploy again; if it fails again, ask the operator about the blobstore',
  });
}

async function taskFailed(
  session: Session,
  { native, startedAt }: OperationHandle,
  task: Task,
): Promise<OperationStatus> {
  const { name = '', app = '', taskName = '', timeoutMs } = native;
  const late = native['late'] === 'true';
  const what = late ? `task ${name} took longer than it may` : `task ${name} failed`;
  const reason = task.result?.failure_reason ?? 'the platform names no reason';
  const since = Math.min(startedAt, Date.parse(task.created_at));
  return failed('taskFailed', session.platform, what, {
    why: late ? `it was cancelled after ${Number(timeoutMs) / 1_000} s` : reason,
    remedy: late ? 'give it more with `timeout`, or see what keeps it' : 'see its last words below',
    logTail: await logTail(session, app, { source: 'app', since, task: taskName }),
  });
}

export async function cancelTask(session: Session, handle: OperationHandle): Promise<void> {
  const { task } = handle.native;
  if (task === undefined) return forgetTask(session, handle);
  const found = await session.find(`/v3/tasks/${task}`, taskSchema);
  if (found?.state === 'RUNNING' || found?.state === 'PENDING') await cancel(session, task);
}

/** It may end in this very moment: then it cannot be cancelled any more, and need not be. */
async function cancel(session: Session, guid: string): Promise<void> {
  try {
    await session.post(`/v3/tasks/${guid}/actions/cancel`);
  } catch (error) {
    const task = await session.find(`/v3/tasks/${guid}`, taskSchema);
    if (task?.state === 'RUNNING' || task?.state === 'PENDING') throw error;
  }
}

export async function forgetTask(session: Session, { native }: OperationHandle): Promise<void> {
  if (native['beside'] === 'true' && native['app'] !== undefined)
    await session.remove(`/v3/apps/${native['app']}`);
}
