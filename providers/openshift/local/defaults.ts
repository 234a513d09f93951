import { isObject, type Json, type JsonObject } from './json.ts';
import {
  AUTOSCALERS,
  BUILD_CONFIGS,
  CRON_JOBS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  IMAGE_STREAMS,
  INGRESSES,
  JOBS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  RESOURCE_QUOTAS,
  type ResourceType,
  ROUTES,
  SECRETS,
  SERVICES,
} from './resources.ts';
import type { KubeObject } from './types.ts';

/** What provisions a volume when a claim names no class. */
export const DEFAULT_STORAGE_CLASS = 'standard';
/** Waits for the first pod, as most classes of real clusters do, and can grow what it made. */
export const WAITING_STORAGE_CLASS = 'first-consumer';

export const REGISTRY = 'image-registry.openshift-image-registry.svc:5000';

/** Fills in what the real servers fill in, in a draft; clients see it in the answer. */
export function applyDefaults(type: ResourceType, draft: KubeObject, serviceAddress: () => string): void {
  const spec = member(draft, 'spec');
  if (is(type, DEPLOYMENTS)) {
    defaultDeployment(spec);
    member(draft, 'status');
  } else if (is(type, PODS)) {
    defaultPodSpec(spec);
    fill(draft, 'status', { phase: 'Pending', qosClass: 'BestEffort' });
  } else if (is(type, SERVICES)) {
    defaultService(spec, serviceAddress);
    fill(draft, 'status', { loadBalancer: {} });
  } else if (is(type, ROUTES)) {
    const to = member(spec, 'to');
    fill(to, 'kind', 'Service');
    fill(to, 'weight', 100);
    for (const other of items(spec['alternateBackends'])) fill(other, 'weight', 100);
    fill(spec, 'wildcardPolicy', 'None');
    member(draft, 'status');
  } else if (is(type, IMAGE_STREAMS)) {
    fill(spec, 'lookupPolicy', { local: false });
    const { namespace, name } = draft.metadata;
    fill(member(draft, 'status'), 'dockerImageRepository', `${REGISTRY}/${namespace}/${name}`);
  } else if (is(type, BUILD_CONFIGS)) {
    fill(spec, 'runPolicy', 'Serial');
    fill(spec, 'resources', {});
    fill(spec, 'postCommit', {});
    if (spec['nodeSelector'] === undefined) spec['nodeSelector'] = null;
    fill(spec, 'successfulBuildsHistoryLimit', 5);
    fill(spec, 'failedBuildsHistoryLimit', 5);
    fill(member(draft, 'status'), 'lastVersion', 0);
  } else if (is(type, JOBS)) {
    defaultJob(spec);
    member(draft, 'status');
  } else if (is(type, CRON_JOBS)) {
    fill(spec, 'concurrencyPolicy', 'Allow');
    fill(spec, 'suspend', false);
    fill(spec, 'successfulJobsHistoryLimit', 3);
    fill(spec, 'failedJobsHistoryLimit', 1);
    const template = member(member(member(spec, 'jobTemplate'), 'spec'), 'template');
    defaultPodTemplate(template);
    member(draft, 'status');
  } else if (is(type, PERSISTENT_VOLUME_CLAIMS)) {
    fill(spec, 'volumeMode', 'Filesystem');
    fill(spec, 'storageClassName', DEFAULT_STORAGE_CLASS);
    fill(draft, 'status', { phase: 'Pending' });
  } else if (is(type, INGRESSES)) {
    fill(draft, 'status', { loadBalancer: {} });
  } else if (is(type, AUTOSCALERS)) {
    fill(spec, 'minReplicas', 1);
    fill(draft, 'status', { desiredReplicas: 0, currentMetrics: null });
  } else if (is(type, DISRUPTION_BUDGETS)) {
    fill(draft, 'status', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 });
  } else if (is(type, RESOURCE_QUOTAS)) {
    member(draft, 'status');
  } else if (is(type, NAMESPACES)) {
    draft.metadata.labels = { 'kubernetes.io/metadata.name': draft.metadata.name, ...draft.metadata.labels };
    fill(member(draft, 'status'), 'phase', 'Active');
  } else if (is(type, SECRETS)) {
    encodeStringData(draft);
    fill(draft, 'type', 'Opaque');
  }
  // Kinds without a spec must not get an empty one.
  if (Object.keys(spec).length === 0) delete draft['spec'];
}

