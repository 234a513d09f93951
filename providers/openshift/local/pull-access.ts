import { parseImage, type RegistryAccess, registryKey } from '../../../src/core/image.ts';
import type { Cluster } from './cluster.ts';
import { isObject, textAt } from './json.ts';
import type { PodSpec } from './pod-types.ts';
import { SECRETS } from './resources.ts';

/** What the pod's pull secrets say of the image's registry, as the kubelet reads them: those that are not there are passed over. */
export function pullAccess(
  { store }: Pick<Cluster, 'store'>,
  namespace: string,
  { imagePullSecrets = [] }: Pick<PodSpec, 'imagePullSecrets'>,
  image: string,
): RegistryAccess | undefined {
  const key = parseImage(image) === undefined ? undefined : registryKey({ reference: image });
  for (const { name } of imagePullSecrets) {
    const secret = name === undefined ? undefined : store.get(SECRETS, namespace, name);
    const written = secret?.data?.['.dockerconfigjson'];
    if (key === undefined || written === undefined) continue;
    const access = accessIn(Buffer.from(written, 'base64').toString(), key);
    if (access !== undefined) return access;
  }
  return undefined;
}

function accessIn(config: string, key: string): RegistryAccess | undefined {
  try {
    const parsed: unknown = JSON.parse(config);
    if (!isObject(parsed)) return undefined;
    const username = textAt(parsed, 'auths', key, 'username');
    const password = textAt(parsed, 'auths', key, 'password');
    return username === undefined || password === undefined ? undefined : { username, password };
  } catch {
    return undefined;
  }
}
