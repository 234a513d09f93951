import { hasClass, platformError } from '../../src/core/errors.ts';
import type {
  ObservedProcess,
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
} from '../../src/core/provider.ts';
import type { Manifest } from './client.ts';
import * as manifests from './manifests.ts';
import type { PlacedSpec } from './mounts.ts';
import * as names from './names.ts';
import { DEPLOYMENT, POD, REPLICA_SET } from './resources.ts';
import { judgeRollout } from './rollout.ts';
import { applyOwned, type Site } from './site.ts';
import { failed, handleOf } from './status.ts';
import type { Deployment, Pod } from './wire.ts';

/** Beyond what the platform's own deadlines allow. */
const BACKSTOP_MS = 5 * 60_000;

/** Nothing asks a worker whether it is well: one that ends at once has run for a moment, too. */
const STEADY_MS = 3_000;

/** Each process beside web is a Deployment of its own, `<application>-<process>`, without Service and Route. */
export async function applyProcesses(
  site: Site,
  context: ProviderContext,
  want: PlacedSpec,
  artifact: StagedArtifact,
): Promise<Operation> {
  const { application, processes = [] } = want;
  const { signal } = context;
  const image = artifact.native['image'] ?? '';
  const there = await deploymentsOf(site, application, signal);
  for (const [name, deployment] of there) {
    if (!processes.some((process) => process.name === name)) {
      await site.client.remove(DEPLOYMENT, deployment.metadata.name, signal);
    }
  }
  let total = 0;
  for (const process of processes) {
    names.checkName(site.platform, names.processName(application, process.name));
    const before = there.get(process.name);
    const replicas = process.instances ?? before?.spec.replicas ?? 0;
    total += replicas;
    const manifest: Manifest = manifests.processDeployment(want, process, { image, replicas });
    await applyOwned(site, DEPLOYMENT, manifest, application, signal);
  }
  return {
    handle: handleOf(site, context, application, 'processes', {
      processes: processes.map(({ name }) => name).join(' '),
      release: want.release.id,
      ...(total === 0 ? { sizes: 'none' } : {}),
      deadline: String(context.now() + want.health.startTimeoutMs + BACKSTOP_MS),
    }),
  };
}

export async function pollProcesses(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { application, native } = handle;
  const wanted = (native['processes'] ?? '').split(' ').filter(Boolean);
  for (const name of wanted) {
    const seen = await site.client.get(DEPLOYMENT, names.processName(application, name), context.signal);
    if (seen === undefined) return { state: 'lost', message: `Deployment of ${name} is gone` };
    const labels = names.selector(names.groupLabels(application, name));
    const [sets, pods] = await Promise.all([
      site.client.list(REPLICA_SET, labels, context.signal),
      site.client.list(POD, labels, context.signal),
    ]);
    const rollout = judgeRollout(seen, sets, pods);
    if (rollout.state === 'done') continue;
    const what = `process ${name} of ${application} did not start`;
    if (rollout.state === 'failed') {
      return failed(rollout.class, site, what, { why: rollout.why, remedy: rollout.remedy });
    }
    if (context.now() < Number(native['deadline'])) {
      return { ...rollout, message: `${name}: ${rollout.message}`, retryAfterMs: 500 };
    }
    return failed('timeout', site, what, { why: rollout.message, remedy: '`oc get pods`, `oc get events`' });
  }
  const message = `${wanted.join(', ')} run`;
  if (native['sizes'] === 'none') return { state: 'succeeded', message };
  const { up } = native;
  if (up === undefined) {
    const now = String(context.now());
    return { state: 'running', message, handle: { ...handle, native: { ...native, up: now } } };
  }
  if (context.now() - Number(up) < STEADY_MS) return { state: 'running', message, retryAfterMs: 500 };
  return { state: 'succeeded', message };
}

export async function scaleProcess(
  site: Site,
  context: ProviderContext,
  application: string,
  process: string,
  instances: number,
): Promise<void> {
  const name = names.processName(application, process);
  const seen = await site.client.get(DEPLOYMENT, name, context.signal);
  if (seen === undefined || !names.isOurs(seen.metadata, application)) {
    throw platformError('notFound', site.platform, `there is no process ${process} of ${application}`, {
      why: `no Deployment ${name} of ours in namespace ${site.options.namespace}`,
      remedy: 'deploy it first: sluice deploy',
    });
  }
  // What was said of it last holds, also once the application is started again.
  if (seen.metadata.annotations[names.STOPPED_AT] !== undefined) {
    const annotations = { [names.STOPPED_AT]: null };
    await site.client.patch(name, { metadata: { annotations } }, context.signal);
  }
  await site.client.scale(name, instances, context.signal);
}

export async function observeProcesses(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, ObservedProcess>> | undefined> {
  const [deployments, pods] = await Promise.all([
    deploymentsOf(site, application, signal),
    site.client.list(POD, groupsSelector({ [names.APPLICATION]: application }), signal),
  ]);
  const found = [...deployments].map(([name, deployment]) => [name, observed(name, deployment, pods)]);
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function observed(name: string, deployment: Deployment, pods: readonly Pod[]): ObservedProcess {
  const container = deployment.spec.template.spec.containers[0];
  const memory = /^(\d+)Mi$/.exec(container?.resources.limits['memory'] ?? '')?.[1];
  return {
    desired: deployment.spec.replicas,
    // Also those on their way out: they work until they are gone.
    running: pods.filter(
      ({ metadata, status }) => metadata.labels[names.GROUP] === name && !hasEnded(status.phase),
    ).length,
    release: deployment.spec.template.metadata.labels[names.RELEASE],
    command: manifests.commandOf(container?.command ?? []),
    memoryBytes: memory === undefined ? undefined : Number(memory) * 1_048_576,
  };
}

function hasEnded(phase: string): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

export async function deploymentsOf(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Deployment>> {
  try {
    const all = await site.client.list(DEPLOYMENT, groupsSelector(names.ownerLabels(application)), signal);
    return new Map(all.map((one) => [one.metadata.labels[names.GROUP] ?? '', one]));
  } catch (error) {
    if (hasClass(error, 'unsupported')) return new Map();
    throw error;
  }
}

/** Whatever its group: a label without a value must only be there. */
function groupsSelector(labels: Readonly<Record<string, string>>): string {
  return `${names.selector(labels)},${names.GROUP}`;
}
