import { applyConfiguration, recordUpdate } from '../apply.ts';
import type { Cluster } from '../cluster.ts';
import { applyDefaults } from '../defaults.ts';
import { deleteObject, type Propagation } from '../deletion.ts';
import {
  alreadyExists,
  badRequest,
  expired,
  methodNotAllowed,
  modified,
  namespaceTerminating,
  notFound,
  StatusError,
  unsupportedMediaType,
} from '../errors.ts';
import { clone, isObject, type Json, type JsonObject } from '../json.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../patches.ts';
import { groupVersion, NAMESPACES, type ResourceType, ROUTES } from '../resources.ts';
import { admitRoute } from '../route-host.ts';
import { pruneUnknown } from '../schema.ts';
import { parseFieldSelector, parseLabelSelector } from '../selectors.ts';
import type { KubeObject } from '../types.ts';
import { validate } from '../validation.ts';
import { watch } from '../watch.ts';
import {
  type Answer,
  type ApiRequest,
  isDryRun,
  managerOf,
  ok,
  readBody,
  readJson,
  readObject,
  type Target,
} from './http.ts';
import { asTable, wantsTable } from './table.ts';

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const DEFAULT_WATCH_SECONDS = 1_800;
const BOOKMARK_SECONDS = 60;

/** The verbs every stored kind has. */
export async function handleResource(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
  const { type, name } = target;
  if (request.method === 'GET') {
    if (name !== undefined) return shown(cluster, request, type, existing(cluster, target, name));
    return request.query.get('watch') === '1' || request.query.get('watch') === 'true'
      ? watchObjects(cluster, request, target)
      : listObjects(cluster, request, target);
  }
  if (type.readOnly) throw methodNotAllowed();
  if (name === undefined) {
    if (request.method === 'POST') return create(cluster, request, target);
    if (request.method === 'DELETE') return removeAll(cluster, request, target);
    throw methodNotAllowed();
  }
  switch (request.method) {
    case 'PUT':
      return update(cluster, request, target, name);
    case 'PATCH':
      return patch(cluster, request, target, name);
    case 'DELETE':
      return remove(cluster, request, target, name);
    default:
      throw methodNotAllowed();
  }
}

export function existing(cluster: Cluster, target: Target, name: string): KubeObject {
  const found = cluster.store.get(target.type, target.namespace, name);
  if (!found) throw notFound(target.type, name);
  return found;
}

function shown(cluster: Cluster, request: ApiRequest, type: ResourceType, object: KubeObject): Answer {
  return ok(
    wantsTable(request)
      ? asTable(type, [object], object.metadata.resourceVersion, cluster.clock.now())
      : object,
  );
}

function matcher(request: ApiRequest): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(request.query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(request.query.get('fieldSelector') ?? '');
  return (object) => labels(object.metadata.labels) && fields(object);
}

function listObjects(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const { store } = cluster;
  const { type, namespace } = target;
  const version = String(store.version);
  if (
    request.query.get('resourceVersionMatch') === 'Exact' &&
    Number(request.query.get('resourceVersion')) < store.oldest
  ) {
    throw expired('The resourceVersion for the provided list is too old.');
  }
  const all = store.list(type, namespace).filter(matcher(request));
  const start = continueAt(cluster, request);
  const limit = Number(request.query.get('limit') ?? 0) || all.length;
  const page = all.slice(start, start + limit);
  const left = all.length - start - page.length;
  if (wantsTable(request)) return ok(asTable(type, page, version, cluster.clock.now()));
  return ok({
    kind: `${type.kind}List`,
    apiVersion: groupVersion(type),
    metadata: {
      resourceVersion: version,
      ...(left > 0
        ? { continue: continueToken(store.version, start + limit), remainingItemCount: left }
        : {}),
    },
    items: page.map(asListItem),
  });
}

/** Items do not repeat what the list's own kind says. */
function asListItem(object: KubeObject): JsonObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

function continueToken(version: number, start: number): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url');
}

