import { hasClass, platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
} from '../../src/core/provider.ts';
import { taskAtWork } from '../../src/core/task-power.ts';
import { imageTag } from './manifests.ts';
import {
  APPLICATION,
  buildConfigName,
  GROUP,
  instanceLabels,
  isOurs,
  ownerLabels,
  RELEASE,
  RUN,
  selector,
  trialLabels,
  trialName,
} from './names.ts';
import {
  BUILD_CONFIG,
  BUILD_RUN,
  DEPLOYMENT,
  IMAGE_STREAM,
  IMAGE_STREAM_TAG,
  INGRESS,
  JOB,
  POD,
  REPLICA_SET,
  type Resource,
  ROUTE,
  SECRET,
  SERVICE,
} from './resources.ts';
import type { Site } from './site.ts';
import { handleOf } from './status.ts';
import { secretOf } from './translate.ts';
import type { Thing } from './wire.ts';

/** Removes what only this release needed: its builds, image, environment and emptied ReplicaSets. */
export async function retire(
  site: Site,
  context: ProviderContext,
  application: string,
  release: string,
): Promise<Operation> {
  const { signal } = context;
  const { client } = site;
  const deployment = await client.get(DEPLOYMENT, application, signal);
  const current = deployment && isOurs(deployment.metadata, application) ? deployment : undefined;
  if (current && current.spec.replicas > 0 && current.spec.template.metadata.labels[RELEASE] === release) {
    throw platformError('conflict', site.platform, `release ${release} serves and cannot be retired`, {
      why: `Deployment ${application} runs ${current.spec.replicas} instances of it`,
      remedy: 'deploy another release first, or destroy the application',
    });
  }
  const trial = await client.get(DEPLOYMENT, trialName(application, release), signal);
  if (trial && isOurs(trial.metadata, trialName(application, release))) {
    throw platformError(
      'conflict',
      site.platform,
      `release ${release} is being tried and cannot be retired`,
      {
        why: `Deployment ${trial.metadata.name} runs ${trial.spec.replicas} instances of it`,
        remedy: 'end the trial first',
      },
    );
  }
  const labels = selector({ ...ownerLabels(application), [RELEASE]: release });
  for (const { metadata, status } of await listOrNone(site, JOB, labels, signal)) {
    const hasEnded = status.conditions.some(
      ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
    );
    if (!hasEnded) throw taskAtWork(site.platform, release, metadata.labels[RUN] ?? metadata.name);
  }
  await removeAll(site, BUILD_CONFIG, labels, signal);
  await removeAll(site, JOB, labels, signal);
  // A present template may still name this Secret: then pods could not start without it.
  const used = secretOf(current?.spec.template);
  for (const secret of await client.list(SECRET, labels, signal)) {
    if (secret.metadata.name !== used) await client.remove(SECRET, secret.metadata.name, signal);
  }
  const emptied = selector({ ...instanceLabels(application), [RELEASE]: release });
  for (const set of await client.list(REPLICA_SET, emptied, signal)) {
    const isCurrent = current?.spec.template.metadata.labels[RELEASE] === release;
    if (!isCurrent && set.spec.replicas === 0) await client.remove(REPLICA_SET, set.metadata.name, signal);
  }
  const stream = await orNone(client.get(IMAGE_STREAM, application, signal));
  if (stream && isOurs(stream.metadata, application)) {
    await orNone(client.remove(IMAGE_STREAM_TAG, imageTag(application, release), signal));
  }
  return { handle: handleOf(site, context, application, 'retire', { release }) };
}

/** Builds go after their BuildConfig, in the background. */
export async function pollRetire(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const label = `openshift.io/build-config.name=${buildConfigName(handle.application, handle.native['release'] ?? '')}`;
  const builds = await listOrNone(site, BUILD_RUN, label, context.signal);
  if (builds.length === 0) return { state: 'succeeded' };
  return { state: 'running', message: `${builds.length} builds are being removed`, retryAfterMs: 500 };
}

/** What we made, in the order in which it goes: no more requests, then no more instances, then the rest. */
const MADE: readonly Resource<Thing>[] = [
  ROUTE,
  INGRESS,
  DEPLOYMENT,
  JOB,
  SERVICE,
  SECRET,
  BUILD_CONFIG,
  IMAGE_STREAM,
];

export async function destroy(site: Site, context: ProviderContext, application: string): Promise<Operation> {
  await removeMade(site, application, context.signal);
  return { handle: handleOf(site, context, application, 'destroy', {}) };
}

export async function pollDestroy(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { signal } = context;
  const { application } = handle;
  const run = selector(instanceLabels(application));
  // Whatever came back in between (a deployment that was still under way elsewhere) goes too.
  let left = await removeMade(site, application, signal);
  left += (await site.client.list(REPLICA_SET, run, signal)).length;
  left += (await site.client.list(POD, run, signal)).length;
  // Those of processes beside web, whose labels name another process.
  const groups = `${selector({ [APPLICATION]: application })},${GROUP}`;
  left += (await site.client.list(POD, groups, signal)).length;
  const tasks = `${selector(ownerLabels(application))},${RUN}`;
  left += (await site.client.list(POD, tasks, signal)).length;
  if (left === 0) return { state: 'succeeded' };
  return { state: 'running', message: `${left} things are still being removed`, retryAfterMs: 500 };
}

/** All that is the application's, and its trials'; how many things there still are. */
async function removeMade(site: Site, application: string, signal: AbortSignal): Promise<number> {
  let left = 0;
  for (const labels of [ownerLabels(application), trialLabels(application)]) {
    for (const resource of MADE) left += await removeAll(site, resource, selector(labels), signal);
  }
  return left;
}

/** How many there still are; those that are going already are only counted. */
async function removeAll(
  site: Site,
  resource: Resource<Thing>,
  labels: string,
  signal: AbortSignal,
): Promise<number> {
  const things = await listOrNone(site, resource, labels, signal);
  for (const { metadata } of things) {
    if (metadata.deletionTimestamp === undefined) await site.client.remove(resource, metadata.name, signal);
  }
  return things.length;
}

async function listOrNone<T>(
  site: Site,
  resource: Resource<T>,
  labels: string,
  signal: AbortSignal,
): Promise<readonly T[]> {
  try {
    return (await orNone(site.client.list(resource, labels, signal))) ?? [];
  } catch (error) {
    // Accounts of old may have no right on Jobs, and then have made none.
    if (resource.kind === JOB.kind && hasClass(error, 'forbidden')) return [];
    throw error;
  }
}

/** Where the cluster lacks a part of the API, we cannot have left anything in it. */
async function orNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (hasClass(error, 'unsupported')) return undefined;
    throw error;
  }
}
