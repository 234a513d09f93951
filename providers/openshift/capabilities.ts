import type { OpenShiftClient } from './client.ts';
import { BUILD_CONFIG, IMAGE_STREAM, INGRESS, METRICS, type Resource, ROUTE, WATCHED } from './resources.ts';
import { groupListSchema, type Route, type Thing } from './wire.ts';

/** What the cluster has, by the groups of its API: a plain Kubernetes has neither routes nor builds, MicroShift no builds. */
export interface Capabilities {
  /** How hosts are led to the application; undefined: not at all. */
  readonly routing: Resource<Route> | undefined;
  readonly builds: boolean;
  /** What instances use is measured. */
  readonly usage: boolean;
}

export async function readCapabilities(client: OpenShiftClient, signal: AbortSignal): Promise<Capabilities> {
  const { groups } = await client.read('/apis', groupListSchema, signal);
  const there = new Set(groups.map(({ name }) => name));
  const has = (resource: Resource<unknown>): boolean => there.has(groupOf(resource));
  return {
    routing: has(ROUTE) ? ROUTE : has(INGRESS) ? INGRESS : undefined,
    builds: has(BUILD_CONFIG) && has(IMAGE_STREAM),
    usage: has(METRICS),
  };
}

/** Of kinds that the cluster lacks there is nothing: what is never there needs no asking, and no `if` wherever it is read. */
export function withCapabilities(client: OpenShiftClient, capabilities: Capabilities): OpenShiftClient {
  const lacks = (resource: Resource<unknown>): boolean => !isServed(resource, capabilities);
  return {
    ...client,
    get: async (resource, name, signal) => (lacks(resource) ? undefined : client.get(resource, name, signal)),
    list: async (resource, labels, signal) => (lacks(resource) ? [] : client.list(resource, labels, signal)),
    remove: async (resource, name, signal) =>
      lacks(resource) ? false : client.remove(resource, name, signal),
  };
}

/** All that is worth watching there. */
export function watchedKinds(capabilities: Capabilities): readonly Resource<Thing>[] {
  return WATCHED.filter((resource) => isServed(resource, capabilities));
}

function isServed(resource: Resource<unknown>, { routing, builds }: Capabilities): boolean {
  switch (groupOf(resource)) {
    // On OpenShift an Ingress would only become Routes that are not ours.
    case groupOf(ROUTE):
    case groupOf(INGRESS):
      return resource.kind === routing?.kind;
    case groupOf(BUILD_CONFIG):
    case groupOf(IMAGE_STREAM):
      return builds;
    default:
      return true;
  }
}

function groupOf({ apiVersion }: Resource<unknown>): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}
