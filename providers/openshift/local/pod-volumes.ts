import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { Cluster } from './cluster.ts';
import { WAITING_STORAGE_CLASS } from './defaults.ts';
import type { Cause } from './errors.ts';
import { at, equal, listAt, textAt } from './json.ts';
import { dataOf } from './pod-environment.ts';
import type { Container, Pod, Volume } from './pod-types.ts';
import { quantity } from './quantity.ts';
import { PERSISTENT_VOLUME_CLAIMS } from './resources.ts';
import type { KubeObject } from './types.ts';

/** Keeps a claim for as long as a pod uses it. */
export const CLAIM_IN_USE = 'kubernetes.io/pvc-protection';
/** Where source-to-image puts an application: mounts below it appear in the process's own folder. */
const APPLICATION = '/opt/app-root/src';

export function claimCauses(object: KubeObject, before: KubeObject | undefined): Cause[] {
  const causes: Cause[] = [];
  if (listAt(object, 'spec', 'accessModes').length === 0) {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value: at least 1 access mode is required',
      field: 'spec.accessModes',
    });
  }
  if (!textAt(object, 'spec', 'resources', 'requests', 'storage')) {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value',
      field: 'spec.resources[storage]',
    });
  }
  for (const field of ['accessModes', 'storageClassName', 'volumeName']) {
    const was = at(before, 'spec', field);
    if (was !== undefined && !equal(was, at(object, 'spec', field))) {
      causes.push({
        reason: 'FieldValueForbidden',
        message:
          'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
        field: 'spec',
      });
      break;
    }
  }
  const held = quantity(textAt(before, 'status', 'capacity', 'storage'));
  const wanted = quantity(textAt(object, 'spec', 'resources', 'requests', 'storage'));
  if (held !== undefined && wanted !== undefined && wanted < held) {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: field can not be less than status.capacity',
      field: 'spec.resources.requests.storage',
    });
  }
  return causes;
}

export function claimsOf(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
}

/** Why a pod cannot be placed yet, in the scheduler's words; empty where it only waits. */
export function unboundClaim(cluster: Cluster, pod: Pod): string | undefined {
  for (const name of claimsOf(pod)) {
    const claim = cluster.store.get(PERSISTENT_VOLUME_CLAIMS, pod.metadata.namespace, name);
    if (!claim)
      return `0/1 nodes are available: persistentvolumeclaim "${name}" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`;
    // Its provisioner has begun, and nobody says anything meanwhile.
    if (claim.status.phase !== 'Bound' && claim.spec.storageClassName === WAITING_STORAGE_CLASS) return '';
    if (claim.status.phase !== 'Bound')
      return '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
  }
  return undefined;
}

/** The folder that is a claim's volume. */
export function volumeFolder(cluster: Pick<Cluster, 'dir'>, claimUid: string): string {
  return join(cluster.dir, 'volumes', claimUid);
}

/**
 * Puts a container's volumes into the folder it runs in: a process without a root of its own sees `/opt/app-root/src/x`
 * as `x`, and `/data` as `data`.
 */
export async function mountVolumes(
  cluster: Cluster,
  pod: Pod,
  container: Container,
  folder: string,
): Promise<void> {
  for (const mount of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (!volume) continue;
    const place = placeOf(mount.mountPath, folder);
    if (place === undefined) continue;
    await rm(place, { recursive: true, force: true });
    await mkdir(dirname(place), { recursive: true });
    await fill(cluster, pod, volume, place);
  }
}

function placeOf(mountPath: string, folder: string): string | undefined {
  const inside = posix.normalize(mountPath.replace(APPLICATION, '')).replace(/^[./]+/, '');
  return inside === '' ? undefined : join(folder, inside);
}

/** Whoever is told of a mount by a variable must find it, too: a value that is a mount's path becomes where it lies here. */
export function withMountPaths(
  values: Readonly<Record<string, string>>,
  container: Container,
  folder: string,
): Record<string, string> {
  const places = new Map(
    (container.volumeMounts ?? []).map(({ mountPath }) => [mountPath, placeOf(mountPath, folder)] as const),
  );
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, places.get(value) ?? value]),
  );
}

async function fill(cluster: Cluster, pod: Pod, volume: Volume, place: string): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  const claimName = volume.persistentVolumeClaim?.claimName;
  if (claimName !== undefined) {
    const claim = cluster.store.get(PERSISTENT_VOLUME_CLAIMS, namespace, claimName);
    await symlink(volumeFolder(cluster, claim?.metadata.uid ?? ''), place);
    return;
  }
  await mkdir(place, { recursive: true });
  const data = volume.secret
    ? dataOf(cluster.store, namespace, 'secret', volume.secret.secretName)
    : volume.configMap
      ? dataOf(cluster.store, namespace, 'configmap', volume.configMap.name)
      : undefined;
  for (const [name, text] of Object.entries(data ?? {})) {
    // Keys of both kinds are file names: no slash passes their validation on the real server.
    if (/^[-._a-zA-Z0-9]+$/.test(name) && name !== '..')
      await writeFile(join(place, name), text, { mode: 0o600 });
  }
}
