import { applyConfiguration, recordUpdate } from '../apply.ts';
import { notePhase } from '../build-status.ts';
import { type Cluster, hasCustomRoutes, isAggregated } from '../cluster.ts';
import { applyDefaults } from '../defaults.ts';
import { alreadyExists, badRequest, StatusError, unsupportedMediaType } from '../errors.ts';
import { labelPods } from '../job-status.ts';
import { clone, isObject, type Json, type JsonObject, objectAt } from '../json.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../patches.ts';
import { CLAIM_IN_USE } from '../pod-volumes.ts';
import { checkQuota } from '../quota.ts';
import {
  BUILDS,
  groupVersion,
  isKind,
  JOBS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  type ResourceType,
  ROUTES,
} from '../resources.ts';
import { generateHost } from '../route-host.ts';
import type { KubeObject } from '../types.ts';
import { admit, checkFields, checkNamespace, checkVersion, decode, keepIdentity } from './admission.ts';
import {
  type Answer,
  type ApiRequest,
  isDryRun,
  managerOf,
  readJson,
  readObject,
  type Target,
} from './http.ts';
import { existing } from './reads.ts';

const APPLY = 'application/apply-patch+yaml';
/** What `patchWith` understands. */
export const PATCH_TYPES: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

export async function create(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
  const draft = decode(target, await readObject(request));
  return store201(cluster, request, target, draft);
}

function store201(cluster: Cluster, request: ApiRequest, target: Target, draft: KubeObject): Answer {
  const { type, namespace } = target;
  const { generateName } = draft.metadata;
  if (draft.metadata.name === '' && typeof generateName === 'string' && generateName !== '') {
    draft.metadata.name = `${generateName}${cluster.store.suffix(5)}`;
  }
  const warnings = checkFields(request, type, draft);
  checkNamespace(cluster, type, draft.metadata.name, namespace);
  admit(cluster, request, type, draft, undefined);
  if (cluster.store.get(type, namespace, draft.metadata.name)) {
    throw alreadyExists(type, draft.metadata.name);
  }
  checkQuota(cluster, type, draft, namespace);
  delete draft.metadata.managedFields;
  delete draft.metadata.resourceVersion;
  delete draft.metadata.uid;
  recordUpdate(undefined, draft, {
    manager: managerOf(request),
    time: cluster.store.now(),
    withStatus: isKind(type, BUILDS),
  });
  return { kind: 'json', code: 201, body: written(cluster, request, type, draft), warnings };
}

function written(cluster: Cluster, request: ApiRequest, type: ResourceType, draft: KubeObject): KubeObject {
  const exists = cluster.store.get(type, draft.metadata.namespace, draft.metadata.name);
  // What the server gives of itself is nobody's field.
  if (!exists) completeNew(cluster, type, draft);
  if (!isDryRun(request))
    return exists ? cluster.store.replace(type, draft) : cluster.store.create(type, draft);
  if (!exists) {
    delete draft.metadata.resourceVersion;
    draft.metadata.uid = cluster.store.uid();
    draft.metadata.creationTimestamp = cluster.store.now();
    if (type.generation) draft.metadata.generation = 1;
  }
  return draft;
}

function completeNew(cluster: Cluster, type: ResourceType, draft: KubeObject): void {
  if (isKind(type, ROUTES) && isAggregated(cluster, type.group)) generateHost(draft, cluster.appsDomain);
  if (isKind(type, JOBS)) labelPods(draft, cluster.store.uid());
  if (isKind(type, PERSISTENT_VOLUME_CLAIMS)) draft.metadata.finalizers ??= [CLAIM_IN_USE];
  if (isKind(type, NAMESPACES)) draft['spec'] = { finalizers: ['kubernetes'], ...objectAt(draft, 'spec') };
}

export async function update(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  const before = existing(cluster, target, name);
  const draft = decode(target, await readObject(request));
  return finishUpdate(cluster, request, target, before, draft);
}

