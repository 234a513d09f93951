import { hasClass, platformError, SluiceError, toWire } from '../../src/core/errors.ts';
import type { Observation, PlanCheck, ProviderContext, TargetSpec } from '../../src/core/provider.ts';
import type { Manifest } from './client.ts';
import { DEFAULT_BUILDER } from './config.ts';
import * as manifests from './manifests.ts';
import { lacking } from './needs.ts';
import { parseQuantity } from './quantity.ts';
import { CLAIM, DEPLOYMENT, RESOURCE_QUOTA, type Resource, SECRET, SERVICE } from './resources.ts';
import { rightChecks } from './rights.ts';
import { heldKinds, type Site } from './site.ts';
import { claimManifest, claimName, refusal, volumesIn } from './volumes.ts';
import type { ResourceQuota } from './wire.ts';

const MEBIBYTE = 1_048_576;
/** The image is known only after the build; for a dry run any that reads like one will do. */
const SOME_IMAGE = `registry.invalid/some/image@sha256:${'0'.repeat(64)}`;

/** Rights, quotas, and what the API says to all that would be applied, without applying it. */
export async function check(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  seen: Observation,
): Promise<readonly PlanCheck[]> {
  if (seen.foreign.length > 0) return [];
  const { signal } = context;
  const lack = lacking(site, want);
  if (lack) return [{ what: 'what the cluster has', found: 'not all that it needs', error: toWire(lack) }];
  const builder = builderCheck(site, want);
  if (builder !== undefined) return [builder];
  const rights = await rightChecks(site, want, signal);
  // Without the rights everything else fails for want of them.
  if (rights.some((one) => one.error !== undefined)) return rights;
  const [quotas, tries, volumes] = await Promise.all([
    quotaChecks(site, want, seen, signal),
    dryRuns(site, want, signal),
    volumeChecks(site, want, signal),
  ]);
  return [...rights, ...quotas, ...tries, ...volumes];
}

/** The builder of Node applications wants a package.json; what another one takes, its user knows. */
function builderCheck(site: Site, { release }: TargetSpec): PlanCheck | undefined {
  const { builder } = site.options;
  if (release.program === undefined || builder !== DEFAULT_BUILDER) return undefined;
  const error = platformError('unsupported', site.platform, 'a program alone is not built there', {
    why: `${release.program} is no source that the builder ${builder} knows what to do with`,
    remedy:
      'put it into a container image and use `image:`, or name a `builder` of this platform that takes programs',
  });
  return { what: 'builder', found: builder, error: toWire(error) };
}

async function quotaChecks(
  site: Site,
  want: TargetSpec,
  seen: Observation,
  signal: AbortSignal,
): Promise<readonly PlanCheck[]> {
  const quotas = await site.client.list(RESOURCE_QUOTA, '', signal).catch((error: unknown) => {
    // Not every account may look; then the refusal itself will tell.
    if (hasClass(error, 'forbidden', 'unsupported', 'notFound')) return [];
    throw error;
  });
  const more = addedInstances(want, seen);
  return quotas.flatMap((quota) => quotaLines(site, quota, more, want));
}

/** One is added before an old one goes; what grows stays. Pure. */
export function addedInstances(want: TargetSpec, seen: Observation): number {
  const grown = want.process.instances - seen.desired;
  const isRolled = seen.desired > 0 && seen.serving !== want.release.id;
  return Math.max(0, grown) + (isRolled ? 1 : 0);
}

function quotaLines(site: Site, quota: ResourceQuota, more: number, want: TargetSpec): readonly PlanCheck[] {
  const memory = Math.max(1, Math.round(want.process.memoryBytes / MEBIBYTE)) * MEBIBYTE * more;
  const needs: readonly (readonly [string, number])[] = [
    ['limits.memory', memory],
    ['requests.memory', memory],
    ['memory', memory],
    ['pods', more],
    ['count/pods', more],
  ];
  return needs.flatMap(([name, need]) => {
    const limit = quota.status.hard[name];
    const used = quota.status.used[name] ?? '0';
    const total = parseQuantity(limit ?? '');
    if (limit === undefined || total === undefined) return [];
    const left = total - (parseQuantity(used) ?? 0);
    const isMemory = name.endsWith('memory');
    const what = `${name} of quota ${quota.metadata.name}`;
    const found = `needs ${isMemory ? `${need / MEBIBYTE}Mi` : need} more; ${used} of ${limit} are used`;
    if (need <= left || need === 0) return [{ what, found }];
    const error = platformError(
      'quota',
      site.platform,
      `a quota of project "${site.options.namespace}" does not allow it`,
      {
        why: `${name}: ${found} (ResourceQuota ${quota.metadata.name})`,
        remedy: 'ask for a higher quota (`oc describe quota`), or use fewer or smaller instances',
      },
    );
    return [{ what, found, error: toWire(error) }];
  });
}

/** What no claim can become, in our words; the rest, quotas among it, in the API's. */
async function volumeChecks(
  site: Site,
  { application, services = [] }: TargetSpec,
  signal: AbortSignal,
): Promise<readonly PlanCheck[]> {
  const checks = volumesIn(services).map(async (volume): Promise<PlanCheck> => {
    const what = `volume ${volume.service}`;
    const there = await site.client.get(CLAIM, claimName(application, volume.service), signal);
    const error = there && refusal(site.platform, volume, there);
    if (error !== undefined) return { what, found: 'refused', error: toWire(error) };
    return tried(site, what, CLAIM, claimManifest(application, volume), there !== undefined, signal);
  });
  return Promise.all(checks);
}

async function tried(
  site: Site,
  what: string,
  resource: Resource<unknown>,
  manifest: Manifest,
  force: boolean,
  signal: AbortSignal,
): Promise<PlanCheck> {
  try {
    await site.client.dryRun(resource, manifest, force, signal);
    return { what, found: 'accepted' };
  } catch (error) {
    if (!hasClass(error, 'invalid', 'forbidden', 'quota', 'conflict')) throw error;
    return { what, found: 'refused', error: toWire(SluiceError.from(error)) };
  }
}

async function dryRuns(site: Site, want: TargetSpec, signal: AbortSignal): Promise<readonly PlanCheck[]> {
  const { application } = want;
  const held = await heldKinds(site, application, signal);
  const tries: readonly (readonly [Resource<unknown>, Manifest])[] = [
    [SECRET, manifests.secret(want)],
    [SERVICE, manifests.service(application)],
    ...manifests.routes(want, site).map((route) => [site.routing, route] as const),
    [DEPLOYMENT, manifests.deployment(want, want.image?.reference ?? SOME_IMAGE, undefined)],
  ];
  const found: PlanCheck[] = [];
  for (const [resource, manifest] of tries) {
    const what = `dry run of ${resource.kind} ${manifest.metadata.name}`;
    found.push(await tried(site, what, resource, manifest, held.has(resource.kind), signal));
  }
  return found;
}
