import type { TargetSpec } from '../../src/core/provider.ts';

/** A claim as the instances see it. */
export interface Mount {
  readonly service: string;
  readonly claim: string;
  readonly path: string;
  readonly readOnly: boolean;
  /** One node at a time may have it. */
  readonly exclusive: boolean;
}

/** What is wanted, with what its services hand out: variables in `env`, and folders. */
export interface PlacedSpec extends TargetSpec {
  readonly mounts?: readonly Mount[];
}

/** To be spread into a pod's spec. */
export function podVolumes(mounts: readonly Mount[]): object {
  if (mounts.length === 0) return {};
  return {
    volumes: mounts.map(({ service, claim, readOnly }) => ({
      name: service,
      persistentVolumeClaim: { claimName: claim, ...(readOnly ? { readOnly: true } : {}) },
    })),
  };
}

/** To be spread into a container. */
export function containerMounts(mounts: readonly Mount[]): object {
  if (mounts.length === 0) return {};
  return {
    volumeMounts: mounts.map(({ service, path, readOnly }) => ({
      ...{ name: service, mountPath: path },
      ...(readOnly ? { readOnly: true } : {}),
    })),
  };
}

/** Another pod on another node would wait for web to give it up, which web never does. */
export function mountsBeside({ mounts = [] }: PlacedSpec): readonly Mount[] {
  return mounts.filter(({ exclusive }) => !exclusive);
}

export function exclusiveMount({ mounts = [] }: PlacedSpec): Mount | undefined {
  return mounts.find(({ exclusive }) => exclusive);
}
