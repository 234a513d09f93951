import { registryKey } from '../../src/core/image.ts';
import { type PlanChange, SECRET_VALUE, type TargetSpec } from '../../src/core/provider.ts';
import type { Manifest } from './client.ts';
import { isOurs, ownerLabels, pullSecretName } from './names.ts';
import { SECRET } from './resources.ts';
import type { Site } from './site.ts';
import type { Secret } from './wire.ts';

const DOCKER_CONFIG = '.dockerconfigjson';

/** Who may pull the application's image, as `docker login` would write it; undefined where everybody may. */
export function pullSecret({ application, image }: TargetSpec): Manifest | undefined {
  if (image?.registry === undefined) return undefined;
  const { username, password } = image.registry;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const config = JSON.stringify({ auths: { [registryKey(image)]: { username, password, auth } } });
  return {
    apiVersion: SECRET.apiVersion,
    kind: SECRET.kind,
    metadata: { name: pullSecretName(application), labels: ownerLabels(application) },
    type: 'kubernetes.io/dockerconfigjson',
    data: { [DOCKER_CONFIG]: Buffer.from(config).toString('base64') },
  };
}

/** The part of a pod that names it. */
export function pullSecretsOf({ application, image }: TargetSpec): object {
  return image?.registry === undefined ? {} : { imagePullSecrets: [{ name: pullSecretName(application) }] };
}

export async function heldPullSecret(
  site: Site,
  { application, image }: TargetSpec,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  if (image?.registry === undefined) return undefined;
  const held = await site.client.get(SECRET, pullSecretName(application), signal);
  return held && isOurs(held.metadata, application) ? held : undefined;
}

/** Credentials are no part of a release: without this line new ones would wait until the next release. */
export function registryChanges(want: TargetSpec, held: Secret | undefined): readonly PlanChange[] {
  const wanted = pullSecret(want) as (Manifest & { data: Record<string, string> }) | undefined;
  if (wanted === undefined) return [];
  const field = 'registry credentials';
  if (held === undefined) return [{ action: 'create', field, to: SECRET_VALUE, destructive: false }];
  if (held.data[DOCKER_CONFIG] === wanted.data[DOCKER_CONFIG])
    return [{ action: 'none', field, destructive: false }];
  return [{ action: 'change', field, from: SECRET_VALUE, to: SECRET_VALUE, destructive: false }];
}
