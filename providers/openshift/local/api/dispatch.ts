import { ANONYMOUS } from '../access.ts';
import type { Cluster } from '../cluster.ts';
import { coreVersions, group, groupList, resourceList, VERSION } from '../discovery.ts';
import { forbidden, methodNotAllowed, noSuchResource, unauthorized } from '../errors.ts';
import { openApiDocument, openApiIndex } from '../openapi.ts';
import {
  BUILD_CONFIGS,
  BUILDS,
  findResource,
  IMAGE_STREAM_TAGS,
  NAMESPACES,
  PODS,
  PROJECT_REQUESTS,
  PROJECTS,
  type ResourceType,
  SELF_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_REVIEWS,
  SERVICE_ACCOUNTS,
} from '../resources.ts';
import { buildLog, instantiate, instantiateBinary } from './builds.ts';
import { handleResource } from './crud.ts';
import { type Answer, type ApiRequest, ok, plain, type Target } from './http.ts';
import { imageStreamTags } from './image-tags.ts';
import { podLog } from './pod-log.ts';
import { projectRequests, projects, verbOf } from './projects.ts';
import { existing } from './reads.ts';
import { selfSubjectAccessReview, selfSubjectReview } from './reviews.ts';
import { handleScale } from './scale.ts';
import { tokenRequest } from './tokens.ts';

/** Some clients ask for the old document too, in this form only; no bytes are a valid one without definitions. */
const OPENAPI_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** From a path to its handler. Throws StatusErrors; unknown groups are plain text, as the real server's are. */
export async function dispatch(
  cluster: Cluster,
  request: Omit<ApiRequest, 'user'>,
  path: string,
): Promise<Answer> {
  const open = unauthenticated(path);
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
  if (root === 'openapi' && first === 'v3') {
    if (parts.length === 2) return ok(openApiIndex());
    const document = openApiDocument(parts.slice(2).join('/'));
    return document ? ok(document) : notServed();
  }
  if (path === '/openapi/v2') return { kind: 'text', code: 200, text: '', contentType: OPENAPI_V2 };
  if (root === 'api') {
    if (parts.length === 1) return ok(coreVersions(request.headers.host ?? ''));
    const list = resourceList('', first);
    if (!list) return notServed();
    return parts.length === 2 ? ok(list) : resource(cluster, request, '', first, parts.slice(2));
  }
  if (root === 'apis') {
    if (parts.length === 1) return ok(groupList());
    const found = group(first);
    if (!found) return notServed();
    if (parts.length === 2) return ok(found);
    const list = resourceList(first, second);
    if (!list) return notServed();
    return parts.length === 3 ? ok(list) : resource(cluster, request, first, second, parts.slice(3));
  }
  return notServed();
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
  const target = locate(groupName, version, rest);
  if (!target) throw noSuchResource();
  const { type, namespace, name } = target;
  if (type === PROJECT_REQUESTS || type === PROJECTS || type === NAMESPACES) {
    if (request.user === ANONYMOUS)
      throw forbidden(request.user, verbOf(request, name !== undefined), type, name, undefined);
    return type === PROJECT_REQUESTS ? projectRequests(cluster, request) : projects(cluster, request, target);
  }
  if (type === SELF_SUBJECT_REVIEWS) return selfSubjectReview(cluster, request);
  if (type === SELF_SUBJECT_ACCESS_REVIEWS) return selfSubjectAccessReview(cluster, request);
  if (namespace === undefined || !cluster.access.mayUse(request.user, namespace)) {
    throw forbidden(request.user, verbOf(request, name !== undefined), type, name, namespace);
  }
  if (target.subresource !== undefined && name !== undefined)
    return subresource(cluster, request, target, name);
  if (type === IMAGE_STREAM_TAGS) return imageStreamTags(cluster, request, target);
  return handleResource(cluster, request, target);
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
  if (type === BUILD_CONFIGS && sub === 'instantiate') return instantiate(cluster, target, name);
  if (type === SERVICE_ACCOUNTS && sub === 'token') return tokenRequest(cluster, request, target, name);
  // Status is written by our own controllers only; everybody may read it.
  if (request.method !== 'GET') throw methodNotAllowed();
  return ok(existing(cluster, target, name));
}

function locate(groupName: string, version: string, rest: readonly string[]): Target | undefined {
  const [first, second, third] = rest;
  if (first === 'namespaces' && second !== undefined && third !== undefined) {
    const type = findResource(groupName, version, third);
    if (type?.namespaced) return place(type, second, rest.slice(3));
  }
  const type = findResource(groupName, version, first ?? '');
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