function continueAt(cluster: Cluster, request: ApiRequest): number {
  const token = request.query.get('continue');
  if (!token) return 0;
  let decoded: Json;
  try {
    decoded = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw badRequest('invalid continue token: continue key is not valid');
  }
  if (!isObject(decoded)) throw badRequest('invalid continue token: continue key is not valid');
  if (Number(decoded['rv']) < cluster.store.oldest) {
    throw expired('The provided continue parameter is too old to display a consistent list result.');
  }
  return Number(decoded['start']) || 0;
}

function watchObjects(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const matches = matcher(request);
  const version = request.query.get('resourceVersion');
  const seconds = Number(request.query.get('timeoutSeconds')) || DEFAULT_WATCH_SECONDS;
  const table = wantsTable(request);
  const listening = request.query.get('sendInitialEvents') === 'true';
  return {
    kind: 'stream',
    contentType: 'application/json',
    write(response) {
      if (listening) {
        const refusal = new StatusError(
          500,
          'InternalError',
          'a watch stream was requested by the client but the required storage feature RequestWatchProgress is disabled',
        );
        response.end(`${JSON.stringify({ type: 'ERROR', object: refusal.status })}\n`);
        return;
      }
      // Sent at once, so that the client knows that its watch stands.
      response.flushHeaders();
      let first = true;
      const stop = watch(
        cluster.store,
        cluster.clock,
        {
          type: target.type,
          namespace: target.namespace,
          since: version === null || version === '' || version === '0' ? undefined : Number(version),
          matches,
          bookmarks:
            request.query.get('allowWatchBookmarks') === 'true' ||
            request.query.get('allowWatchBookmarks') === '1',
          bookmarkEveryMs: Math.max(1_000, BOOKMARK_SECONDS * 1_000 * cluster.speed),
          timeoutMs: seconds * 1_000,
        },
        (event) => {
          const object =
            table && event.type !== 'ERROR' && event.type !== 'BOOKMARK' && isKubeObject(event.object)
              ? asTable(
                  target.type,
                  [event.object],
                  event.object.metadata.resourceVersion,
                  cluster.clock.now(),
                  first,
                )
              : event.object;
          first = false;
          response.write(`${JSON.stringify({ type: event.type, object })}\n`);
        },
        () => response.end(),
      );
      response.on('close', stop);
    },
  };
}

function isKubeObject(value: JsonObject): value is KubeObject {
  return isObject(value['metadata']) && typeof value['metadata']['name'] === 'string';
}

