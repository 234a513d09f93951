import { platformError, toWire } from '../../src/core/errors.ts';
import type { OperationHandle, OperationStatus, ProviderContext } from '../../src/core/provider.ts';
import type { HostClient } from './client.ts';
import type { HostTask } from './wire.ts';

const TAIL_LINES = 30;

/** The host counts its time and ends it; here it is only asked. */
export async function pollTask(
  host: HostClient,
  platform: string,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { run = '', task = '' } = handle.native;
  const from = Number(handle.native['output'] ?? 0);
  const seen = await host.task(handle.application, run, from, context.signal);
  if (seen === undefined) return { state: 'lost', message: `run ${run} is not on the host` };
  for (const text of seen.lines) context.log({ at: context.now(), source: 'app', text });
  if (seen.state === 'running' || seen.exit === null) {
    const next = { ...handle, native: { ...handle.native, output: String(seen.next) } };
    const more = seen.next > from ? { handle: next } : {};
    return { state: 'running', message: `${task} runs`, retryAfterMs: 200, ...more };
  }
  if (seen.exit.code === 0) return { state: 'succeeded', message: `${task} ended well` };
  const all = await host.task(handle.application, run, Math.max(0, seen.next - 16_384), context.signal);
  return { state: 'failed', error: toWire(taskFailed(platform, task, seen.exit, seen.stopped, all)) };
}

function taskFailed(
  platform: string,
  task: string,
  { reason }: NonNullable<HostTask['exit']>,
  stopped: string | null,
  all: HostTask | undefined,
) {
  return platformError('taskFailed', platform, `task ${task} failed`, {
    why: stopped === null ? reason : `${stopped}, and was ended`,
    remedy: 'see its last words below',
    logTail: (all?.lines ?? []).slice(-TAIL_LINES),
  });
}
