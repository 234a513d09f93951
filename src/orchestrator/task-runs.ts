import type { RunWish, StartedRun } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName, ReleaseId } from '../core/ids.ts';
import type { PlatformProvider, ProviderContext, StagedArtifact } from '../core/provider.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { TaskRecord, TaskTrigger } from '../core/task-power.ts';
import { DEFAULT_TASK_TIMEOUT_MS, type TaskSettings } from '../core/task-settings.ts';
import { awaitOperation } from './await-operation.ts';
import type { Restored } from './context.ts';
import type { OrchestratorDeps } from './deps.ts';
import { type HeldLease, holderOf, leaseApplication } from './lease.ts';
import { createPatience } from './patience.ts';
import { placesOf } from './release-tasks.ts';
import { NotBegun, runTask, type TaskRunning } from './run-task.ts';
import { applicationNamed } from './scope.ts';
import { taskLines } from './task-lines.ts';
import { taskRecordsIn } from './task-records.ts';

const STAGE_DEADLINE_MS = 15 * 60_000;
/** Others that begin are through within seconds. */
const LONGEST_QUEUE_MS = 30_000;
const QUEUE_LOOK_MS = 200;
/** Beginning takes seconds: what was meant longer ago and has no handle is nobody's any more. */
const BEGINNING_MS = 15 * 60_000;

/** What is to run with the release that is live on a platform. */
export interface RunOrder {
  readonly application: ApplicationSettings;
  readonly platform: PlatformName;
  readonly run: string;
  readonly trigger: Exclude<TaskTrigger, 'release'>;
  readonly task: Pick<TaskSettings, 'name' | 'command' | 'memoryBytes' | 'timeoutMs'>;
}

export interface BegunRun extends StartedRun {
  readonly finished: Promise<TaskRecord>;
}

/** Commands that run once with what is live, by hand or by the clock. */
export interface TaskRuns {
  /** Resolves once it is begun. */
  begin(order: RunOrder, stop: AbortSignal): Promise<BegunRun>;
  byHand(wish: RunWish, stop: AbortSignal): Promise<BegunRun>;
  list(): Promise<readonly TaskRecord[]>;
  /** Undefined: there is no such run under way. */
  cancel(run: string): Promise<TaskRecord | undefined>;
  settle(run: string, as: 'succeeded' | 'failed'): Promise<TaskRecord | undefined>;
  /** Follows those that a process which is gone had begun. */
  takeUp(stop: AbortSignal): Promise<void>;
}

export interface TaskRunsDeps extends OrchestratorDeps {
  readonly liveOf: (application: ApplicationName) => Promise<Readonly<Record<PlatformName, ReleaseId>>>;
  readonly restore: (
    application: ApplicationName,
    release: ReleaseId,
    platform: PlatformName,
  ) => Promise<Restored>;
  readonly providerFor: (platform: PlatformName) => PlatformProvider;
}

