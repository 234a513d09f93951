import { recordUpdate } from '../apply.ts';
import type { Cluster } from '../cluster.ts';
import { badRequest, methodNotAllowed, modified, notFound } from '../errors.ts';
import { at, clone, type JsonObject } from '../json.ts';
import type { Deployment, ReplicaSet } from '../pod-types.ts';
import { DEPLOYMENTS, REPLICA_SETS, type ResourceType } from '../resources.ts';
import { formatSelector } from '../selectors.ts';
import {
  type Answer,
  type ApiRequest,
  isDryRun,
  managerOf,
  ok,
  readJson,
  readObject,
  type Target,
} from './http.ts';
import { PATCH_TYPES, patchType, patchWith } from './writes.ts';

/** `/scale`: the number of replicas and nothing else. Whoever writes it owns `spec.replicas` from then on. */
export async function handleScale(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  const type: ResourceType<Deployment> | ResourceType<ReplicaSet> =
    target.type.plural === DEPLOYMENTS.plural ? DEPLOYMENTS : REPLICA_SETS;
  const before = cluster.store.get<Deployment | ReplicaSet>(type, target.namespace, name);
  if (!before) throw notFound(target.type, name);
  if (request.method === 'GET') return ok(scaleOf(before));
  const wanted = await wantedScale(request, before);
  const version = at(wanted, 'metadata', 'resourceVersion');
  if (request.method === 'PUT' && version && version !== before.metadata.resourceVersion)
    throw modified(target.type, name);
  const replicas = at(wanted, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || replicas < 0)
    throw badRequest('spec.replicas must be a number of at least 0');
  const draft = clone(before);
  draft.spec.replicas = replicas;
  recordUpdate(before, draft, {
    manager: managerOf(request),
    time: cluster.store.now(),
    subresource: 'scale',
  });
  return ok(scaleOf(isDryRun(request) ? draft : cluster.store.replace<Deployment | ReplicaSet>(type, draft)));
}

async function wantedScale(request: ApiRequest, before: Deployment | ReplicaSet): Promise<JsonObject> {
  if (request.method === 'PUT') return readObject(request);
  if (request.method !== 'PATCH') throw methodNotAllowed();
  const mediaType = patchType(request, PATCH_TYPES);
  return patchWith(mediaType, scaleOf(before), await readJson(request));
}

function scaleOf(object: Deployment | ReplicaSet): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: object.spec.replicas },
    status: { replicas: object.status.replicas ?? 0, selector: formatSelector(object.spec.selector) },
  };
}
