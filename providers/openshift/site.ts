import { platformError } from '../../src/core/errors.ts';
import type { ApplicationName } from '../../src/core/ids.ts';
import type { Clock } from '../../src/core/ports.ts';
import { type Capabilities, readCapabilities, withCapabilities } from './capabilities.ts';
import type { Manifest, OpenShiftClient } from './client.ts';
import type { Options } from './config.ts';
import { isOurs } from './names.ts';
import { DEPLOYMENT, IMAGE_STREAM, type Resource, SERVICE } from './resources.ts';
import { createUsage, type UsageOf } from './usage.ts';
import type { Route, Thing } from './wire.ts';

/** What every act on the platform needs. */
export interface Site {
  readonly platform: string;
  readonly options: Options;
  readonly client: OpenShiftClient;
  readonly clock: Clock;
  readonly capabilities: Capabilities;
  /** The kind that leads hosts to the application. */
  readonly routing: Resource<Route>;
  readonly usageOf: UsageOf;
}

/** `anew`: what was found before may have changed. */
export type SiteOf = (signal: AbortSignal, anew?: boolean) => Promise<Site>;

/** What a cluster has is asked once; it changes when somebody installs something, not from call to call. */
export function createSites(deps: Omit<Site, 'capabilities' | 'routing' | 'usageOf'>): SiteOf {
  let found: Site | undefined;
  return async function siteOf(signal, anew = false) {
    if (found !== undefined && !anew) return found;
    const capabilities = await readCapabilities(deps.client, signal);
    const { routing } = capabilities;
    if (routing === undefined) throw noRouting(deps);
    found = {
      ...deps,
      client: withCapabilities(deps.client, capabilities),
      capabilities,
      routing,
      usageOf: createUsage(deps.client, deps.clock, capabilities),
    };
    return found;
  };
}

function noRouting({ platform, options }: Pick<Site, 'platform' | 'options'>): Error {
  return platformError('unsupported', platform, 'the cluster has neither Routes nor Ingresses', {
    why: `${options.api}/apis lists neither route.openshift.io nor networking.k8s.io`,
    remedy: 'check that `api` is the address of an OpenShift or Kubernetes API server',
  });
}

/** Which kinds of ours there are under the plain name; throws `conflict` when one of that name is not ours. */
export async function heldKinds(
  site: Site,
  application: ApplicationName,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  // Everything that carries the application's plain name.
  const named: readonly Resource<Thing>[] = [DEPLOYMENT, SERVICE, site.routing, IMAGE_STREAM];
  const found = await Promise.all(named.map((resource) => site.client.get(resource, application, signal)));
  const ours = new Set<string>();
  const foreign: string[] = [];
  for (const [i, thing] of found.entries()) {
    const kind = named[i]?.kind ?? '';
    if (thing && isOurs(thing.metadata, application)) ours.add(kind);
    else if (thing) foreign.push(`${kind} ${application}`);
  }
  if (foreign.length > 0) throw foreignError(site, foreign);
  return ours;
}

export function foreignError(site: Site, things: readonly string[]): Error {
  return platformError('conflict', site.platform, `${things.join(', ')} exists already and is not ours`, {
    why: `it is in namespace "${site.options.namespace}" and carries no stamp of this application`,
    remedy: 'rename the application, use another namespace, or delete it yourself; Sluice never touches it',
  });
}

/**
 * Server-side apply that never takes what is not ours: where nothing was, it does not force, so that whoever was
 * quicker than we wins; where our stamp is, it does, so that drift is put right.
 */
export async function applyOwned<T extends Thing>(
  site: Site,
  resource: Resource<T>,
  manifest: Manifest,
  application: ApplicationName,
  signal: AbortSignal,
): Promise<T> {
  const { name } = manifest.metadata;
  const there = await site.client.get(resource, name, signal);
  if (there && !isOurs(there.metadata, application)) throw foreignError(site, [`${resource.kind} ${name}`]);
  return await site.client.apply(resource, manifest, there !== undefined, signal);
}
