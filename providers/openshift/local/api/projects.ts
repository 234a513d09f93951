import { REQUESTER } from '../access.ts';
import type { Cluster } from '../cluster.ts';
import { alreadyExists, forbidden, methodNotAllowed, notFound, StatusError } from '../errors.ts';
import { type JsonObject, objectAt, textAt } from '../json.ts';
import { NAMESPACES, PROJECT_REQUESTS, PROJECTS, type ResourceType } from '../resources.ts';
import type { Namespace } from '../types.ts';
import { validate } from '../validation.ts';
import { watch } from '../watch.ts';
import { type Answer, type ApiRequest, ok, readObject, type Target } from './http.ts';
import { asTable, wantsTable } from './table.ts';

/** `project.project.openshift.io "x" already exists`: the singular, unlike everywhere else. */
const PROJECT_ERRORS: ResourceType = { ...PROJECTS, plural: 'project' };

export async function projectRequests(cluster: Cluster, request: ApiRequest): Promise<Answer> {
  if (request.method === 'GET') {
    // Listing is the question whether one may ask for projects at all.
    return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
  }
  if (request.method !== 'POST') throw methodNotAllowed();
  const body = await readObject(request);
  const name = textAt(body, 'metadata', 'name') ?? '';
  validate(
    PROJECT_REQUESTS,
    { ...body, kind: 'ProjectRequest', apiVersion: 'project.openshift.io/v1', metadata: { name } },
    undefined,
  );
  if (cluster.store.get(NAMESPACES, undefined, name)) throw alreadyExists(PROJECT_ERRORS, name);
  const created = createProject(cluster, name, request.user, {
    'openshift.io/description': textAt(body, 'description') ?? '',
    'openshift.io/display-name': textAt(body, 'displayName') ?? '',
  });
  return ok(asProject(created), 201);
}

export function createProject(
  cluster: Cluster,
  name: string,
  requester: string,
  annotations: Record<string, string> = {},
): Namespace {
  return cluster.store.create(NAMESPACES, {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      name,
      labels: { 'kubernetes.io/metadata.name': name },
      annotations: { ...annotations, [REQUESTER]: requester },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
}

function asProject(namespace: Namespace): JsonObject {
  return {
    ...namespace,
    kind: 'Project',
    apiVersion: 'project.openshift.io/v1',
    spec: { finalizers: ['openshift.io/origin', 'kubernetes'] },
  };
}

/** Projects one may see, and namespaces by name: both are the same thing. */
export function projects(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const { type, name } = target;
  const { store } = cluster;
  function show(namespace: Namespace): JsonObject {
    return type.plural === PROJECTS.plural ? asProject(namespace) : namespace;
  }
  if (name === undefined) {
    if (type.plural !== PROJECTS.plural)
      throw forbidden(request.user, verbOf(request, false), type, undefined, undefined);
    if (request.method !== 'GET') throw forbidden(request.user, 'create', type, undefined, undefined);
    const mine = store
      .list(NAMESPACES)
      .filter((namespace) => cluster.access.mayUse(request.user, namespace.metadata.name));
    if (wantsTable(request)) return ok(asTable(PROJECTS, mine, String(store.version), cluster.clock.now()));
    if (request.query.get('watch')) return watchProjects(cluster, request);
    return ok({
      kind: 'ProjectList',
      apiVersion: 'project.openshift.io/v1',
      metadata: { resourceVersion: String(store.version) },
      items: mine.map((namespace) => {
        const { kind: _kind, apiVersion: _apiVersion, ...rest } = asProject(namespace);
        return rest;
      }),
    });
  }
  // Of a project one may not see it is not said whether it exists.
  if (!cluster.access.mayUse(request.user, name))
    throw forbidden(request.user, verbOf(request), type, name, name);
  const found = store.get(NAMESPACES, undefined, name);
  if (!found) throw notFound(type, name);
  if (request.method === 'GET')
    return ok(wantsTable(request) ? asTable(PROJECTS, [found], undefined, cluster.clock.now()) : show(found));
  if (request.method !== 'DELETE') throw methodNotAllowed();
  store.change(NAMESPACES, undefined, name, (draft) => {
    draft.metadata.deletionTimestamp ??= store.now();
    draft.status.phase = 'Terminating';
  });
  const after = store.get(NAMESPACES, undefined, name);
  if (!after) throw new StatusError(404, 'NotFound', `namespaces "${name}" not found`);
  return type.plural === PROJECTS.plural
    ? ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' })
    : ok(after);
}

function watchProjects(cluster: Cluster, request: ApiRequest): Answer {
  const since = request.query.get('resourceVersion');
  return {
    kind: 'stream',
    contentType: 'application/json',
    write(response) {
      response.flushHeaders();
      const stop = watch(
        cluster.store,
        cluster.clock,
        {
          type: NAMESPACES,
          namespace: undefined,
          since: since === null || since === '' || since === '0' ? undefined : Number(since),
          matches: (object) => cluster.access.mayUse(request.user, object.metadata.name),
          bookmarks: false,
          bookmarkEveryMs: 60_000,
          timeoutMs: (Number(request.query.get('timeoutSeconds')) || 1_800) * 1_000,
        },
        (event) => {
          const metadata = objectAt(event.object, 'metadata');
          const object =
            event.type === 'ERROR'
              ? event.object
              : { ...event.object, metadata, kind: 'Project', apiVersion: 'project.openshift.io/v1' };
          response.write(`${JSON.stringify({ type: event.type, object })}\n`);
        },
        () => response.end(),
      );
      response.on('close', stop);
    },
  };
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

export function verbOf(request: ApiRequest, named = true): string {
  if (request.method === 'GET' && !named) return request.query.get('watch') ? 'watch' : 'list';
  return VERBS[request.method] ?? request.method.toLowerCase();
}