/** Checks what every body must say of itself and gives it the place the URL names. */
function decode(target: Target, body: JsonObject): KubeObject {
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
function checkFields(request: ApiRequest, type: ResourceType, draft: KubeObject): string[] {
  const unknown = pruneUnknown(type, draft).map((path) => `unknown field "${path}"`);
  const mode = request.query.get('fieldValidation') ?? 'Warn';
  if (unknown.length > 0 && mode === 'Strict') {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${unknown.join(', ')}`,
    );
  }
  return mode === 'Ignore' ? [] : unknown;
}

function admit(
  cluster: Cluster,
  request: ApiRequest,
  type: ResourceType,
  draft: KubeObject,
  before: KubeObject | undefined,
): void {
  if (type.plural === ROUTES.plural) admitRoute(draft, before, cluster.appsDomain);
  // A client cannot bring a status of its own.
  if (!before && type.statusSubresource) delete draft['status'];
  applyDefaults(type, draft, () => serviceAddress(cluster));
  validate(type, draft, before);
  if (before && type.statusSubresource) keepStatus(draft, before);
  cluster.logger?.debug(
    { user: request.user, kind: type.kind, name: draft.metadata.name },
    'object admitted',
  );
}

function keepStatus(draft: KubeObject, before: KubeObject): void {
  if (before['status'] === undefined) delete draft['status'];
  else draft['status'] = before['status'];
}

function serviceAddress(cluster: Cluster): string {
  const byte = (): number => 1 + Math.floor(cluster.random() * 250);
  return `172.30.${byte()}.${byte()}`;
}

async function create(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
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
  delete draft.metadata.managedFields;
  delete draft.metadata.resourceVersion;
  recordUpdate(undefined, draft, { manager: managerOf(request), time: cluster.store.now() });
  return { kind: 'json', code: 201, body: written(cluster, request, type, draft), warnings };
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

function written(cluster: Cluster, request: ApiRequest, type: ResourceType, draft: KubeObject): KubeObject {
  const exists = cluster.store.get(type, draft.metadata.namespace, draft.metadata.name);
  if (!isDryRun(request))
    return exists ? cluster.store.replace(type, draft) : cluster.store.create(type, draft);
  if (!exists) {
    draft.metadata.uid = cluster.store.uid();
    draft.metadata.creationTimestamp = cluster.store.now();
    if (type.generation) draft.metadata.generation = 1;
  }
  return draft;
}

/** Fields of the metadata only the server writes. */
function keepIdentity(draft: KubeObject, before: KubeObject): void {
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

function checkVersion(type: ResourceType, draft: KubeObject, before: KubeObject): void {
  const sent = draft.metadata.resourceVersion;
  if (sent !== undefined && sent !== '' && sent !== before.metadata.resourceVersion) {
    throw modified(type, before.metadata.name);
  }
}

async function update(cluster: Cluster, request: ApiRequest, target: Target, name: string): Promise<Answer> {
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
  recordUpdate(before, draft, { manager: managerOf(request), time: cluster.store.now() });
  return { kind: 'json', code: 200, body: written(cluster, request, type, draft), warnings };
}

async function patch(cluster: Cluster, request: ApiRequest, target: Target, name: string): Promise<Answer> {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (!PATCH_TYPES.includes(mediaType)) throw unsupportedMediaType(PATCH_TYPES);
  const body = await readJson(request);
  if (mediaType === 'application/apply-patch+yaml') return apply(cluster, request, target, body);
  const before = existing(cluster, target, name);
  const patched = patchWith(mediaType, before, body);
  return finishUpdate(cluster, request, target, before, decode(target, patched));
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

async function deleteOptions(
  request: ApiRequest,
): Promise<{ propagation: Propagation; graceSeconds?: number; options: JsonObject }> {
  const body = (await readBody(request.incoming)).toString('utf8');
  let options: Json = {};
  try {
    options = body === '' ? {} : JSON.parse(body);
  } catch {
    throw badRequest('error decoding the delete options');
  }
  if (!isObject(options)) throw badRequest('the delete options must be an object');
  const named = request.query.get('propagationPolicy') ?? options['propagationPolicy'];
  const grace = request.query.get('gracePeriodSeconds') ?? options['gracePeriodSeconds'];
  return {
    propagation: named === 'Foreground' || named === 'Orphan' ? named : 'Background',
    ...(grace === null || grace === undefined ? {} : { graceSeconds: Number(grace) }),
    options,
  };
}

async function remove(cluster: Cluster, request: ApiRequest, target: Target, name: string): Promise<Answer> {
  const { propagation, graceSeconds, options } = await deleteOptions(request);
  const found = existing(cluster, target, name);
  const preconditions = options['preconditions'];
  if (isObject(preconditions)) {
    const { uid, resourceVersion } = preconditions;
    if (
      (uid !== undefined && uid !== found.metadata.uid) ||
      (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion)
    ) {
      throw modified(target.type, name);
    }
  }
  if (isDryRun(request)) return ok(found);
  const left = deleteObject(cluster.store, target.type, found, propagation, graceSeconds);
  return ok(left ?? success(target.type, found));
}

async function removeAll(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
  const { propagation, graceSeconds } = await deleteOptions(request);
  const found = cluster.store.list(target.type, target.namespace).filter(matcher(request));
  for (const object of found) {
    if (!isDryRun(request)) deleteObject(cluster.store, target.type, object, propagation, graceSeconds);
  }
  return ok({
    kind: `${target.type.kind}List`,
    apiVersion: groupVersion(target.type),
    metadata: { resourceVersion: String(cluster.store.version) },
    items: found.map(asListItem),
  });
}

export function success(type: ResourceType, object: KubeObject): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.plural,
      uid: object.metadata.uid,
    },
  };
}
