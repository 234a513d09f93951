import { platformError } from '../../src/core/errors.ts';
import type { ApplicationName, ReleaseId } from '../../src/core/ids.ts';
import {
  isFinal,
  type ObservedOrigin,
  type ObservedTrial,
  type Operation,
  type OperationHandle,
  type OperationStatus,
  type ProviderContext,
  type StagedArtifact,
  type TargetSpec,
} from '../../src/core/provider.ts';
import { apply, pollApply } from './apply.ts';
import { exclusiveMount, type PlacedSpec } from './mounts.ts';
import {
  checkName,
  instanceLabels,
  isOurs,
  RELEASE,
  selector,
  TRIAL_OF,
  trialLabels,
  trialName,
} from './names.ts';
import { destroy, pollDestroy } from './remove.ts';
import { DEPLOYMENT, POD } from './resources.ts';
import { pollScale, scale } from './scale.ts';
import type { Site } from './site.ts';
import { instanceOf, originsOf } from './translate.ts';
import type { Deployment } from './wire.ts';

/**
 * A release beside the one that serves is an application of its own to the platform: another name, and so other labels,
 * another Service and another Route. Neither's selector matches the other's instances. One label more tells whose it is.
 */
export async function startTrial(
  site: Site,
  context: ProviderContext,
  want: PlacedSpec,
  artifact: StagedArtifact,
): Promise<Operation> {
  const { application, release, process } = want;
  checkName(site.platform, application);
  refuseExclusive(site, want);
  const name = trialName(application, release.id);
  const there = await site.client.get(DEPLOYMENT, name, context.signal);
  if (there && isRunning(there, application, name)) {
    return outward(await scale(site, context, name, process.instances), want, 'scale');
  }
  // Public hosts lead to what serves and nowhere else.
  const wanted = { ...want, application: name, hosts: [] };
  return orRemove(site, context, name, async () =>
    outward(await apply(site, context, wanted, artifact, trialLabels(application)), want, 'apply'),
  );
}

function refuseExclusive({ platform }: Site, want: PlacedSpec): void {
  const mount = exclusiveMount(want);
  if (mount === undefined) return;
  throw platformError('invalid', platform, 'no release can be tried beside the one that serves', {
    why: `PersistentVolumeClaim ${mount.claim} is ReadWriteOnce: the trial would wait for a volume that does not get free`,
    remedy: 'use `accessMode: ReadWriteMany` where the storage can, or `deploy.strategy: rolling`',
  });
}

/** One that an earlier try left at 0 instances failed, and is begun anew. */
function isRunning({ metadata, spec }: Deployment, application: ApplicationName, name: string): boolean {
  return isOurs(metadata, name) && metadata.labels[TRIAL_OF] === application && spec.replicas > 0;
}

export async function pollTrial(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { native } = handle;
  const inner = { ...handle, application: trialName(handle.application, native['trial'] ?? '') };
  if (native['mode'] === 'scale') return pollScale(site, context, inner);
  const status = await orRemove(site, context, inner.application, () => pollApply(site, context, inner));
  if (status.state !== 'failed') return status;
  // It never came up, and is nobody's: unlike the application itself it leaves nothing behind.
  await destroy(site, context, inner.application);
  const message = `the trial of release ${native['label']} did not start and was removed`;
  return { state: 'failed', error: { ...status.error, message } };
}

export async function endTrial(
  site: Site,
  context: ProviderContext,
  application: ApplicationName,
  release: ReleaseId,
): Promise<Operation> {
  const { handle } = await destroy(site, context, trialName(application, release));
  return { handle: { ...handle, application, kind: 'endTrial', native: { trial: release } } };
}

export function pollEndTrial(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const application = trialName(handle.application, handle.native['trial'] ?? '');
  return pollDestroy(site, context, { ...handle, application });
}

/** What is begun under the trial's name is told under the application's. */
function outward({ handle }: Operation, { application, release }: TargetSpec, mode: string): Operation {
  const native = { ...handle.native, mode, trial: release.id, label: `r${release.number}` };
  return { handle: { ...handle, application, kind: 'trial', native } };
}

/** What the platform refuses for good, e.g. for the quota or the host, leaves nothing behind either. */
async function orRemove<T>(
  site: Site,
  context: ProviderContext,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFinal(error)) await destroy(site, context, name).catch(() => undefined);
    throw error;
  }
}

export interface SeenTrial {
  readonly seen: ObservedTrial;
  readonly origins: readonly ObservedOrigin[];
}

/** Of several the newest: the others are left over, and go with their application. */
export async function observeTrial(
  site: Site,
  application: ApplicationName,
  signal: AbortSignal,
): Promise<SeenTrial | undefined> {
  const all = await site.client.list(DEPLOYMENT, selector(trialLabels(application)), signal);
  const newest = [...all].sort((a, b) => created(a).localeCompare(created(b))).at(-1);
  const release = newest?.metadata.labels[RELEASE];
  if (newest === undefined || release === undefined) return undefined;
  const { name } = newest.metadata;
  const [route, pods, usages] = await Promise.all([
    site.client.get(site.routing, name, signal),
    site.client.list(POD, selector(instanceLabels(name)), signal),
    site.usageOf(signal),
  ]);
  const own = route && isOurs(route.metadata, name) ? route : undefined;
  return {
    seen: { release, instances: pods.map((pod) => instanceOf(pod, usages)), desired: newest.spec.replicas },
    origins: originsOf(own, site.options).map((origin) => ({ ...origin, release, trial: true as const })),
  };
}

function created({ metadata }: Deployment): string {
  return metadata.creationTimestamp ?? '';
}
