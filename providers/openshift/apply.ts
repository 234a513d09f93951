import { platformError, SluiceError, toWire } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import { releaseLabel } from '../../src/core/release.ts';
import { autoscalerOf, replicasFor } from './autoscaler.ts';
import type { Manifest } from './client.ts';
import { readRollout } from './deployed.ts';
import * as manifests from './manifests.ts';
import type { PlacedSpec } from './mounts.ts';
import * as names from './names.ts';
import { lacking } from './needs.ts';
import { pullSecret } from './registry.ts';
import { DEPLOYMENT, INGRESS, SECRET, SERVICE } from './resources.ts';
import { revert } from './revert.ts';
import { judgeRollout, type Rollout } from './rollout.ts';
import { applyOwned, heldKinds, type Site } from './site.ts';
import { failed, handleOf } from './status.ts';
import { admissionOf } from './translate.ts';
import type { Deployment, Route } from './wire.ts';

/** A router that is there says so in much less; one that is not must not hold up the rest. */
const ADMISSION_WAIT_MS = 5_000;
const ADMISSION_EVERY_MS = 200;
/** Beyond what the platform's own deadlines allow: only for a platform whose controllers stand still. */
const BACKSTOP_MS = 5 * 60_000;

/** The order matters: all that the new instances need, then whether the routers take the routes, then the instances. */
export async function apply(
  site: Site,
  context: ProviderContext,
  want: PlacedSpec,
  artifact: StagedArtifact,
  /** On everything, beside the labels that it has anyway. */
  more: Readonly<Record<string, string>> = {},
): Promise<Operation> {
  const { signal } = context;
  const { application } = want;
  const lack = lacking(site, want);
  if (lack) throw lack;
  const image = artifact.native['image'];
  if (image === undefined) {
    throw new SluiceError('BUG', 'the staged artifact names no image', {
      where: site.platform,
      why: `it names ${Object.keys(artifact.native).join(', ') || 'nothing'}`,
      remedy: 'deploy again: it is built anew',
    });
  }
  const held = await heldKinds(site, application, signal);
  const before = await site.client.get(DEPLOYMENT, application, signal);
  await applyOwned(site, SECRET, labelled(manifests.secret(want), more), application, signal);
  const pull = pullSecret(want);
  if (pull) await applyOwned(site, SECRET, labelled(pull, more), application, signal);
  const service = labelled(manifests.service(application), more);
  await site.client.apply(SERVICE, service, held.has(SERVICE.kind), signal);
  const wanted = manifests.routes(want, site);
  for (const route of wanted)
    await applyOwned(site, site.routing, labelled(route, more), application, signal);
  const refused = await refusedRoute(site, application, signal);
  if (refused) throw refused;
  const autoscaler = await autoscalerOf(site, application, signal);
  // Read again: what an autoscaler has done since the beginning must not be undone.
  const live = autoscaler ? await site.client.get(DEPLOYMENT, application, signal) : before;
  const replicas = replicasFor(autoscaler, live, want.process.instances);
  const manifest = manifests.deployment(want, image, retryOf(before, want, context), replicas);
  await site.client.apply(DEPLOYMENT, labelled(manifest, more), held.has(DEPLOYMENT.kind), signal);
  // An autoscaler leaves alone what somebody has scaled to 0: a deployment starts what was stopped.
  if (autoscaler && live?.spec.replicas === 0) {
    const { minReplicas, maxReplicas } = autoscaler.spec;
    const most = Math.min(Math.max(want.process.instances, minReplicas), maxReplicas);
    await site.client.scale(application, most, signal);
  }
  await removeRoutesBut(site, application, new Set(wanted.map((route) => route.metadata.name)), signal);

  const previous = lastGood(before);
  const allowedMs = want.health.startTimeoutMs * Math.max(1, want.process.instances) + BACKSTOP_MS;
  return {
    handle: handleOf(site, context, application, 'apply', {
      release: want.release.id,
      label: releaseLabel(want.release),
      deadline: String(context.now() + allowedMs),
      ...(before === undefined ? {} : { replicas: String(before.spec.replicas) }),
      ...(previous === undefined || previous === want.release.id ? {} : { previous }),
    }),
  };
}

function labelled(manifest: Manifest, more: Readonly<Record<string, string>>): Manifest {
  const { metadata } = manifest;
  return { ...manifest, metadata: { ...metadata, labels: { ...metadata.labels, ...more } } };
}

/** What to go back to if nothing can tell by serving; never a release that was itself left there because it failed. */
function lastGood(before: Deployment | undefined): string | undefined {
  const release = before?.spec.template.metadata.labels[names.RELEASE];
  return release === before?.metadata.annotations[names.FAILED_RELEASE] ? undefined : release;
}

/**
 * A release that failed here before gets a mark that makes its template a new one, or the platform would go on
 * counting it as failed. The mark stays as long as the release does, so applying it again changes nothing.
 */
function retryOf(
  before: Deployment | undefined,
  want: TargetSpec,
  context: ProviderContext,
): string | undefined {
  if (before?.metadata.annotations[names.FAILED_RELEASE] === want.release.id) return String(context.now());
  const { labels, annotations } = before?.spec.template.metadata ?? { labels: {}, annotations: {} };
  return labels[names.RELEASE] === want.release.id ? annotations[names.RETRY] : undefined;
}

