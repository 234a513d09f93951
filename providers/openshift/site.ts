import { platformError } from '../../src/core/errors.ts';
import type { ApplicationName } from '../../src/core/ids.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { Manifest, OpenShiftClient } from './client.ts';
import type { Options } from './config.ts';
import { isOurs } from './names.ts';
import { DEPLOYMENT, IMAGE_STREAM, type Resource, ROUTE, SERVICE } from './resources.ts';
import type { Thing } from './wire.ts';

/** What every act on the platform needs. */
export interface Site {
  readonly platform: string;
  readonly options: Options;
  readonly client: OpenShiftClient;
  readonly clock: Clock;
}

/** Everything that carries the application's plain name. */
const NAMED: readonly Resource<Thing>[] = [DEPLOYMENT, SERVICE, ROUTE, IMAGE_STREAM];

/** Which kinds of ours there are under the plain name; throws `conflict` when one of that name is not ours. */
export async function heldKinds(
  site: Site,
  application: ApplicationName,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const found = await Promise.all(NAMED.map((resource) => site.client.get(resource, application, signal)));
  const ours = new Set<string>();
  const foreign: string[] = [];
  for (const [i, thing] of found.entries()) {
    const kind = NAMED[i]?.kind ?? '';
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
