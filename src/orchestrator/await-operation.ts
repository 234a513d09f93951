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
import { hearNews, type News } from './news.ts';
import { createPatience, type Patience } from './patience.ts';

const POLL_MS = 400;
const LONGEST_PAUSE_MS = 10_000;

export interface AwaitOptions {
  readonly clock: Clock;
  readonly provider: PlatformProvider;
  readonly context: ProviderContext;
  readonly deadlineMs: number;
  /** Stores the handle; awaited before the next poll, so that another process can always go on. */
  readonly store: (handle: OperationHandle) => Promise<void>;
  readonly onProgress: (status: OperationStatus & { state: 'running' }) => void;
  /** That of the deployment it belongs to; left out: one of its own. */
  readonly patience?: Patience;
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
  const news = hearNews(options.clock, options.provider, begun.application);
  try {
    return await pollOn(begun, options, news);
  } finally {
    news.close();
  }
}

async function pollOn(
  begun: OperationHandle,
  options: AwaitOptions,
  news: News,
): Promise<StagedArtifact | undefined> {
  const { clock, provider, context } = options;
  const deadline = clock.now() + options.deadlineMs;
  const { signal } = context;
  const patience = options.patience ?? createPatience({ clock, signal, onAway: () => undefined });
  let handle = begun;
  for (;;) {
    news.forget();
    // An API that does not answer right now says nothing of the operation.
    const status = await patience.call(() => provider.poll(context, handle));
    if (status.state === 'succeeded') return status.artifact;
    if (status.state === 'failed') throw fromWire(status.error);
    if (status.state === 'lost') throw new OperationLost(provider, handle, status.message);
    options.onProgress(status);
    if (status.handle) {
      handle = status.handle;
      await options.store(handle);
    }
    if (clock.now() > deadline) throw late(provider, handle, options.deadlineMs);
    await news.wait(Math.min(status.retryAfterMs ?? POLL_MS, LONGEST_PAUSE_MS), signal);
  }
}

/** The platform no longer knows the operation; what became of it is to be seen there. */
export class OperationLost extends SluiceError {
  constructor({ platform }: PlatformProvider, handle: OperationHandle, why: string) {
    super(
      'PLATFORM_NOT_FOUND',
      `${platform} no longer knows the ${handle.kind} it began`,
      { where: platform, why, remedy: 'deploy again: what is there already is found and used' },
      'notFound',
    );
  }
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