/** Asked before the instances are touched: a host that belongs to another route is known within a moment. */
async function refusedRoute(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<Error | undefined> {
  const until = site.clock.monotonic() + ADMISSION_WAIT_MS;
  for (;;) {
    const routes = await routesOf(site, application, signal);
    const refused = refusal(site, routes);
    if (refused) return refused;
    if (routes.every((route) => admissionOf(route).state === 'admitted')) return undefined;
    if (site.clock.monotonic() >= until) return undefined;
    await site.clock.sleep(ADMISSION_EVERY_MS, signal);
  }
}

function refusal(site: Site, routes: readonly Route[]): SluiceError | undefined {
  for (const route of routes) {
    const admission = admissionOf(route);
    if (admission.state !== 'refused') continue;
    const claimed = admission.reason === 'HostAlreadyClaimed';
    return platformError(
      claimed ? 'conflict' : 'invalid',
      site.platform,
      `the router does not take route ${route.metadata.name} (host ${route.spec.host || 'none'})`,
      {
        why: [admission.reason, admission.message].filter(Boolean).join(': '),
        remedy: claimed
          ? 'another route holds this host: remove it there, or use another host'
          : 'change the host (routes, routeHost), or ask who runs the router',
      },
    );
  }
  return undefined;
}

async function routesOf(site: Site, application: string, signal: AbortSignal): Promise<readonly Route[]> {
  return await site.client.list(site.routing, names.selector(names.ownerLabels(application)), signal);
}

async function removeRoutesBut(
  site: Site,
  application: string,
  wanted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  for (const route of await routesOf(site, application, signal)) {
    if (!wanted.has(route.metadata.name)) await site.client.remove(site.routing, route.metadata.name, signal);
  }
}

export async function pollApply(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { application, native } = handle;
  const release = native['release'] ?? '';
  const seen = await readRollout(site, application, context.signal);
  if (!seen) return { state: 'lost', message: `Deployment ${application} is gone` };
  const { deployment } = seen;
  if (deployment.metadata.annotations[names.FAILED_RELEASE] === release) {
    return failedBefore(site, handle, deployment);
  }
  if (deployment.spec.template.metadata.labels[names.RELEASE] !== release) {
    return overtaken(site, handle, deployment);
  }
  const rollout = overdue(judgeRollout(deployment, seen.replicaSets, seen.pods), context, handle);
  switch (rollout.state) {
    case 'running':
      return { ...rollout, retryAfterMs: 500 };
    case 'failed':
      return { state: 'failed', error: toWire(await revert(site, context, handle, seen, rollout)) };
    case 'done': {
      const routes = await routesOf(site, application, context.signal);
      const refused = refusal(site, routes);
      if (refused) return { state: 'failed', error: toWire(refused) };
      if (routes.some((route) => admissionOf(route).state !== 'admitted')) {
        return routeOverdue(site, context, handle);
      }
      return { state: 'succeeded', message: rollout.message };
    }
  }
}

function overdue(rollout: Rollout, context: ProviderContext, handle: OperationHandle): Rollout {
  if (rollout.state !== 'running' || context.now() < Number(handle.native['deadline'])) return rollout;
  return {
    state: 'failed',
    class: 'timeout',
    why: `after ${Math.round((context.now() - handle.startedAt) / 1_000)} s: ${rollout.message}`,
    remedy:
      'the platform’s controllers do not get on with it: is the Deployment paused, is the cluster well?',
  };
}

/** The instances run; only the way to them is missing. Nothing is undone. */
function routeOverdue(site: Site, context: ProviderContext, handle: OperationHandle): OperationStatus {
  if (context.now() < Number(handle.native['deadline'])) {
    return { state: 'running', message: 'waiting for a router to take the route', retryAfterMs: 500 };
  }
  return failed('timeout', site, 'no router has taken the route', {
    why: 'the instances are ready, but the route’s status names no router that admitted it',
    remedy:
      site.routing.kind === INGRESS.kind
        ? 'does an ingress controller serve its class (ingress.class of this platform)? `kubectl get ingress -o yaml`'
        : 'do the routers serve this namespace (shards, labels)? `oc get route -o yaml`',
  });
}

/** The template is no longer the one we gave: what the other wants is left in place. */
function overtaken(site: Site, handle: OperationHandle, { metadata, spec }: Deployment): OperationStatus {
  const others = metadata.managedFields.filter(
    ({ manager, subresource }) => manager !== names.FIELD_MANAGER && subresource === undefined,
  );
  const last = others.sort((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1);
  const who = last === undefined ? 'another deployment' : `${last.manager}, at ${last.time ?? 'some time'},`;
  const release = spec.template.metadata.labels[names.RELEASE] ?? 'no release of ours';
  return failed('conflict', site, `somebody else changed the deployment of ${handle.application}`, {
    why: `${who} gave it another template while ${handle.native['label']} rolled out; it is ${release} now`,
    remedy: 'see who: `oc get deployment -o yaml --show-managed-fields`; then deploy again',
  });
}

/** Somebody polled before us, undid it, and could not tell. */
function failedBefore(site: Site, handle: OperationHandle, deployment: Deployment): OperationStatus {
  return failed('startFailed', site, `release ${handle.native['label']} did not start`, {
    why: deployment.metadata.annotations[names.FAILED_REASON] ?? 'it failed before',
    remedy: 'deploy it again once the cause is gone',
  });
}