function defaultDeployment(spec: JsonObject): void {
  fill(spec, 'replicas', 1);
  const strategy = member(spec, 'strategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') {
    const rolling = member(strategy, 'rollingUpdate');
    fill(rolling, 'maxUnavailable', '25%');
    fill(rolling, 'maxSurge', '25%');
  }
  fill(spec, 'revisionHistoryLimit', 10);
  fill(spec, 'progressDeadlineSeconds', 600);
  // Go leaves a false out.
  if (spec['paused'] === false) delete spec['paused'];
  defaultPodTemplate(member(spec, 'template'));
}

function defaultJob(spec: JsonObject): void {
  fill(spec, 'parallelism', 1);
  fill(spec, 'completions', 1);
  fill(spec, 'backoffLimit', 6);
  fill(spec, 'completionMode', 'NonIndexed');
  fill(spec, 'suspend', false);
  fill(spec, 'manualSelector', false);
  fill(spec, 'podReplacementPolicy', 'TerminatingOrFailed');
  defaultPodTemplate(member(spec, 'template'));
}

function defaultPodTemplate(template: JsonObject): void {
  const metadata = member(template, 'metadata');
  if (metadata['creationTimestamp'] === undefined) metadata['creationTimestamp'] = null;
  defaultPodSpec(member(template, 'spec'));
}

function defaultPodSpec(spec: JsonObject): void {
  for (const container of items(spec['containers'])) {
    fill(container, 'resources', {});
    fill(container, 'terminationMessagePath', '/dev/termination-log');
    fill(container, 'terminationMessagePolicy', 'File');
    const image = container['image'];
    fill(
      container,
      'imagePullPolicy',
      typeof image === 'string' && isLatest(image) ? 'Always' : 'IfNotPresent',
    );
    for (const port of items(container['ports'])) fill(port, 'protocol', 'TCP');
    for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
      const probe = container[name];
      if (isObject(probe)) defaultProbe(probe);
    }
  }
  fill(spec, 'restartPolicy', 'Always');
  fill(spec, 'terminationGracePeriodSeconds', 30);
  fill(spec, 'dnsPolicy', 'ClusterFirst');
  fill(spec, 'securityContext', {});
  fill(spec, 'schedulerName', 'default-scheduler');
}

function isLatest(image: string): boolean {
  const name = image.slice(image.lastIndexOf('/') + 1);
  // A blank stands for an image somebody else fills in.
  if (name.trim() === '') return false;
  return name.endsWith(':latest') || (!name.includes(':') && !name.includes('@'));
}

function defaultProbe(probe: JsonObject): void {
  const http = probe['httpGet'];
  if (isObject(http)) {
    fill(http, 'path', '/');
    fill(http, 'scheme', 'HTTP');
  }
  fill(probe, 'timeoutSeconds', 1);
  fill(probe, 'periodSeconds', 10);
  fill(probe, 'successThreshold', 1);
  fill(probe, 'failureThreshold', 3);
}

function defaultService(spec: JsonObject, address: () => string): void {
  for (const port of items(spec['ports'])) {
    fill(port, 'protocol', 'TCP');
    fill(port, 'targetPort', port['port'] ?? 80);
  }
  fill(spec, 'type', 'ClusterIP');
  if (spec['clusterIP'] === undefined) spec['clusterIP'] = address();
  fill(spec, 'clusterIPs', [spec['clusterIP']]);
  fill(spec, 'sessionAffinity', 'None');
  fill(spec, 'ipFamilies', ['IPv4']);
  fill(spec, 'ipFamilyPolicy', 'SingleStack');
  fill(spec, 'internalTrafficPolicy', 'Cluster');
}

/** `stringData` is for writing only: it comes back as base64 in `data`. */
function encodeStringData(secret: KubeObject): void {
  const plain = secret['stringData'];
  if (!isObject(plain)) return;
  const data = member(secret, 'data');
  for (const [key, value] of Object.entries(plain)) {
    data[key] = Buffer.from(String(value), 'utf8').toString('base64');
  }
  delete secret['stringData'];
}

function is<T extends KubeObject>(type: ResourceType, other: ResourceType<T>): boolean {
  return type.plural === other.plural && type.group === other.group;
}

function member(parent: JsonObject, key: string): JsonObject {
  const found = parent[key];
  if (isObject(found)) return found;
  const created: JsonObject = {};
  parent[key] = created;
  return created;
}

function fill(target: JsonObject, key: string, value: Json): void {
  if (target[key] === undefined || target[key] === null) target[key] = value;
}

function items(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
