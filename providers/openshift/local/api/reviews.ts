import { recordUpdate } from '../apply.ts';
import type { Cluster } from '../cluster.ts';
import { methodNotAllowed } from '../errors.ts';
import { type JsonObject, objectAt, textAt } from '../json.ts';
import {
  groupVersion,
  type ResourceType,
  SELF_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_REVIEWS,
  SELF_SUBJECT_RULES_REVIEWS,
  TOKEN_REVIEWS,
} from '../resources.ts';
import type { KubeObject } from '../types.ts';
import { type Answer, type ApiRequest, managerOf, ok, readObject } from './http.ts';

/** Who am I. */
export async function selfSubjectReview(cluster: Cluster, request: ApiRequest): Promise<Answer> {
  await question(request);
  return ok(
    {
      kind: 'SelfSubjectReview',
      apiVersion: groupVersion(SELF_SUBJECT_REVIEWS),
      metadata: { creationTimestamp: cluster.store.now() },
      status: { userInfo: userInfo(cluster, request.user) },
    },
    201,
  );
}

function userInfo(cluster: Cluster, user: string): JsonObject {
  return { username: user, uid: `${user}-uid`, groups: [...cluster.access.groupsOf(user)] };
}

/** May I. Outside of namespaces everybody may only ask for projects. */
export async function selfSubjectAccessReview(cluster: Cluster, request: ApiRequest): Promise<Answer> {
  const body = await question(request);
  const wanted = objectAt(body, 'spec', 'resourceAttributes');
  const verb = textAt(wanted, 'verb') ?? '';
  const group = textAt(wanted, 'group') ?? '';
  const sub = textAt(wanted, 'subresource');
  const plural = textAt(wanted, 'resource') ?? '';
  const namespace = textAt(wanted, 'namespace') || undefined;
  const resource = sub ? `${plural}/${sub}` : plural;
  const known = cluster.served.some((type) => type.plural === plural && type.group === group);
  const allowed =
    (plural === 'projectrequests' && ['create', 'list'].includes(verb)) ||
    (known && cluster.access.allows(request.user, { verb, group, resource, namespace }));
  return ok(
    reviewed(cluster, request, SELF_SUBJECT_ACCESS_REVIEWS, body, {
      allowed,
      ...(allowed ? { reason: `RBAC: allowed for User "${request.user}"` } : {}),
    }),
    201,
  );
}

/** What all may I, in one namespace. */
export async function selfSubjectRulesReview(cluster: Cluster, request: ApiRequest): Promise<Answer> {
  const body = await question(request);
  const rules = cluster.access.rulesOf(request.user, textAt(body, 'spec', 'namespace') ?? '');
  return ok(
    reviewed(cluster, request, SELF_SUBJECT_RULES_REVIEWS, body, {
      resourceRules: rules.map((rule) => ({ ...rule })),
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version'] }],
      incomplete: false,
    }),
    201,
  );
}

/** Whose is this token. */
export async function tokenReview(cluster: Cluster, request: ApiRequest): Promise<Answer> {
  const body = await question(request);
  const user = cluster.access.identify(`Bearer ${textAt(body, 'spec', 'token') ?? ''}`);
  return ok(
    reviewed(
      cluster,
      request,
      TOKEN_REVIEWS,
      body,
      user === undefined
        ? {
            user: {},
            error: '[invalid bearer token, token lookup failed]',
          }
        : {
            authenticated: true,
            user: userInfo(cluster, user),
            audiences: ['https://kubernetes.default.svc'],
          },
    ),
    201,
  );
}

async function question(request: ApiRequest): Promise<JsonObject> {
  if (request.method !== 'POST') throw methodNotAllowed();
  return readObject(request);
}

/** Reviews are never stored, and yet the server notes who wrote their fields. */
function reviewed(
  cluster: Cluster,
  request: ApiRequest,
  type: ResourceType,
  body: JsonObject,
  status: JsonObject,
): JsonObject {
  const draft: KubeObject = {
    kind: type.kind,
    apiVersion: groupVersion(type),
    metadata: { name: '', creationTimestamp: null },
    spec: objectAt(body, 'spec'),
  };
  recordUpdate(undefined, draft, { manager: managerOf(request), time: cluster.store.now() });
  const { name: _unnamed, ...metadata } = draft.metadata;
  return { ...draft, metadata, status };
}
