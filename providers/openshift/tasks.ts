import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
} from '../../src/core/provider.ts';
import type { TaskSpec } from '../../src/core/task-power.ts';
import * as manifests from './manifests.ts';
import type { PlacedSpec } from './mounts.ts';
import * as names from './names.ts';
import { refusalIn } from './refusals.ts';
import { pullSecret } from './registry.ts';
import { JOB, POD, SECRET } from './resources.ts';
import { applyOwned, foreignError, type Site } from './site.ts';
import { failed, handleOf } from './status.ts';
import { warningsOf } from './warnings.ts';
import type { Job, Pod } from './wire.ts';

const TAIL_LINES = 30;

/** A Job of its own for each run, named by it: whoever asks for the run again finds the Job. */
export async function startTask(
  site: Site,
  context: ProviderContext,
  want: PlacedSpec,
  artifact: StagedArtifact,
  task: TaskSpec,
): Promise<Operation> {
  const { application } = want;
  const { signal } = context;
  names.checkName(site.platform, application);
  const name = names.jobName(application, task);
  const handle = handleOf(site, context, application, 'task', { job: name, task: task.name });
  const there = await site.client.get(JOB, name, signal);
  if (there !== undefined) {
    if (!names.isOurs(there.metadata, application)) throw foreignError(site, [`Job ${name}`]);
    return { handle };
  }
  // Of a release that does not serve yet there is none.
  await applyOwned(site, SECRET, manifests.secret(want), application, signal);
  const pull = pullSecret(want);
  if (pull) await applyOwned(site, SECRET, pull, application, signal);
  await site.client.apply(JOB, manifests.job(want, task, artifact.native['image'] ?? ''), false, signal);
  return { handle };
}

export async function pollTask(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { job: name = '', task = '' } = handle.native;
  const { signal } = context;
  const job = await site.client.get(JOB, name, signal);
  if (job === undefined) return { state: 'lost', message: `Job ${name} is gone` };
  const [pod] = await podsOf(site, name, signal);
  // The handle remembers how much of the log was shown, so that another process goes on from there.
  const lines = pod === undefined ? [] : await linesOf(site, pod, signal);
  const shown = Number(handle.native['lines'] ?? 0);
  const instance = pod === undefined ? {} : { instance: pod.metadata.name };
  for (const text of lines.slice(shown)) context.log({ at: context.now(), source: 'app', text, ...instance });
  const told = { ...handle.native, lines: String(Math.max(shown, lines.length)) };
  const more = lines.length > shown ? { handle: { ...handle, native: told } } : {};
  if (isTrue(job, 'Complete')) return { state: 'succeeded', message: `${task} ended well` };
  const refusal = job.status.conditions.find(({ type, status }) => type === 'Failed' && status === 'True');
  if (refusal !== undefined) {
    const refused = pod === undefined ? await whyNoPod(site, name, signal) : undefined;
    return taskFailed(site, task, refusal, { pod, lines, refused });
  }
  const state = pod === undefined ? await waitingForPod(site, name, signal) : stateOf(pod);
  return { state: 'running', message: `${task} ${state}`, retryAfterMs: 500, ...more };
}

/**
 * That a quota or a constraint refuses its pod is told by events only, and the platform goes on trying. It is not taken
 * back here: a pod that comes after all may have begun a migration by then.
 */
async function waitingForPod(site: Site, job: string, signal: AbortSignal): Promise<string> {
  const refused = await whyNoPod(site, job, signal);
  return refused === undefined ? 'waits for its pod' : `waits for its pod: ${refused.why}`;
}

async function whyNoPod(
  site: Site,
  job: string,
  signal: AbortSignal,
): Promise<{ readonly why: string; readonly remedy?: string } | undefined> {
  const last = (await warningsOf(site, job, signal)).findLast((text) => text.startsWith('FailedCreate'));
  return last === undefined ? undefined : (refusalIn(last) ?? { why: last });
}

function isTrue(job: Job, condition: string): boolean {
  return job.status.conditions.some(({ type, status }) => type === condition && status === 'True');
}

interface Ended {
  readonly pod: Pod | undefined;
  readonly lines: readonly string[];
  readonly refused: { readonly why: string; readonly remedy?: string } | undefined;
}

function taskFailed(
  site: Site,
  task: string,
  { reason = '', message = '' }: Job['status']['conditions'][number],
  { pod, lines, refused }: Ended,
): OperationStatus {
  const late = reason === 'DeadlineExceeded';
  const code = pod?.status.containerStatuses[0]?.state.terminated?.exitCode;
  const why = code === undefined ? `${message} (${reason})` : `it exited with status ${code}`;
  return failed('taskFailed', site, late ? `task ${task} took longer than it may` : `task ${task} failed`, {
    why: [late ? `${message} (${reason})` : why, refused?.why].filter(Boolean).join('; '),
    remedy:
      refused?.remedy ??
      (late ? 'give it more with `timeout`, or see what keeps it' : 'see its last words below'),
    logTail: lines.slice(-TAIL_LINES),
  });
}

/** An image that cannot be pulled keeps a pod waiting until the deadline. */
function stateOf(pod: Pod): string {
  const waiting = pod.status.containerStatuses[0]?.state.waiting;
  if (waiting?.reason !== undefined && waiting.reason !== 'ContainerCreating')
    return `waits: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}`;
  return pod.status.phase === 'Running' ? 'runs' : `is ${pod.status.phase.toLowerCase()}`;
}

async function podsOf(site: Site, job: string, signal: AbortSignal): Promise<readonly Pod[]> {
  return site.client.list(POD, names.selector({ [names.JOB_NAME]: job }), signal);
}

async function linesOf(site: Site, pod: Pod, signal: AbortSignal): Promise<readonly string[]> {
  const text = (await site.client.log(POD, pod.metadata.name, {}, signal)) ?? '';
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** With its pod, which is given its time to stop. */
export async function cancelTask(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<void> {
  const { job: name = '' } = handle.native;
  const job = await site.client.get(JOB, name, context.signal);
  if (job === undefined || isTrue(job, 'Complete') || isTrue(job, 'Failed')) return;
  await site.client.remove(JOB, name, context.signal);
}

/** One that failed stays for a person to look at, until the platform removes it by its age. */
export async function forgetTask(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<void> {
  const { job: name = '' } = handle.native;
  const job = await site.client.get(JOB, name, context.signal);
  if (job !== undefined && isTrue(job, 'Complete')) await site.client.remove(JOB, name, context.signal);
}