export function createTaskRuns(deps: TaskRunsDeps): TaskRuns {
  const { store, clock, events, logger } = deps;
  const records = taskRecordsIn(store);

  /** A server leaves a run alone when it stops, for the next one follows it; a command ends its own. */
  function runningOn(
    { application, platform, run }: Pick<TaskRecord, 'application' | 'platform' | 'run'>,
    stop: AbortSignal,
    checkWrite: TaskRunning['checkWrite'],
  ): TaskRunning {
    const context: ProviderContext = {
      signal: deps.by === 'server' ? stop : new AbortController().signal,
      now: () => clock.now(),
      log: taskLines(events, { application, platform, run }),
    };
    return {
      ...{ clock, events, logger, records, context, checkWrite },
      provider: deps.providerFor(platform),
      patience: createPatience({ clock, signal: context.signal, onAway: () => undefined }),
      onProgress: () => undefined,
    };
  }

  async function begin(order: RunOrder, stop: AbortSignal): Promise<BegunRun> {
    const { application, platform, run, trigger, task } = order;
    const lease = await leaseToBegin(application.name, `running ${task.name} on ${platform}`);
    try {
      const release = (await deps.liveOf(application.name))[platform];
      if (release === undefined) throw notLive(application.name, platform);
      const { application: then, want, bundle } = await deps.restore(application.name, release, platform);
      const own = trigger === 'schedule' ? jobAsDeployed(then, order, release) : task;
      const running = runningOn({ application: application.name, platform, run }, stop, async () => {
        await lease.confirm();
        if (!lease.valid()) throw new SluiceError('LOCK_HELD', `the lease on ${application.name} was lost`);
      });
      const { provider, context } = running;
      const staged: StagedArtifact | undefined = await awaitOperation(
        await provider.stage(context, want, bundle),
        {
          ...{ clock, provider, context, deadlineMs: STAGE_DEADLINE_MS },
          // It was staged when it was deployed: what is there is found.
          store: async () => undefined,
          onProgress: () => undefined,
        },
      );
      const record: TaskRecord = {
        ...{ application: application.name, task: task.name, run, release, platform, trigger },
        ...{ state: 'begun', startedAt: clock.now(), timeoutMs: own.timeoutMs },
      };
      const { finished } = await begun(
        running,
        record,
        { ...order, task: own },
        { want, artifact: staged ?? { native: {} } },
      );
      if (deps.by === 'command') cancelOnStop(running, record, stop);
      const tidied = finished.finally(() => records.tidy(application.name).catch(() => undefined));
      return { run, platform, release, finished: tidied };
    } finally {
      await lease.release();
    }
  }

  /** Of its own: a deployment must not fail because a minute began, nor a minute be left out because of a deployment. */
  async function leaseToBegin(application: ApplicationName, reason: string): Promise<HeldLease> {
    const deadline = clock.monotonic() + LONGEST_QUEUE_MS;
    for (;;) {
      try {
        const holder = holderOf(deps, reason, clock.now());
        return await leaseApplication(store, clock, application, holder, 'task');
      } catch (error) {
        if (clock.monotonic() > deadline) throw error;
      }
      await clock.sleep(QUEUE_LOOK_MS);
    }
  }

  /** Resolves with its end to come once the platform has it. */
  function begun(
    running: TaskRunning,
    record: TaskRecord,
    { task, run }: RunOrder,
    given: Parameters<typeof runTask>[3],
  ): Promise<{ readonly finished: Promise<TaskRecord> }> {
    return new Promise((done, fail) => {
      const finished: Promise<TaskRecord> = runTask(
        { ...running, onBegun: () => done({ finished }) },
        record,
        { ...task, run },
        given,
      );
      finished.catch((caught: unknown) => fail(caught instanceof NotBegun ? caught.reason : caught));
    });
  }

  function cancelOnStop({ provider, context }: TaskRunning, record: TaskRecord, stop: AbortSignal): void {
    async function cancel(): Promise<void> {
      const kept = (await records.list(record.application)).find(({ run }) => run === record.run);
      if (kept?.state === 'begun' && kept.handle) await provider.tasks?.cancel(context, kept.handle);
    }
    const onAbort = (): void =>
      void cancel().catch((error: unknown) =>
        logger.warn({ run: record.run, error: String(error) }, 'a task could not be cancelled'),
      );
    if (stop.aborted) onAbort();
    else stop.addEventListener('abort', onAbort, { once: true });
  }

  /** Whoever meant it may still be at it, a command beside us for one: as the record stands when that is over. */
  async function whenBegun(
    { application, run, startedAt }: TaskRecord,
    stop: AbortSignal,
  ): Promise<TaskRecord | undefined> {
    await clock.sleep(Math.max(0, startedAt + BEGINNING_MS - clock.now()), stop);
    return (await records.list(application)).find((one) => one.run === run);
  }

  async function follow(record: TaskRecord, stop: AbortSignal): Promise<void> {
    const spec = { name: record.task, run: record.run, command: '', memoryBytes: 0 };
    const running = runningOn(record, stop, async () => undefined);
    // Asked for as long as it may take: some platforms are told only by whoever asks that it takes too long.
    const { timeoutMs = DEFAULT_TASK_TIMEOUT_MS } = record;
    await runTask(running, record, { ...spec, timeoutMs }, undefined);
  }

  return {
    begin,

    async byHand(wish, stop) {
      const application = applicationNamed(deps.settings, wish.application);
      const task = taskOf(application, wish);
      const live = await deps.liveOf(application.name);
      const places = wish.platform === undefined ? placesOf(task, application) : [wish.platform];
      const platform = places.find((name) => live[name] !== undefined && deps.deploysTo(name));
      if (platform === undefined) throw notLive(application.name, places.join(', '));
      return begin({ application, platform, run: `h-${deps.uniqueId()}`, trigger: 'hand', task }, stop);
    },

    list: () => records.list(),

    async cancel(run) {
      const record = (await records.list()).find((one) => one.run === run && one.state === 'begun');
      if (record?.handle === undefined) return undefined;
      const { provider, context } = runningOn(record, new AbortController().signal, async () => undefined);
      await provider.tasks?.cancel(context, record.handle);
      return record;
    },

    async settle(run, as) {
      const record = (await records.list()).find((one) => one.run === run && one.state !== 'succeeded');
      if (record === undefined) return undefined;
      const { handle: _, error: __, ...rest } = record;
      const settled: TaskRecord = { ...rest, state: as, endedAt: record.endedAt ?? clock.now() };
      await records.put(settled);
      return settled;
    },

    async takeUp(stop) {
      const open = (await records.list()).filter(
        ({ trigger, state }) => trigger !== 'release' && state === 'begun',
      );
      const following = open.map(async (record) => {
        const begun = record.handle === undefined ? await whenBegun(record, stop) : record;
        if (begun?.handle !== undefined) await follow(begun, stop);
        else if (begun?.state === 'begun')
          await records.put({ ...begun, state: 'unknown', endedAt: clock.now() });
      });
      for (const { status, ...rest } of await Promise.allSettled(following)) {
        if (status === 'rejected' && !stop.aborted && 'reason' in rest)
          logger.info({ why: String(rest.reason) }, 'a task of a process that is gone did not end well');
      }
    },
  };
}

