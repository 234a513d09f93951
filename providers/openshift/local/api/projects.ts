import { REQUESTER } from '../access.ts';
import type { Cluster } from '../cluster.ts';
import { alreadyExists, methodNotAllowed, notFound } from '../errors.ts';
import { objectAt, textAt } from '../json.ts';
import { NAMESPACES, PROJECT_REQUESTS, PROJECTS, type ResourceType } from '../resources.ts';
import { FIRST_VERSION } from '../store.ts';
import type { KubeObject, Namespace } from '../types.ts';
import { validate } from '../validation.ts';
import { watch } from '../watch.ts';
import { type Answer, type ApiRequest, ok, readObject, type Target } from './http.ts';
import { asListItem, isWatch } from './reads.ts';
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
    spec: { finalizers: ['openshift.io/origin', 'kubernetes'] },
    status: { phase: 'Active' },
  });
}

function asProject(namespace: Namespace): KubeObject {
  return {
    ...namespace,
    kind: 'Project',
    apiVersion: 'project.openshift.io/v1',
  };
}

/** Projects one may see: namespaces by another name. */
export function projects(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const { name } = target;
  const { store } = cluster;
  if (name === undefined) {
    if (request.method !== 'GET') throw methodNotAllowed();
    if (isWatch(request)) return watchProjects(cluster, request);
    const mine = store.list(NAMESPACES).filter((namespace) => isVisible(cluster, request.user, namespace));
    if (wantsTable(request)) return ok(asTable(PROJECTS, mine, String(store.version), cluster.clock.now()));
    return ok({
      kind: 'ProjectList',
      apiVersion: 'project.openshift.io/v1',
      // Made of a cache, not of one version of the store.
      metadata: {},
      items: mine.map((namespace) => asListItem(asProject(namespace))),
    });
  }
  const found = store.get(NAMESPACES, undefined, name);
  if (!found) throw notFound(NAMESPACES, name);
  if (request.method === 'GET') {
    return ok(
      wantsTable(request) ? asTable(PROJECTS, [found], undefined, cluster.clock.now()) : asProject(found),
    );
  }
  if (request.method !== 'DELETE') throw methodNotAllowed();
  terminateNamespace(cluster, NAMESPACES, name);
  return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
}

/** A project ends by itself, once it is empty. */
export function terminateNamespace(cluster: Cluster, type: ResourceType<Namespace>, name: string): Namespace {
  const after = cluster.store.change(type, undefined, name, (draft) => {
    draft.metadata.deletionTimestamp ??= cluster.store.now();
    draft.status.phase = 'Terminating';
  });
  if (!after) throw notFound(NAMESPACES, name);
  return after;
}

function isVisible(cluster: Cluster, user: string, namespace: KubeObject): boolean {
  const { name } = namespace.metadata;
  return cluster.access.allows(user, {
    verb: 'get',
    group: '',
    resource: 'namespaces',
    namespace: name,
    name,
  });
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
          floor: FIRST_VERSION,
          since: since === null || since === '' || since === '0' ? undefined : Number(since),
          matches: (object) => isVisible(cluster, request.user, object),
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
  if (request.method === 'GET' && !named) return isWatch(request) ? 'watch' : 'list';
  if (request.method === 'DELETE' && !named) return 'deletecollection';
  return VERBS[request.method] ?? request.method.toLowerCase();
}
