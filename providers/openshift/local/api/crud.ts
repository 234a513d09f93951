import type { Cluster } from '../cluster.ts';
import { methodNotAllowed, noSuchResource } from '../errors.ts';
import type { Answer, ApiRequest, Target } from './http.ts';
import { existing, isWatch, listObjects, shown, watchObjects } from './reads.ts';
import { remove, removeAll } from './removal.ts';
import { create, patch, update } from './writes.ts';

/** The verbs every stored kind has. */
export async function handleResource(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
  const { type, name } = target;
  // Over all namespaces one may only look, and at all of a kind.
  const isOverAll = type.namespaced && target.namespace === undefined;
  if (isOverAll && name !== undefined) throw noSuchResource();
  if (isOverAll && request.method !== 'GET') throw methodNotAllowed();
  if (request.method === 'GET') {
    if (name !== undefined) return shown(cluster, request, type, existing(cluster, target, name));
    return isWatch(request) ? watchObjects(cluster, request, target) : listObjects(cluster, request, target);
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