function taskOf(application: ApplicationSettings, wish: RunWish): TaskSettings {
  const { tasks = [], process } = application;
  const found = wish.task === undefined ? undefined : tasks.find(({ name }) => name === wish.task);
  if (wish.task !== undefined && found === undefined) {
    throw new SluiceError('USAGE', `${application.name} has no task "${wish.task}"`, {
      remedy:
        tasks.length === 0
          ? 'write the command behind --: sluice run APP -- COMMAND'
          : `one of ${tasks.map(({ name }) => name).join(', ')}, or a command behind --`,
    });
  }
  const command = found?.command ?? wish.command;
  if (command === undefined || command === '') {
    throw new SluiceError('USAGE', 'there is nothing to run', {
      remedy: 'name a task, or write a command behind --',
    });
  }
  return {
    ...{ name: 'command', when: 'hand', memoryBytes: process.memoryBytes, command },
    ...(found ?? {}),
    timeoutMs: wish.timeoutMs ?? found?.timeoutMs ?? DEFAULT_TASK_TIMEOUT_MS,
  };
}

/** What runs by the clock is what was deployed, whatever the file says by now. */
function jobAsDeployed(
  { jobs = [] }: ApplicationSettings,
  { application, task, platform }: RunOrder,
  release: ReleaseId,
): RunOrder['task'] {
  const then = jobs.find(({ name }) => name === task.name);
  if (then !== undefined) return { ...task, command: then.command, memoryBytes: then.memoryBytes };
  throw new SluiceError('USAGE', `${release} has no process ${task.name}`, {
    where: platform,
    why: `${application.name} was deployed before it was in the file`,
    remedy: 'deploy it: sluice deploy',
  });
}

function notLive(application: ApplicationName, where: string): SluiceError {
  return new SluiceError('USAGE', `no release of ${application} is live there`, {
    where,
    why: 'a task runs with the files and the environment of the release that is live',
    remedy: 'deploy it first, or name another platform with --on',
  });
}
