import { hasClass, platformError, SluiceError, toWire } from '../core/errors.ts';
import type { DeploymentId } from '../core/ids.ts';
import type { Clock, EventLog, Logger } from '../core/ports.ts';
import {
  isFinal,
  type OperationHandle,
  type PlatformProvider,
  type ProviderContext,
  type StagedArtifact,
  type TargetSpec,
} from '../core/provider.ts';
import type { TaskPower, TaskRecord, TaskSpec } from '../core/task-power.ts';
import { OperationLost, pollToEnd } from './await-operation.ts';
import type { Patience } from './patience.ts';
import type { TaskRecords } from './task-records.ts';

/** Beyond what it may take: for its image to be pulled, its droplet to be copied, and its last words. */
const MARGIN_MS = 10 * 60_000;

export interface TaskRunning {
  readonly clock: Clock;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly records: TaskRecords;
  readonly provider: PlatformProvider;
  readonly context: ProviderContext;
  readonly patience: Patience;
  /** Throws when nothing may be written any more. */
  readonly checkWrite: () => Promise<void>;
  readonly onProgress: (message: string) => void;
  readonly deployment?: DeploymentId;
  /** It is begun, and its handle kept. */
  readonly onBegun?: () => void;
}

/** The platform refused it, and it has certainly not begun. */
export class NotBegun extends Error {
  readonly reason: SluiceError;
  constructor(reason: SluiceError) {
    super(reason.message);
    this.reason = reason;
  }
}

/**
 * One run to its end. What is meant is written down before the platform is told, and the handle before it is polled:
 * so whoever goes on after us asks for the same run, and the platform finds it instead of beginning another.
 */
export async function runTask(
  running: TaskRunning,
  record: TaskRecord,
  spec: TaskSpec,
  /** What to begin it with; left out: it was begun, and has a handle. */
  given: { readonly want: TargetSpec; readonly artifact: StagedArtifact } | undefined,
): Promise<TaskRecord> {
  let now = record;
  async function keep(change: Partial<TaskRecord>): Promise<void> {
    now = { ...now, ...change };
    await running.records.put(now);
  }
  if (now.handle === undefined) {
    await keep({});
    const handle = await begin(running, record, spec, given);
    await keep({ handle });
    running.onBegun?.();
  } else tell(running, now, true);
  try {
    await follow(running, now.handle!, spec, (handle) => keep({ handle }));
  } catch (caught) {
    const error = SluiceError.from(caught);
    const state = stateAfter(error);
    if (state === undefined) throw error;
    const reason = state === 'unknown' ? unknownEnd(now, error) : error;
    await keep({ state, endedAt: running.clock.now(), error: toWire(reason) });
    await finish(running, now);
    throw reason;
  }
  await keep({ state: 'succeeded', endedAt: running.clock.now() });
  await finish(running, now);
  return now;
}

function powerOf({ provider }: TaskRunning): TaskPower {
  const { tasks } = provider;
  if (tasks !== undefined) return tasks;
  throw platformError('unsupported', provider.platform, `${provider.platform} runs no tasks`, {
    why: `its provider, ${provider.kind}, cannot run a command once`,
    remedy: 'name another platform with `on`',
  });
}

async function begin(
  running: TaskRunning,
  record: TaskRecord,
  spec: TaskSpec,
  given: { readonly want: TargetSpec; readonly artifact: StagedArtifact } | undefined,
): Promise<OperationHandle> {
  if (given === undefined) throw new SluiceError('BUG', `there is nothing to begin ${spec.name} with`);
  try {
    const { handle } = await running.patience.call(async () => {
      await running.checkWrite();
      return powerOf(running).start(running.context, given.want, given.artifact, spec);
    });
    tell(running, record, false);
    return handle;
  } catch (caught) {
    // The provider looked for the run before it was refused: there is none.
    if (!isFinal(caught)) throw caught;
    await running.records.forget(record);
    throw new NotBegun(caught);
  }
}

async function follow(
  { clock, provider, context, patience, onProgress }: TaskRunning,
  handle: OperationHandle,
  { timeoutMs }: TaskSpec,
  store: (handle: OperationHandle) => Promise<void>,
): Promise<void> {
  let last = '';
  await pollToEnd(handle, {
    ...{ clock, provider, context, patience, store },
    deadlineMs: timeoutMs + MARGIN_MS,
    onProgress({ message }) {
      if (message !== last) onProgress(message);
      last = message;
    },
  });
}

/** Undefined: it may still be at work, and is asked for again by whoever goes on. */
function stateAfter(error: SluiceError): 'failed' | 'unknown' | undefined {
  if (error instanceof OperationLost) return 'unknown';
  return hasClass(error, 'taskFailed', 'buildFailed') ? 'failed' : undefined;
}

function unknownEnd({ task, platform, trigger }: TaskRecord, { details }: SluiceError): SluiceError {
  return platformError('taskFailed', platform, `nobody can say how task ${task} ended`, {
    why: `${platform} no longer knows of it: ${details.why}`,
    remedy: `look at what it was to change; ${trigger === 'release' ? 'the next deployment runs it again' : 'nothing runs it again by itself'}`,
  });
}

function tell({ events, deployment }: TaskRunning, record: TaskRecord, again: boolean): void {
  const { application, platform, task, run, release, trigger } = record;
  events.append({
    ...{ type: 'task.started', application, platform, task, run, release, trigger },
    ...(deployment === undefined ? {} : { deployment }),
    ...(again ? { again: true } : {}),
  });
}

async function finish(running: TaskRunning, record: TaskRecord): Promise<void> {
  const { application, platform, task, run, state, startedAt, endedAt = startedAt, error } = record;
  const { deployment, events } = running;
  if (state === 'begun') return;
  events.append({
    ...{ type: 'task.finished', application, platform, task, run, outcome: state },
    tookMs: endedAt - startedAt,
    ...(deployment === undefined ? {} : { deployment }),
    ...(error === undefined ? {} : { error }),
  });
  await clearUp(running, record);
}

/** Its end is on record: what is left of it there is untidy at most, and goes with its release at the latest. */
export async function clearUp(
  { provider, context, records, logger }: Pick<TaskRunning, 'provider' | 'context' | 'records' | 'logger'>,
  { handle, ...record }: TaskRecord,
): Promise<void> {
  if (handle === undefined) return;
  try {
    await provider.tasks?.forget(context, handle);
    await records.put(record);
  } catch (error) {
    const { platform, run } = record;
    logger.warn({ platform, run, error: String(error) }, 'what is left of a task could not be removed');
  }
}
