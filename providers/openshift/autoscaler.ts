import { hasClass, platformError } from '../../src/core/errors.ts';
import type { Replicas } from './manifests.ts';
import { AUTOSCALER } from './resources.ts';
import type { Site } from './site.ts';
import type { Autoscaler, Deployment } from './wire.ts';

/** The autoscaler somebody set on the application, if any. One we may not see cannot be heeded. */
export async function autoscalerOf(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<Autoscaler | undefined> {
  try {
    const all = await site.client.list(AUTOSCALER, '', signal);
    return all.find(
      ({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === application,
    );
  } catch (error) {
    if (hasClass(error, 'forbidden') || hasClass(error, 'unsupported')) return undefined;
    throw error;
  }
}

/**
 * What a manifest says of replicas. Beside an autoscaler nothing, once the number is somebody else's field; until then
 * what is there now, because leaving out a field that is ours alone would set it back to 1.
 */
export function replicasFor(
  autoscaler: Autoscaler | undefined,
  live: Deployment | undefined,
  wanted: number,
): Replicas {
  if (!autoscaler) return wanted;
  if (!live) return Math.min(Math.max(wanted, autoscaler.spec.minReplicas), autoscaler.spec.maxReplicas);
  const isElsewhere = live.metadata.managedFields.some(({ subresource }) => subresource === 'scale');
  return isElsewhere ? 'autoscaled' : live.spec.replicas;
}

export function nameOf({ metadata, spec }: Autoscaler): string {
  return `HorizontalPodAutoscaler ${metadata.name} (${spec.minReplicas} to ${spec.maxReplicas})`;
}

/** More than the autoscaler runs now: its bounds are its owner's to move. */
export function refuseBeside(site: Site, autoscaler: Autoscaler, now: number, wanted: number): Error {
  const what = nameOf(autoscaler);
  return platformError('conflict', site.platform, `the number of instances belongs to ${what}`, {
    why: `it runs ${now}, and whoever wrote ${wanted} instead would be overruled by it`,
    remedy: `raise its minReplicas to ${wanted} (\`oc edit hpa ${autoscaler.metadata.name}\`), or delete it`,
  });
}
