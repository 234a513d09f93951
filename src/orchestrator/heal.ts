import type { DriftSettings } from '../core/drift.ts';
import { platformError, SluiceError } from '../core/errors.ts';
import type { Clock, StateStore } from '../core/ports.ts';
import type { Operation, PlatformProvider, StagedArtifact, TargetSpec } from '../core/provider.ts';
import { releaseLabel } from '../core/release.ts';
import { awaitOperation } from './await-operation.ts';
import type { BundleStore } from './bundle-store.ts';
import { type Drift, driftOf, leavingTheirs } from './drift-fields.ts';
import { holderOf, type LeaseIdentity, leaseApplication } from './lease.ts';
import { changesTo } from './plan.ts';
import { quietContext } from './scope.ts';

const DEADLINE_MS = 15 * 60_000;

export interface Healing {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly bundles: Pick<BundleStore, 'find'>;
  readonly identity: LeaseIdentity;
  readonly provider: PlatformProvider;
  readonly settings: DriftSettings | undefined;
  readonly signal: AbortSignal;
  /** As deployed; asked again under the lease. Undefined: there is nothing to put back any more. */
  readonly wanted: () => Promise<TargetSpec | undefined>;
  /** Before the first write: it counts from here on. */
  readonly begin: (drift: Drift) => Promise<void>;
}

/**
 * Puts one platform back to the release and configuration that were deployed there. Everything is read anew under the
 * lease, so that nothing is written for what somebody has mended or replaced meanwhile. True when something was done.
 */
export async function heal(healing: Healing): Promise<boolean> {
  const { store, clock, identity, provider, settings } = healing;
  const known = await healing.wanted();
  if (known === undefined) return false;
  const { application, platform, release } = known;
  const reason = `putting ${releaseLabel(release)} back on ${platform}`;
  const lease = await leaseApplication(store, clock, application, holderOf(identity, reason, clock.now()));
  try {
    const context = { ...quietContext(() => clock.now()), signal: healing.signal };
    const want = await healing.wanted();
    if (want === undefined || want.release.id !== release.id) return false;
    const drift = await compare(healing, want);
    if (drift.foreign.length > 0) throw inTheWay(platform, drift.foreign);
    if (drift.fields.length === 0) return false;
    const bundle = want.image === undefined ? await healing.bundles.find(release.sourceDigest) : undefined;
    if (want.image === undefined && bundle === undefined) throw sourceGone(platform, want);
    await healing.begin(drift);
    const target = leavingTheirs(want, await provider.observe(context, application), settings);
    checkLease(lease.valid, want);
    const artifact = await followed(healing, await provider.stage(context, target, bundle));
    if (provider.services !== undefined && target.services !== undefined) {
      checkLease(lease.valid, want);
      await followed(healing, await provider.services.ensure(context, target));
    }
    checkLease(lease.valid, want);
    await followed(healing, await provider.apply(context, target, artifact ?? { native: {} }));
    if (provider.processes !== undefined && target.processes !== undefined) {
      checkLease(lease.valid, want);
      await followed(healing, await provider.processes.apply(context, target, artifact ?? { native: {} }));
    }
    const left = await compare(healing, want);
    if (left.fields.length > 0) throw notTaken(platform, want, left);
    return true;
  } finally {
    await lease.release();
  }
}

async function compare({ provider, clock, signal, settings }: Healing, want: TargetSpec): Promise<Drift> {
  const context = { ...quietContext(() => clock.now()), signal };
  const seen = await provider.observe(context, want.application);
  return driftOf(await changesTo(provider, context, want, seen), seen, settings);
}

function followed(
  { provider, clock, signal }: Healing,
  operation: Operation,
): Promise<StagedArtifact | undefined> {
  return awaitOperation(operation, {
    clock,
    provider,
    context: { ...quietContext(() => clock.now()), signal },
    deadlineMs: DEADLINE_MS,
    // Nothing to keep: whoever looks next finds how far it came, and both steps find their own stamps again.
    store: async () => undefined,
    onProgress: () => undefined,
  });
}

function checkLease(valid: () => boolean, { application, platform }: TargetSpec): void {
  if (valid()) return;
  throw new SluiceError('LOCK_HELD', `the lease on ${application} was lost`, { where: platform });
}

function inTheWay(platform: string, foreign: readonly string[]): SluiceError {
  return platformError('conflict', platform, `${foreign.join(', ')} is not ours and stands in the way`, {
    why: 'it carries our name and not our stamp',
    remedy: 'rename or remove it yourself; Sluice never touches it',
  });
}

function sourceGone(platform: string, { release }: TargetSpec): SluiceError {
  return platformError('notFound', platform, `the files of ${releaseLabel(release)} are not kept any more`, {
    why: `no bundle ${release.sourceDigest.slice(0, 19)} in the state folder`,
    remedy: 'deploy again',
  });
}

function notTaken(platform: string, { release }: TargetSpec, { fields }: Drift): SluiceError {
  const what = fields.map(({ field }) => field).join(', ');
  return platformError(
    'conflict',
    platform,
    `${releaseLabel(release)} was put back and ${what} still differs`,
    {
      why: 'somebody or something changed it again in this moment, or the platform does not take it',
      remedy: `name it in \`drift.ignore\` if somebody else keeps it, or find out who changes it on ${platform}`,
    },
  );
}
