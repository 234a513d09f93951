import { fromWire, platformError, SluiceError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  PlatformProvider,
  ProviderContext,
  StagedArtifact,
} from '../core/provider.ts';
import { RETRYABLE } from '../core/provider.ts';

const POLL_MS = 400;
/** An API that is away for this long in the middle of an operation is reported; the operation can be resumed. */
const UNREACHABLE_MS = 120_000;

export interface AwaitOptions {
  readonly clock: Clock;
  readonly provider: PlatformProvider;
  readonly context: ProviderContext;
  readonly deadlineMs: number;
  /** Stores the handle; awaited before the next poll, so that another process can always go on. */
  readonly store: (handle: OperationHandle) => Promise<void>;
  readonly onProgress: (status: OperationStatus & { state: 'running' }) => void;
}

/** Polls an operation to its end. Throws the platform's error when it failed, `timeout` at the deadline. */
export async function awaitOperation(
  operation: Operation,
  options: AwaitOptions,
): Promise<StagedArtifact | undefined> {
  if (operation.done) return operation.done.artifact;
  await options.store(operation.handle);
  return pollToEnd(operation.handle, options);
}

export async function pollToEnd(
  begun: OperationHandle,
  options: AwaitOptions,
): Promise<StagedArtifact | undefined> {
  const { clock, provider, context } = options;
  const deadline = clock.now() + options.deadlineMs;
  let handle = begun;
  let unreachableSince: number | undefined;
  for (;;) {
    const status = await poll(provider, context, handle);
    if (status instanceof SluiceError) {
      unreachableSince ??= clock.now();
      if (clock.now() - unreachableSince > UNREACHABLE_MS) throw status;
    } else {
      unreachableSince = undefined;
      if (status.state === 'succeeded') return status.artifact;
      if (status.state === 'failed') throw fromWire(status.error);
      if (status.state === 'lost') throw lost(provider, handle, status.message);
      options.onProgress(status);
      if (status.handle) {
        handle = status.handle;
        await options.store(handle);
      }
    }
    if (clock.now() > deadline) throw late(provider, handle, options.deadlineMs);
    const wish = status instanceof SluiceError ? status.details.retryAfterMs : retryAfter(status);
    await clock.sleep(Math.min(wish ?? POLL_MS, 10_000), context.signal);
  }
}

/** An API that does not answer right now says nothing of the operation: ask again. */
async function poll(
  provider: PlatformProvider,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus | SluiceError> {
  try {
    return await provider.poll(context, handle);
  } catch (error) {
    if (error instanceof SluiceError && error.class && RETRYABLE.has(error.class)) return error;
    throw error;
  }
}

function retryAfter(status: OperationStatus): number | undefined {
  return status.state === 'running' ? status.retryAfterMs : undefined;
}

function lost(provider: PlatformProvider, handle: OperationHandle, message: string): SluiceError {
  return platformError(
    'notFound',
    provider.platform,
    `${provider.platform} no longer knows the ${handle.kind} it began`,
    {
      why: message,
      remedy: 'deploy again: what is there already is found and used',
    },
  );
}

function late(provider: PlatformProvider, handle: OperationHandle, ms: number): SluiceError {
  return platformError(
    'timeout',
    provider.platform,
    `${handle.kind} on ${provider.platform} did not end in ${Math.round(ms / 1000)} s`,
    {
      remedy: 'look at the platform; `sluice deployments resume` goes on where this stopped',
    },
  );
}
