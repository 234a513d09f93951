import { isoTime } from '../../../../src/lib/iso-time.ts';
import { recordUpdate } from '../apply.ts';
import type { Cluster } from '../cluster.ts';
import { methodNotAllowed, notFound } from '../errors.ts';
import { at, objectAt } from '../json.ts';
import { SERVICE_ACCOUNTS } from '../resources.ts';
import type { KubeObject } from '../types.ts';
import { type Answer, type ApiRequest, managerOf, ok, readObject, type Target } from './http.ts';

/** A bound token of a service account: what a server uses instead of a person's login. It expires. */
export async function tokenRequest(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  if (request.method !== 'POST') throw methodNotAllowed();
  const { namespace = '' } = target;
  if (!cluster.store.get(SERVICE_ACCOUNTS, namespace, name)) throw notFound(SERVICE_ACCOUNTS, name);
  const body = await readObject(request);
  const wanted = at(body, 'spec', 'expirationSeconds');
  const seconds = typeof wanted === 'number' ? wanted : 3_600;
  const lifetimeMs = seconds * 1_000;
  const draft: KubeObject = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: cluster.store.now() },
    spec: objectAt(body, 'spec'),
  };
  recordUpdate(undefined, draft, {
    manager: managerOf(request),
    time: cluster.store.now(),
    subresource: 'token',
  });
  return ok(
    {
      ...draft,
      spec: {
        audiences: ['https://kubernetes.default.svc'],
        expirationSeconds: seconds,
        boundObjectRef: null,
      },
      status: {
        token: cluster.access.issue(`system:serviceaccount:${namespace}:${name}`, {
          lifetimeMs,
          isBound: true,
        }),
        expirationTimestamp: `${isoTime(cluster.clock.now() + lifetimeMs).slice(0, 19)}Z`,
      },
    },
    201,
  );
}
