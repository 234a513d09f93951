import { platformError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, StateStore } from '../core/ports.ts';
import type { Observation, Operation, PlatformProvider } from '../core/provider.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { awaitOperation } from './await-operation.ts';
import type { IntentRecords } from './intent-records.ts';
import { holderOf, type LeaseIdentity, leaseApplication } from './lease.ts';
import { quietContext } from './scope.ts';

/** On top of what an instance is given to become ready: a node may have to be found, an image pulled. */
const GRACE_MS = 120_000;

export interface ResizeDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly records: IntentRecords;
  readonly identity: LeaseIdentity;
  /** Tells whoever decides how long it took; nobody does where nobody decides. */
  readonly capacityTook?:
    | ((application: ApplicationName, platform: PlatformName, ms: number) => void)
    | undefined;
}

export interface Resize {
  readonly application: ApplicationSettings;
  readonly provider: PlatformProvider;
  readonly to: number;
  readonly reason: string;
  /** Under the lease, before the platform is told; what it returns takes that back when the platform refuses. */
  readonly keep: () => Promise<() => Promise<unknown>>;
}

/**
 * Tells one platform to run so many instances, under the application's lease for the order alone, and measures how long it
 * takes until all of them run. Nothing is ordered where so many are wanted already.
 */
export async function resize(
  deps: ResizeDeps,
  { application, provider, to, reason, keep }: Resize,
): Promise<{ readonly from: number; readonly done: Promise<number> }> {
  const { clock, events } = deps;
  const { platform } = provider;
  const { name } = application;
  const context = quietContext(() => clock.now());
  const holder = holderOf(deps.identity, `scaling ${platform} to ${to} instances`, clock.now());
  const lease = await leaseApplication(deps.store, clock, name, holder);
  try {
    const seen = await provider.observe(context, name);
    checkRoom(platform, name, seen, to);
    const from = seen.desired;
    const undo = await keep();
    if (from === to) return { from, done: Promise.resolve(0) };
    const orderedAt = clock.now();
    const operation = await provider.scale(context, name, to).catch(async (error: unknown) => {
      await undo();
      throw error;
    });
    events.append({ type: 'scale.ordered', application: name, platform, from, to, reason });
    const done = there(deps, { application, provider, to, operation, orderedAt, grows: to > from });
    // Heard by whoever waits for it; until then nobody must call it unhandled.
    done.catch(() => undefined);
    return { from, done };
  } finally {
    await lease.release();
  }
}

async function there(
  deps: ResizeDeps,
  of: Pick<Resize, 'application' | 'provider' | 'to'> & {
    readonly operation: Operation;
    readonly orderedAt: number;
    readonly grows: boolean;
  },
): Promise<number> {
  const { clock } = deps;
  const { application, provider } = of;
  await awaitOperation(of.operation, {
    ...{ clock, provider, context: quietContext(() => clock.now()) },
    deadlineMs: application.startTimeoutMs + GRACE_MS,
    // Nothing to keep: what is wanted is kept, and who looks again finds how far it is.
    store: async () => undefined,
    onProgress: () => undefined,
  });
  const tookMs = clock.now() - of.orderedAt;
  if (of.grows) await measured(deps, application.name, provider.platform, of.to, tookMs);
  return tookMs;
}

function checkRoom(platform: PlatformName, name: ApplicationName, seen: Observation, to: number): void {
  const { desired, quotaHeadroom } = seen;
  if (!seen.exists) {
    throw platformError('notFound', platform, `${name} does not run there`, { remedy: 'deploy it first' });
  }
  if (quotaHeadroom === undefined || to <= desired + Math.max(0, quotaHeadroom)) return;
  throw platformError('quota', platform, `${platform} has no room for ${to} instances of ${name}`, {
    why: `its quota ends at ${desired + Math.max(0, quotaHeadroom)}`,
    remedy: 'raise the quota there, or ask for fewer',
  });
}

async function measured(
  { events, records, clock, capacityTook }: ResizeDeps,
  application: ApplicationName,
  platform: PlatformName,
  to: number,
  tookMs: number,
): Promise<void> {
  events.append({ type: 'scale.finished', application, platform, to, tookMs });
  capacityTook?.(application, platform, tookMs);
  const time = { ms: tookMs, instances: to, at: clock.now() };
  await records.update(application, (record) => ({
    ...record,
    timesToCapacity: { ...record.timesToCapacity, [platform]: time },
  }));
}
