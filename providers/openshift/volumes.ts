import { platformError, type SluiceError } from '../../src/core/errors.ts';
import type { PlanChange } from '../../src/core/provider.ts';
import type { ServiceSpec, VolumeClaim } from '../../src/core/services.ts';
import type { Manifest } from './client.ts';
import type { Mount } from './mounts.ts';
import { serviceLabels } from './names.ts';
import { parseQuantity } from './quantity.ts';
import { CLAIM } from './resources.ts';
import type { Claim } from './wire.ts';

const MEBIBYTE = 1_048_576;
export interface VolumeSpec {
  readonly service: string;
  readonly claim: VolumeClaim;
}

export function volumesIn(services: readonly ServiceSpec[]): readonly VolumeSpec[] {
  return services.flatMap(({ name, source }) =>
    source.how === 'volume' && source.claim !== undefined ? [{ service: name, claim: source.claim }] : [],
  );
}

export function claimName(application: string, service: string): string {
  return `${application}-${service}`;
}

export function mountOf(application: string, { service, claim }: VolumeSpec): Mount {
  return {
    ...{ service, claim: claimName(application, service), path: claim.mount },
    readOnly: claim.accessMode === 'ReadOnlyMany',
    exclusive: claim.accessMode === 'ReadWriteOnce',
  };
}

export function claimManifest(application: string, { service, claim }: VolumeSpec): Manifest {
  const { accessMode, storageClass } = claim;
  return {
    apiVersion: CLAIM.apiVersion,
    kind: CLAIM.kind,
    metadata: { name: claimName(application, service), labels: serviceLabels(application, service) },
    spec: {
      accessModes: [accessMode],
      resources: { requests: { storage: sizeText(claim.sizeBytes) } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    },
  };
}

/** Why this claim can never become what is wanted. */
export function refusal(
  platform: string,
  { service, claim }: VolumeSpec,
  there: Claim,
): SluiceError | undefined {
  const { name } = there.metadata;
  const { accessModes, storageClassName } = there.spec;
  const held =
    parseQuantity(there.status.capacity['storage'] ?? there.spec.resources.requests['storage'] ?? '') ?? 0;
  const remedy = `copy what is in it, remove it (oc delete pvc ${name}) and deploy again, or write what it is`;
  if (claim.sizeBytes < held) {
    return platformError('invalid', platform, `volume ${service} cannot shrink`, {
      why: `PersistentVolumeClaim ${name} holds ${sizeText(held)}, ${sizeText(claim.sizeBytes)} are wanted, and no volume gives anything back`,
      remedy: `write size: ${sizeText(held)}; or ${remedy}`,
    });
  }
  const was = !accessModes.includes(claim.accessMode)
    ? `access mode ${accessModes.join(', ')}, not ${claim.accessMode}`
    : claim.storageClass !== undefined &&
        storageClassName !== undefined &&
        storageClassName !== claim.storageClass
      ? `storage class ${storageClassName}, not ${claim.storageClass}`
      : undefined;
  if (was === undefined) return undefined;
  return platformError('invalid', platform, `volume ${service} cannot become another kind of volume`, {
    why: `PersistentVolumeClaim ${name} was made with ${was}, and nobody can change that afterwards`,
    remedy,
  });
}

export function volumeChanges(
  application: string,
  volumes: readonly VolumeSpec[],
  there: readonly Claim[],
): readonly PlanChange[] {
  return volumes.flatMap(({ service, claim }): PlanChange[] => {
    const held = there.find(({ metadata }) => metadata.name === claimName(application, service));
    const to = sizeText(claim.sizeBytes);
    const field = `volume ${service}`;
    if (held === undefined) return [{ action: 'create', field, to, destructive: false }];
    const from = held.spec.resources.requests['storage'] ?? '';
    if (parseQuantity(from) === claim.sizeBytes) return [];
    return [{ action: 'change', field, from, to, destructive: false }];
  });
}

export function sizeText(bytes: number): string {
  const gibibytes = bytes / (MEBIBYTE * 1_024);
  if (Number.isInteger(gibibytes)) return `${gibibytes}Gi`;
  return bytes % MEBIBYTE === 0 ? `${bytes / MEBIBYTE}Mi` : String(bytes);
}
