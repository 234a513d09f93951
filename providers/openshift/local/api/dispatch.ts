import { ANONYMOUS } from '../access.ts';
import { type Cluster, isAggregated } from '../cluster.ts';
import { coreVersions, group, groupList, resourceList, VERSION } from '../discovery.ts';
import { forbidden, methodNotAllowed, noSuchResource, unauthorized } from '../errors.ts';
import { openApiDocument, openApiIndex } from '../openapi.ts';
import {
  BUILD_CONFIGS,
  BUILDS,
  IMAGE_STREAM_MAPPINGS,
  IMAGE_STREAM_TAGS,
  NAMESPACES,
  POD_METRICS,
  PODS,
  PROCESSED_TEMPLATES,
  PROJECT_REQUESTS,
  PROJECTS,
  type ResourceType,
  SELF_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_REVIEWS,
  SELF_SUBJECT_RULES_REVIEWS,
  SERVICE_ACCOUNTS,
  TOKEN_REVIEWS,
} from '../resources.ts';
import { buildLog, cloneBuild, instantiate, instantiateBinary } from './builds.ts';
import { handleResource } from './crud.ts';
import { type Answer, type ApiRequest, ok, plain, type Target } from './http.ts';
import { imageStreamMapping, imageStreamTags } from './image-tags.ts';
import { oauth } from './oauth.ts';
import { podLog } from './pod-log.ts';
import { podMetrics } from './pod-metrics.ts';
import { projectRequests, projects, terminateNamespace, verbOf } from './projects.ts';
import { existing } from './reads.ts';
import {
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  tokenReview,
} from './reviews.ts';
import { handleScale } from './scale.ts';
import { processedTemplates } from './templates.ts';
import { tokenRequest } from './tokens.ts';

/** Some clients ask for the old document too, in this form only; no bytes are a valid one without definitions. */
const OPENAPI_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** From a path to its handler. Throws StatusErrors; unknown groups are plain text, as the real server's are. */
export async function dispatch(
  cluster: Cluster,
  request: Omit<ApiRequest, 'user'>,
  path: string,
): Promise<Answer> {
  const open = unauthenticated(path) ?? oauth(cluster, request, path);
  if (open) return open;
  const user = cluster.access.identify(request.headers.authorization);
  if (user === undefined) throw unauthorized();
  return authenticated(cluster, { ...request, user }, path);
}

/** Health and version are for everybody. */
function unauthenticated(path: string): Answer | undefined {
  if (/^\/(readyz|livez|healthz)(\/|$)/.test(path)) return plain('ok');
  return path === '/version' ? ok(VERSION) : undefined;
}

async function authenticated(cluster: Cluster, request: ApiRequest, path: string): Promise<Answer> {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const [root, first = '', second = ''] = parts;
  const types = cluster.served;
  if (root === 'openapi' && first === 'v3') {
    if (parts.length === 2) return ok(openApiIndex(types));
    const document = openApiDocument(types, parts.slice(2).join('/'));
    return document ? ok(document) : notServed();
  }
  if (path === '/openapi/v2') return { kind: 'text', code: 200, text: '', contentType: OPENAPI_V2 };
  if (root === 'api') {
    if (parts.length === 1) return ok(coreVersions(request.headers.host ?? ''));
    const list = resourceList(types, '', first);
    if (!list) return notServed();
    return parts.length === 2 ? ok(list) : resource(cluster, request, '', first, parts.slice(2));
  }
  if (root === 'apis') {
    if (parts.length === 1) return ok(groupList(types));
    const found = group(types, first);
    if (!found) return notServed();
    if (parts.length === 2) return ok(found);
    const list = resourceList(types, first, second);
    if (!list) return notServed();
    if (parts.length === 3 && isAggregated(cluster, first)) noteAggregation(request);
    return parts.length === 3 ? ok(list) : resource(cluster, request, first, second, parts.slice(3));
  }
  return notServed();
}

/** OpenShift's own groups are served by API servers of their own, and those forbid keeping answers in stronger words. */
function noteAggregation(request: Pick<ApiRequest, 'response'>): void {
  request.response.setHeader('cache-control', 'no-cache, private, no-store');
}

function notServed(): Answer {
  return plain('404 page not found\n', 404);
}