function finishUpdate(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  before: KubeObject,
  draft: KubeObject,
): Answer {
  const { type } = target;
  checkVersion(type, draft, before);
  const warnings = checkFields(request, type, draft);
  keepIdentity(draft, before);
  admit(cluster, request, type, draft, before);
  recordUpdate(before, draft, {
    manager: managerOf(request),
    time: cluster.store.now(),
    withStatus: isKind(type, BUILDS),
  });
  // A build's status is its clients' to write: a builder reports through it, and people cancel by it.
  if (isKind(type, BUILDS)) notePhase(draft, before, cluster.store.now());
  return { kind: 'json', code: 200, body: written(cluster, request, type, draft), warnings };
}

export async function patch(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  // Of the lists in a custom resource the server knows no keys.
  const known = hasCustomRoutes(cluster) && isCustom(target.type) ? PATCH_TYPES.slice(0, 2) : PATCH_TYPES;
  const mediaType = patchType(request, [...known, APPLY]);
  const body = await readJson(request);
  if (mediaType === APPLY) return apply(cluster, request, target, body);
  const before = existing(cluster, target, name);
  const patched = patchWith(mediaType, before, body);
  return finishUpdate(cluster, request, target, before, decode(target, patched));
}

function isCustom(type: ResourceType): boolean {
  return type.group.endsWith('.openshift.io');
}

/** The media type of the request's body, if it is one of these. */
export function patchType(request: ApiRequest, known: readonly string[]): string {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (!known.includes(mediaType)) throw unsupportedMediaType(known);
  return mediaType;
}

export function patchWith(mediaType: string, before: JsonObject, body: Json): JsonObject {
  if (mediaType === 'application/json-patch+json') return jsonPatch(before, body);
  if (!isObject(body)) throw badRequest('a merge patch must be an object');
  const merged = mediaType.startsWith('application/strategic')
    ? strategicMergePatch(clone(before), body)
    : mergePatch(clone(before), body);
  if (!isObject(merged)) throw badRequest('the patch left no object');
  return merged;
}

function apply(cluster: Cluster, request: ApiRequest, target: Target, body: Json): Answer {
  if (!isObject(body)) throw badRequest('the applied configuration must be an object');
  const manager = request.query.get('fieldManager');
  if (!manager) {
    throw new StatusError(
      422,
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          },
        ],
      },
    );
  }
  const { type, namespace } = target;
  const config = decode(target, body);
  if (config.metadata.managedFields !== undefined) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const warnings = checkFields(request, type, config);
  // `stringData` must not stay owned under a name the stored object does not have.
  if (config['stringData'] !== undefined) applyDefaults(type, config, () => '');
  const name = config.metadata.name;
  const before = cluster.store.get(type, namespace, name);
  const options = {
    manager,
    force: request.query.get('force') === 'true' || request.query.get('force') === '1',
    time: cluster.store.now(),
  };
  const live = before ?? emptyObject(type, config);
  const draft = applyConfiguration(live, config, options);
  if (!before) {
    checkNamespace(cluster, type, name, namespace);
    admit(cluster, request, type, draft, undefined);
    checkQuota(cluster, type, draft, namespace);
    return { kind: 'json', code: 201, body: written(cluster, request, type, draft), warnings };
  }
  if (config.metadata.resourceVersion !== undefined) checkVersion(type, config, before);
  const { managedFields } = draft.metadata;
  keepIdentity(draft, before);
  admit(cluster, request, type, draft, before);
  if (managedFields) draft.metadata.managedFields = managedFields;
  return { kind: 'json', code: 200, body: written(cluster, request, type, draft), warnings };
}

function emptyObject(type: ResourceType, config: KubeObject): KubeObject {
  const { name, namespace } = config.metadata;
  return {
    kind: type.kind,
    apiVersion: groupVersion(type),
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}
