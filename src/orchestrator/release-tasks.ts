import type { DeploymentRecord } from '../core/deployment.ts';
import { platformError, SluiceError } from '../core/errors.ts';
import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { TaskRecord, TaskSpec } from '../core/task-power.ts';
import type { TaskSettings } from '../core/task-settings.ts';
import type { DeploymentContext } from './context.ts';
import { clearUp, NotBegun, runTask } from './run-task.ts';
import { quietContext } from './scope.ts';
import { checkLease, type TargetRun } from './target-run.ts';
import { taskRecordsIn } from './task-records.ts';

/** Tasks that run once before anything of a release is promoted, on one platform for all. */
export interface ReleaseTasks {
  /** The release is staged there. Resolves when all tasks have ended well; throws why nothing may be promoted. */
  staged(run: TargetRun): Promise<void>;
  /** Nothing can run there: it failed, or has all of it already. */
  out(platform: PlatformName): void;
}

/** The one that takes the writes, else the first: every time the same, so that whoever goes on asks at the same place. */
export function placesOf(
  task: TaskSettings,
  { data, targets }: Pick<ApplicationSettings, 'data' | 'targets'>,
): readonly PlatformName[] {
  if (task.on !== undefined) return [task.on];
  const all = targets.map(({ platform }) => platform);
  return data.writes === 'single' ? [data.writer, ...all.filter((name) => name !== data.writer)] : all;
}

/** Of this task and release: another one after each that failed. */
export function runName(task: string, release: ReleaseId, attempt: number): string {
  return `${task}-${release.replace(/^r-/, '')}-${attempt}`;
}

export function releaseTasks(
  context: DeploymentContext,
  record: DeploymentRecord,
  application: ApplicationSettings,
): ReleaseTasks | undefined {
  const tasks = (application.tasks ?? []).filter(({ when }) => when === 'release');
  if (tasks.length === 0 || record.kind === 'rollback') return undefined;
  const arrivals = new Map(Object.keys(record.targets).map((platform) => [platform, arrival()]));
  const records = taskRecordsIn(context.store);
  let work: Promise<void> | undefined;

  async function runAll(): Promise<void> {
    for (const task of tasks) await runOne(task);
  }

  async function runOne(task: TaskSettings): Promise<void> {
    const before = await records.ofRelease(application.name, record.release.id, task.name);
    if (before?.state === 'succeeded') return await clearAgain(before);
    if (before?.state === 'begun') return await goOn(task, before);
    const reasons: string[] = [];
    let last: SluiceError | undefined;
    for (const platform of placesOf(task, application)) {
      const run = await arrivals.get(platform)?.promise;
      if (run === undefined) {
        reasons.push(`${platform} has not staged it`);
        continue;
      }
      if (run.provider.tasks === undefined) {
        reasons.push(`${platform} runs no tasks`);
        continue;
      }
      try {
        return await runOn(run, task, newRecord(task, platform, before));
      } catch (caught) {
        if (!(caught instanceof NotBegun)) throw caught;
        last = caught.reason;
        reasons.push(`${platform}: ${caught.message}`);
      }
    }
    throw nowhere(task, reasons, last);
  }

  /** Whoever was here before us may have got no further than its end. */
  async function clearAgain(before: TaskRecord): Promise<void> {
    if (before.handle === undefined || !record.targets[before.platform]) return;
    const provider = context.provider(before.platform);
    const given = quietContext(() => context.clock.now());
    await clearUp({ provider, context: given, records, logger: context.logger }, before);
  }

  /** It may be at work there, so it is asked for there and nowhere else. */
  async function goOn(task: TaskSettings, before: TaskRecord): Promise<void> {
    const run = await arrivals.get(before.platform)?.promise;
    if (run === undefined) throw elsewhere(task, before);
    await runOn(run, task, before).catch((caught: unknown) => {
      throw caught instanceof NotBegun ? caught.reason : caught;
    });
  }

  function newRecord(task: TaskSettings, platform: PlatformName, before: TaskRecord | undefined): TaskRecord {
    const attempt = before === undefined ? 1 : Number(before.run.split('-').at(-1)) + 1;
    const { id: release } = record.release;
    return {
      ...{ application: application.name, task: task.name, release, platform },
      run: runName(task.name, release, attempt),
      ...{ trigger: 'release', state: 'begun', startedAt: context.clock.now() },
    };
  }

  async function runOn(run: TargetRun, task: TaskSettings, kept: TaskRecord): Promise<void> {
    const { job, provider, providerContext, patience, target } = run;
    const { clock, events, logger } = context;
    const spec: TaskSpec = { ...task, run: kept.run };
    const running = {
      ...{ clock, events, logger, records, provider, patience, deployment: record.id },
      context: providerContext,
      async checkWrite() {
        await context.confirmLease();
        checkLease(context, application.name, record.id);
      },
      onProgress: (message: string) => run.report(target.phase, message),
    };
    run.checkpoint();
    const given = target.artifact === undefined ? undefined : { want: job.want, artifact: target.artifact };
    await runTask(running, kept, spec, given);
  }

  return {
    staged(run) {
      arrivals.get(run.job.want.platform)?.resolve(run);
      work ??= runAll();
      return work;
    },
    out: (platform) => arrivals.get(platform)?.resolve(undefined),
  };
}

interface Arrival {
  readonly promise: Promise<TargetRun | undefined>;
  /** Only the first counts. */
  resolve(run: TargetRun | undefined): void;
}

function arrival(): Arrival {
  let resolve: Arrival['resolve'] = () => undefined;
  const promise = new Promise<TargetRun | undefined>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function nowhere(task: TaskSettings, reasons: readonly string[], last: SluiceError | undefined): SluiceError {
  const what = `task ${task.name} can run on no platform`;
  const why = reasons.join('; ');
  const remedy = last?.details.remedy ?? 'see what keeps the platforms; nothing was promoted';
  if (last !== undefined) return new SluiceError(last.code, what, { why, remedy }, last.class);
  return platformError('unavailable', task.on ?? 'every platform', what, { why, remedy });
}

function elsewhere({ name }: TaskSettings, { platform, run }: TaskRecord): SluiceError {
  return platformError('unavailable', platform, `task ${name} was begun on ${platform}, and may be at work`, {
    why: `run ${run} was begun there, how it ended is not known, and this deployment does not reach the platform`,
    remedy: `deploy to ${platform} too, when it answers again: it is asked for that run, which is not begun twice; or say how it ended: sluice tasks settle ${run} --as succeeded|failed`,
  });
}