/** `rest` is what follows the version: `namespaces/shop/deployments/app/scale`. */
async function resource(
  cluster: Cluster,
  request: ApiRequest,
  groupName: string,
  version: string,
  rest: readonly string[],
): Promise<Answer> {
  const target = locate(cluster.served, groupName, version, rest);
  if (!target) throw noSuchResource();
  const { type, name } = target;
  const isReview = REVIEWS.has(type);
  if (!isReview) authorize(cluster, request, target);
  if (isAggregated(cluster, groupName)) noteAggregation(request);
  switch (type) {
    case PROJECT_REQUESTS:
      return projectRequests(cluster, request);
    case PROJECTS:
      return projects(cluster, request, target);
    case SELF_SUBJECT_REVIEWS:
      return selfSubjectReview(cluster, request);
    case SELF_SUBJECT_ACCESS_REVIEWS:
      return selfSubjectAccessReview(cluster, request);
    case SELF_SUBJECT_RULES_REVIEWS:
      return selfSubjectRulesReview(cluster, request);
    case POD_METRICS:
      return podMetrics(cluster, request, target);
    case PROCESSED_TEMPLATES:
      return processedTemplates(cluster, request, target);
    case TOKEN_REVIEWS:
      return tokenReview(cluster, request);
    case IMAGE_STREAM_MAPPINGS:
      return imageStreamMapping(cluster, request, target);
    case IMAGE_STREAM_TAGS:
      return imageStreamTags(cluster, request, target);
  }
  if (target.subresource !== undefined && name !== undefined)
    return subresource(cluster, request, target, name);
  if (type === NAMESPACES && request.method === 'DELETE' && name !== undefined)
    return ok(terminateNamespace(cluster, NAMESPACES, name));
  return handleResource(cluster, request, target);
}

/** What everybody who is somebody may ask about themselves. */
const REVIEWS: ReadonlySet<ResourceType> = new Set<ResourceType>([
  SELF_SUBJECT_REVIEWS,
  SELF_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_RULES_REVIEWS,
]);

function authorize(cluster: Cluster, request: ApiRequest, target: Target): void {
  const { user } = request;
  const { type, name, subresource: sub } = target;
  const verb = verbOf(request, name !== undefined);
  if (user !== ANONYMOUS) {
    // Everybody may ask for a project, and sees those that are theirs.
    if (type === PROJECT_REQUESTS || (type === PROJECTS && name === undefined && request.method === 'GET'))
      return;
    // Rights on a project are rights within it.
    const namespace = type === NAMESPACES || type === PROJECTS ? name : target.namespace;
    const resource = sub === undefined ? type.plural : `${type.plural}/${sub}`;
    if (cluster.access.allows(user, { verb, group: type.group, resource, namespace, name })) return;
  }
  throw forbidden(user, verb, type, name, type === NAMESPACES ? name : target.namespace, sub);
}

async function subresource(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  const { type, subresource: sub } = target;
  if (!type.subresources.some((known) => known.name === sub)) throw noSuchResource();
  if (sub === 'scale') return handleScale(cluster, request, target, name);
  if (type === PODS && sub === 'log') return podLog(cluster, request, target, name);
  if (type === BUILDS && sub === 'log') return buildLog(cluster, request, target, name);
  if (type === BUILD_CONFIGS && sub === 'instantiatebinary')
    return instantiateBinary(cluster, request, target, name);
  if (type === BUILD_CONFIGS && sub === 'instantiate') return instantiate(cluster, request, target, name);
  if (type === BUILDS && sub === 'clone') return cloneBuild(cluster, request, target, name);
  if (type === SERVICE_ACCOUNTS && sub === 'token') return tokenRequest(cluster, request, target, name);
  // Status is written by our own controllers only; everybody may read it.
  if (request.method !== 'GET') throw methodNotAllowed();
  return ok(existing(cluster, target, name));
}

function locate(
  served: readonly ResourceType[],
  groupName: string,
  version: string,
  rest: readonly string[],
): Target | undefined {
  const [first, second, third] = rest;
  function find(plural: string): ResourceType | undefined {
    return served.find(
      (type) => type.group === groupName && type.version === version && type.plural === plural,
    );
  }
  if (first === 'namespaces' && second !== undefined && third !== undefined) {
    const type = find(third);
    if (type?.namespaced) return place(type, second, rest.slice(3));
  }
  const type = find(first ?? '');
  return type ? place(type, undefined, rest.slice(1)) : undefined;
}

function place(
  type: ResourceType,
  namespace: string | undefined,
  rest: readonly string[],
): Target | undefined {
  if (rest.length > 2) return undefined;
  return { type, namespace, name: rest[0], subresource: rest[1] };
}
