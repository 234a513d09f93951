import { hasClass } from '../../src/core/errors.ts';
import type { OperationStatus, ProviderContext } from '../../src/core/provider.ts';
import type { MadeService } from '../../src/core/service-power.ts';
import { APPLICATION, isServiceOf, SERVICE_NAME, selector, serviceLabels } from './names.ts';
import { parseQuantity } from './quantity.ts';
import { CLAIM, EVENT, POD } from './resources.ts';
import { foreignError, type Site } from './site.ts';
import { failed } from './status.ts';
import { claimManifest, refusal, sizeText, type VolumeSpec } from './volumes.ts';
import type { Claim, Happening } from './wire.ts';

/** A provisioner that tries again may succeed; one that is not there never does, and says nothing. */
const LONGEST_MS = 5 * 60_000;

/** Made, or made larger; what no claim can become is refused in words before the API does. */
export async function ensureClaim(
  site: Site,
  application: string,
  volume: VolumeSpec,
  signal: AbortSignal,
): Promise<void> {
  const manifest = claimManifest(application, volume);
  const there = await site.client.get(CLAIM, manifest.metadata.name, signal);
  if (there !== undefined) {
    if (!isServiceOf(there.metadata, application))
      throw foreignError(site, [`${CLAIM.kind} ${manifest.metadata.name}`]);
    const refused = refusal(site.platform, volume, there);
    if (refused !== undefined) throw refused;
  }
  await site.client.apply(CLAIM, manifest, there !== undefined, signal);
}

/** Undefined: it is there, or comes with the first instance that wants it. */
export async function pollClaim(
  site: Site,
  context: ProviderContext,
  name: string,
  startedAt: number,
): Promise<OperationStatus | undefined> {
  const claim = await site.client.get(CLAIM, name, context.signal);
  if (claim === undefined) return { state: 'lost', message: `PersistentVolumeClaim ${name} is gone` };
  const what = `PersistentVolumeClaim ${name}`;
  if (claim.status.phase === 'Lost') {
    return failed('unavailable', site, `${what} has lost its volume`, {
      why: `it was bound to ${claim.spec.volumeName ?? 'a volume'}, which does not exist any more`,
      remedy: 'an administrator may bring the volume back; else remove the claim, and what it held is gone',
    });
  }
  if (claim.status.phase === 'Bound') return growing(claim, context.now() - startedAt);
  const last = await lastEvent(site, name, context.signal);
  if (last?.reason === 'WaitForFirstConsumer') return undefined;
  const why = last === undefined ? 'nothing provisions it yet' : `${last.reason}: ${last.message}`;
  const isHopeless = /storageclass\.storage\.k8s\.io "[^"]*" not found/.test(why);
  if (!isHopeless && context.now() - startedAt < LONGEST_MS)
    return { state: 'running', message: `${what}: ${why}`, retryAfterMs: 500 };
  return failed(isHopeless ? 'invalid' : 'timeout', site, `${what} is not bound`, {
    ...{
      why,
      remedy: 'name a `storageClass` that there is (oc get storageclass), or ask an administrator for one',
    },
  });
}

/** A driver that grows volumes only while they are not used does so with the next restart: nothing to wait for. */
function growing({ spec, status, metadata }: Claim, sinceMs: number): OperationStatus | undefined {
  const wanted = parseQuantity(spec.resources.requests['storage'] ?? '') ?? 0;
  const held = parseQuantity(status.capacity['storage'] ?? '') ?? wanted;
  const waits = status.conditions.some(
    ({ type, status: is }) => type === 'FileSystemResizePending' && is === 'True',
  );
  if (held >= wanted || waits || sinceMs > LONGEST_MS) return undefined;
  const message = `PersistentVolumeClaim ${metadata.name} grows from ${sizeText(held)} to ${sizeText(wanted)}`;
  return { state: 'running', message, retryAfterMs: 500 };
}

async function lastEvent(site: Site, claim: string, signal: AbortSignal): Promise<Happening | undefined> {
  try {
    const events = await site.client.list(EVENT, '', signal);
    return events
      .filter(({ involvedObject: { kind, name } }) => kind === CLAIM.kind && name === claim)
      .sort((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
      .at(-1);
  } catch (error) {
    // Not every account may look.
    if (hasClass(error, 'forbidden', 'unsupported')) return undefined;
    throw error;
  }
}

export async function claimsOf(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<readonly Claim[]> {
  return site.client.list(CLAIM, selector(serviceLabels(application)), signal);
}

/** With who else mounts them: a claim is not gone before its last pod is. */
export async function madeClaims(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<readonly MadeService[]> {
  const claims = await claimsOf(site, application, signal);
  if (claims.length === 0) return [];
  const pods = await site.client.list(POD, '', signal);
  return claims.map(({ metadata: { name, labels } }) => ({
    service: labels[SERVICE_NAME] ?? name,
    what: `PersistentVolumeClaim ${name}`,
    usedBy: pods.flatMap(({ metadata, spec, status }) => {
      const of = metadata.labels[APPLICATION];
      const isOurs =
        of === application || of?.startsWith(`${application}--`) || isServiceOf(metadata, application);
      const hasEnded = status.phase === 'Succeeded' || status.phase === 'Failed';
      const mounts = spec.volumes.some(
        ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name,
      );
      return mounts && !isOurs && !hasEnded ? [`Pod ${metadata.name}`] : [];
    }),
  }));
}
