import type { Cluster } from '../cluster.ts';
import { deleteObject, type Propagation } from '../deletion.ts';
import { badRequest, modified } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { groupVersion, type ResourceType } from '../resources.ts';
import type { KubeObject } from '../types.ts';
import { type Answer, type ApiRequest, isDryRun, ok, readBody, type Target } from './http.ts';
import { asListItem, existing, matcher } from './reads.ts';

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

export async function remove(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
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

export async function removeAll(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
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

function success(type: ResourceType, object: KubeObject): JsonObject {
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
