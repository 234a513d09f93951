import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { HandedOut, MadeService } from '../../src/core/service-power.ts';
import { type ServiceSpec, serviceVariables, VOLUME_KEY } from '../../src/core/services.ts';
import type { PlacedSpec } from './mounts.ts';
import { CLAIM, SECRET } from './resources.ts';
import type { Site } from './site.ts';
import { handleOf } from './status.ts';
import {
  ensureTemplate,
  madeByTemplates,
  pollTemplate,
  removeTemplates,
  templateHandsOut,
  templatesIn,
} from './templates.ts';
import { ownEnvironment } from './translate.ts';
import { claimsOf, ensureClaim, madeClaims, pollClaim } from './volume-claims.ts';
import { claimName, mountOf, volumesIn } from './volumes.ts';

/** Every Secret that a service comes from must be there; what we make is begun, and carried on by each poll. */
export async function ensureServices(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
): Promise<Operation> {
  const { application, services = [] } = want;
  await checkSecrets(site, context, services);
  const volumes = volumesIn(services);
  for (const volume of volumes) await ensureClaim(site, application, volume, context.signal);
  const templates = templatesIn(services);
  for (const { service, source } of templates)
    await ensureTemplate(site, application, service, source, context.signal);
  const claims = volumes.map(({ service }) => claimName(application, service)).join(' ');
  const made = templates.map(({ service }) => service).join(' ');
  const handle = handleOf(site, context, application, 'services', { claims, templates: made });
  return claims + made === '' ? { handle, done: { state: 'succeeded' } } : { handle };
}

export async function pollServices(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  if (handle.native['mode'] === 'remove') return pollRemoval(site, context, handle);
  for (const claim of (handle.native['claims'] ?? '').split(' ').filter(Boolean)) {
    const status = await pollClaim(site, context, claim, handle.startedAt);
    if (status !== undefined) return status;
  }
  for (const service of (handle.native['templates'] ?? '').split(' ').filter(Boolean)) {
    const status = await pollTemplate(site, context, handle.application, service, handle.startedAt);
    if (status !== undefined) return status;
  }
  return { state: 'succeeded' };
}

async function checkSecrets(
  site: Site,
  context: ProviderContext,
  services: readonly ServiceSpec[],
): Promise<void> {
  for (const { name, source } of services) {
    if (source.how !== 'existing') continue;
    if (await site.client.get(SECRET, source.name, context.signal)) continue;
    throw platformError('notFound', site.platform, `there is no Secret ${source.name}`, {
      why: `${name} is to come from it, and namespace ${site.options.namespace} has none of that name`,
      remedy: 'make it (oc create secret generic), or give the `credentials` in the file',
    });
  }
}

/** Of each service whose Secret or claim is there. */
export async function handedOut(
  site: Site,
  context: ProviderContext,
  application: string,
  services: readonly ServiceSpec[],
): Promise<HandedOut> {
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const { name, source } of services) {
    if (source.how !== 'existing') continue;
    const secret = await site.client.get(SECRET, source.name, context.signal);
    if (secret !== undefined) found[name] = serviceVariables(name, ownEnvironment(secret.data));
  }
  for (const { service } of templatesIn(services)) {
    const values = await templateHandsOut(site, application, service, context.signal);
    if (values !== undefined) found[service] = values;
  }
  const volumes = volumesIn(services);
  if (volumes.length === 0) return found;
  const claims = new Set(
    (await claimsOf(site, application, context.signal)).map(({ metadata }) => metadata.name),
  );
  for (const { service, claim } of volumes) {
    if (claims.has(claimName(application, service)))
      found[service] = serviceVariables(service, { [VOLUME_KEY]: claim.mount });
  }
  return found;
}

/** The environment with what its services hand out, and their folders; nothing of what is not there. */
export async function withServices(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
): Promise<PlacedSpec> {
  const { application, services } = want;
  if (services === undefined) return want;
  const handed = await handedOut(site, context, application, services);
  const mounts = volumesIn(services)
    .filter(({ service }) => handed[service] !== undefined)
    .map((volume) => mountOf(application, volume));
  return {
    ...want,
    env: Object.assign({}, ...Object.values(handed), want.env),
    ...(mounts.length === 0 ? {} : { mounts }),
  };
}

export async function madeServices(
  site: Site,
  context: ProviderContext,
  application: string,
): Promise<readonly MadeService[]> {
  const { signal } = context;
  const byTemplates = await madeByTemplates(site, application, signal);
  const names = new Set(byTemplates.map(({ service }) => service));
  const claims = await madeClaims(site, application, signal);
  // A claim of a template is named with what else the template made, but who uses it counts.
  const users = (service: string) =>
    claims.filter((one) => one.service === service).flatMap(({ usedBy }) => usedBy);
  return [
    ...byTemplates.map((made) => ({ ...made, usedBy: users(made.service) })),
    ...claims.filter(({ service }) => !names.has(service)),
  ];
}

export async function removeServices(
  site: Site,
  context: ProviderContext,
  application: string,
): Promise<Operation> {
  const handle = handleOf(site, context, application, 'services', { mode: 'remove' });
  const left = await removeMade(site, application, context.signal);
  return left === 0 ? { handle, done: { state: 'succeeded' } } : { handle };
}

async function pollRemoval(
  site: Site,
  context: ProviderContext,
  { application }: OperationHandle,
): Promise<OperationStatus> {
  const left = await removeMade(site, application, context.signal);
  if (left === 0) return { state: 'succeeded', message: 'what was made for services is gone' };
  return { state: 'running', message: `${left} things of its services are being removed`, retryAfterMs: 500 };
}

/** How many there still are. */
async function removeMade(site: Site, application: string, signal: AbortSignal): Promise<number> {
  const ofTemplates = await removeTemplates(site, application, signal);
  const claims = await claimsOf(site, application, signal);
  for (const { metadata } of claims) {
    if (metadata.deletionTimestamp === undefined) await site.client.remove(CLAIM, metadata.name, signal);
  }
  return ofTemplates + claims.length;
}
