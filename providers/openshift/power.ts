import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
} from '../../src/core/provider.ts';
import { isoTime } from '../../src/lib/iso-time.ts';
import { autoscalerOf } from './autoscaler.ts';
import * as names from './names.ts';
import { deploymentsOf } from './processes.ts';
import { DEPLOYMENT, POD, REPLICA_SET } from './resources.ts';
import { judgeRollout, type Rollout } from './rollout.ts';
import { foreignError, type Site } from './site.ts';
import { failed, handleOf } from './status.ts';
import type { Deployment } from './wire.ts';

/** On top of what the application itself is given to become ready: a node may have to be found and an image pulled. */
const GRACE_MS = 60_000;

/**
 * Kubernetes knows no stopped application, only one with no instances: how many there were is noted on it. An
 * autoscaler leaves a Deployment alone that somebody has scaled to 0, until somebody scales it again.
 */
export async function stop(site: Site, context: ProviderContext, application: string): Promise<Operation> {
  const { signal } = context;
  await requireOwn(site, application, signal);
  for (const { metadata, spec } of await allOf(site, application, signal)) {
    if (spec.replicas === 0) continue;
    const annotations = { [names.STOPPED_AT]: String(spec.replicas) };
    await site.client.patch(metadata.name, { metadata: { annotations } }, signal);
    await site.client.scale(metadata.name, 0, signal);
  }
  return { handle: handleOf(site, context, application, 'stop', {}) };
}

export async function pollStop(
  site: Site,
  context: ProviderContext,
  { application }: OperationHandle,
): Promise<OperationStatus> {
  const labels = names.selector({ [names.APPLICATION]: application });
  const pods = await site.client.list(POD, labels, context.signal);
  const left = pods.filter(
    ({ metadata, status }) =>
      (metadata.labels[names.PROCESS] !== undefined || metadata.labels[names.GROUP] !== undefined) &&
      status.phase !== 'Succeeded' &&
      status.phase !== 'Failed',
  );
  if (left.length === 0) return { state: 'succeeded', message: 'stopped' };
  return { state: 'running', message: `${left.length} instances are ending`, retryAfterMs: 500 };
}

export async function start(site: Site, context: ProviderContext, application: string): Promise<Operation> {
  const { signal } = context;
  const web = await requireOwn(site, application, signal);
  const autoscaler = await autoscalerOf(site, application, signal);
  for (const deployment of await allOf(site, application, signal)) {
    const { metadata, spec } = deployment;
    if (spec.replicas > 0) continue;
    const isWeb = metadata.name === application;
    // Whoever scaled it to 0 otherwise noted nothing: web comes back all the same, as small as may be.
    const least = isWeb ? (autoscaler?.spec.minReplicas ?? 1) : 0;
    const replicas = Number(metadata.annotations[names.STOPPED_AT] ?? least);
    if (replicas > 0) await site.client.scale(metadata.name, replicas, signal);
    await site.client.patch(
      metadata.name,
      { metadata: { annotations: { [names.STOPPED_AT]: null } } },
      signal,
    );
  }
  return { handle: handleOf(site, context, application, 'start', deadlineOf(context, web)) };
}

/** The annotation makes another template of it, and the platform replaces instances as for a release. */
export async function restart(
  site: Site,
  context: ProviderContext,
  application: string,
  process: string,
): Promise<Operation> {
  const { signal } = context;
  const name = process === 'web' ? application : names.processName(application, process);
  const deployment = await requireOwn(site, application, signal, name);
  const annotations = { [names.RESTARTED_AT]: isoTime(context.now()) };
  await site.client.patch(name, { spec: { template: { metadata: { annotations } } } }, signal);
  const native = { deployment: name, ...deadlineOf(context, deployment) };
  return { handle: handleOf(site, context, application, 'restart', native) };
}

export function pollStart(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  return pollReady(site, context, handle, handle.application, 'did not start again');
}

export function pollRestart(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const name = handle.native['deployment'] ?? handle.application;
  return pollReady(site, context, handle, name, 'could not be restarted; its old instances were kept');
}

async function pollReady(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
  name: string,
  what: string,
): Promise<OperationStatus> {
  const { signal } = context;
  const labels = names.selector({ [names.APPLICATION]: handle.application });
  const [deployment, sets, pods] = await Promise.all([
    site.client.get(DEPLOYMENT, name, signal),
    site.client.list(REPLICA_SET, labels, signal),
    site.client.list(POD, labels, signal),
  ]);
  if (!deployment) return { state: 'lost', message: `Deployment ${name} is gone` };
  const rollout: Rollout = judgeRollout(deployment, sets, pods);
  if (rollout.state === 'done') return { state: 'succeeded', message: rollout.message };
  if (rollout.state === 'failed') {
    return failed(rollout.class, site, `${name} ${what}`, { why: rollout.why, remedy: rollout.remedy });
  }
  if (context.now() < Number(handle.native['deadline'])) return { ...rollout, retryAfterMs: 500 };
  return failed('timeout', site, `${name} ${what}`, {
    why: rollout.message,
    remedy: 'is there room in the cluster? `oc get pods`, `oc get events`',
  });
}

function deadlineOf(context: ProviderContext, { spec }: Deployment): Record<string, string> {
  const allowedMs = spec.progressDeadlineSeconds * 1_000 * Math.max(1, spec.replicas) + GRACE_MS;
  return { deadline: String(context.now() + allowedMs) };
}

async function requireOwn(
  site: Site,
  application: string,
  signal: AbortSignal,
  name = application,
): Promise<Deployment> {
  const found = await site.client.get(DEPLOYMENT, name, signal);
  if (!found) {
    throw platformError('notFound', site.platform, `${name} does not run there`, {
      why: `namespace "${site.options.namespace}" has no Deployment of that name`,
      remedy: 'deploy it first',
    });
  }
  if (!names.isOurs(found.metadata, application)) throw foreignError(site, [`Deployment ${name}`]);
  return found;
}

/** Web, and the processes beside it. */
async function allOf(site: Site, application: string, signal: AbortSignal): Promise<readonly Deployment[]> {
  const others = await deploymentsOf(site, application, signal);
  return [await requireOwn(site, application, signal), ...others.values()];
}
