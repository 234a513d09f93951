import { type Cluster, hasCustomRoutes, isAggregated } from '../cluster.ts';
import { validateCustomRoute } from '../custom-route.ts';
import { applyDefaults } from '../defaults.ts';
import {
  badRequest,
  forbiddenBecause,
  invalid,
  modified,
  namespaceTerminating,
  notFound,
} from '../errors.ts';
import { isObject, type JsonObject, objectAt } from '../json.ts';
import { admitPod } from '../pod-admission.ts';
import { groupVersion, isKind, NAMESPACES, PODS, type ResourceType, ROUTES } from '../resources.ts';
import { customHostCauses, keepHost } from '../route-host.ts';
import { pruneUnknown } from '../schema.ts';
import type { KubeObject } from '../types.ts';
import { validate } from '../validation.ts';
import type { ApiRequest, Target } from './http.ts';

/** Checks what every body must say of itself and gives it the place the URL names. */
export function decode(target: Target, body: JsonObject): KubeObject {
  const { type } = target;
  const wanted = groupVersion(type);
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const { kind, apiVersion } = body;
  if (apiVersion !== undefined && apiVersion !== wanted) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`,
    );
  }
  if (kind !== undefined && kind !== type.kind) {
    throw badRequest(`${String(kind)} in version "${type.version}" cannot be handled as a ${type.kind}`);
  }
  const { namespace } = metadata;
  if (target.namespace !== undefined && typeof namespace === 'string' && namespace !== target.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (target.name !== undefined && metadata['name'] !== undefined && metadata['name'] !== target.name) {
    throw badRequest(
      `the name of the object (${metadata['name']}) does not match the name on the URL (${target.name})`,
    );
  }
  return {
    ...body,
    kind: type.kind,
    apiVersion: wanted,
    metadata: {
      ...metadata,
      name: target.name ?? (typeof metadata['name'] === 'string' ? metadata['name'] : ''),
      ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
    },
  };
}

/** Unknown fields: gone with a warning, or an error when the client asked for strictness. */
export function checkFields(request: ApiRequest, type: ResourceType, draft: KubeObject): string[] {
  const unknown = pruneUnknown(type, draft).map((path) => `unknown field "${path}"`);
  const mode = request.query.get('fieldValidation') ?? 'Warn';
  if (unknown.length > 0 && mode === 'Strict') {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${unknown.join(', ')}`,
    );
  }
  return mode === 'Ignore' ? [] : unknown;
}

export function admit(
  cluster: Cluster,
  request: ApiRequest,
  type: ResourceType,
  draft: KubeObject,
  before: KubeObject | undefined,
): void {
  if (isKind(type, ROUTES) && isAggregated(cluster, type.group)) admitRoute(cluster, request, draft, before);
  // A client cannot bring a status of its own.
  if (!before && type.statusSubresource) delete draft['status'];
  applyDefaults(type, draft, () => serviceAddress(cluster));
  // The defaults of a custom resource are those of its definition.
  if (isKind(type, ROUTES) && hasCustomRoutes(cluster) && Object.keys(objectAt(draft, 'status')).length === 0)
    delete draft['status'];
  if (isKind(type, ROUTES) && hasCustomRoutes(cluster)) validateCustomRoute(type, draft);
  else validate(type, draft, before);
  if (!before && isKind(type, PODS)) {
    const why = admitPod(cluster, draft);
    if (why !== undefined) throw forbiddenBecause(type, draft.metadata.name, why);
  }
  if (before && type.statusSubresource) keepStatus(draft, before);
  cluster.logger?.debug(
    { user: request.user, kind: type.kind, name: draft.metadata.name },
    'object admitted',
  );
}

function admitRoute(
  cluster: Cluster,
  request: ApiRequest,
  draft: KubeObject,
  before: KubeObject | undefined,
): void {
  if (before) keepHost(draft, before);
  const { namespace } = draft.metadata;
  const may = (verb: string): boolean =>
    cluster.access.allows(request.user, {
      verb,
      group: ROUTES.group,
      resource: 'routes/custom-host',
      namespace,
    });
  const causes = customHostCauses(draft, before, { create: may('create'), update: may('update') });
  if (causes.length > 0) throw invalid(ROUTES, draft.metadata.name, causes);
}

function keepStatus(draft: KubeObject, before: KubeObject): void {
  if (before['status'] === undefined) delete draft['status'];
  else draft['status'] = before['status'];
}

function serviceAddress(cluster: Cluster): string {
  const byte = (): number => 1 + Math.floor(cluster.random() * 250);
  return `172.30.${byte()}.${byte()}`;
}

/** Terminating projects take nothing new. */
export function checkNamespace(
  cluster: Cluster,
  type: ResourceType,
  name: string,
  namespace: string | undefined,
): void {
  if (namespace === undefined) return;
  const found = cluster.store.get(NAMESPACES, undefined, namespace);
  if (!found) throw notFound(NAMESPACES, namespace);
  if (found.status.phase === 'Terminating') throw namespaceTerminating(type, name, namespace);
}

/** Fields of the metadata only the server writes. */
export function keepIdentity(draft: KubeObject, before: KubeObject): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'generation',
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    const value = before.metadata[field];
    if (value === undefined) delete draft.metadata[field];
    else Object.assign(draft.metadata, { [field]: value });
  }
}

export function checkVersion(type: ResourceType, draft: KubeObject, before: KubeObject): void {
  const sent = draft.metadata.resourceVersion;
  if (sent !== undefined && sent !== '' && sent !== before.metadata.resourceVersion) {
    throw modified(type, before.metadata.name);
  }
}
