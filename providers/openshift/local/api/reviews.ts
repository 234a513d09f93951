import { groupsOf } from '../access.ts';
import type { Cluster } from '../cluster.ts';
import { objectAt, textAt } from '../json.ts';
import { RESOURCES } from '../resources.ts';
import { type Answer, type ApiRequest, ok, readObject } from './http.ts';

/** Who am I. */
export function selfSubjectReview(cluster: Cluster, request: ApiRequest): Answer {
  return ok(
    {
      kind: 'SelfSubjectReview',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { creationTimestamp: cluster.store.now() },
      status: { userInfo: { username: request.user, groups: groupsOf(request.user) } },
    },
    201,
  );
}

/** May I. Inside an own project everything we serve, custom hosts included; outside only asking for projects. */
export async function selfSubjectAccessReview(cluster: Cluster, request: ApiRequest): Promise<Answer> {
  const body = await readObject(request);
  const wanted = objectAt(body, 'spec', 'resourceAttributes');
  const resource = textAt(wanted, 'resource') ?? '';
  const namespace = textAt(wanted, 'namespace') ?? '';
  const known = RESOURCES.some(
    (type) => type.plural === resource && type.group === (textAt(wanted, 'group') ?? ''),
  );
  const allowed =
    namespace === ''
      ? resource === 'projectrequests' && ['create', 'list'].includes(textAt(wanted, 'verb') ?? '')
      : known && cluster.access.mayUse(request.user, namespace);
  return ok(
    {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: { creationTimestamp: null },
      spec: objectAt(body, 'spec'),
      status: allowed
        ? {
            allowed,
            reason: `RBAC: allowed by RoleBinding "admin/${namespace}" of ClusterRole "admin" to User "${request.user}"`,
          }
        : { allowed },
    },
    201,
  );
}
