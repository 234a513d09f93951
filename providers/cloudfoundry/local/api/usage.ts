import type { Cloud } from '../cloud.ts';
import { startedUse } from '../quota.ts';
import type { SpaceRow } from '../state.ts';

/** What the started apps of these spaces are charged for. */
export function usageSummary(
  cloud: Cloud,
  path: string,
  owner: 'organization' | 'space',
  spaces: readonly SpaceRow[],
): object {
  const { state, urls } = cloud;
  const guids = new Set(spaces.map((space) => space.guid));
  const used = startedUse(state, guids);
  const tasks = [...state.tasks.values()].filter(
    (task) => task.state === 'RUNNING' && guids.has(state.apps.get(task.appGuid)?.spaceGuid ?? ''),
  ).length;
  const routes = [...state.routes.values()].filter((route) => guids.has(route.spaceGuid)).length;
  const owned = [...state.serviceInstances.values()].filter((one) => guids.has(one.spaceGuid));
  const ownedGuids = new Set(owned.map((one) => one.guid));
  const keys = [...state.serviceBindings.values()].filter(
    (one) => one.type === 'key' && ownedGuids.has(one.instanceGuid),
  ).length;
  return {
    usage_summary: {
      started_instances: used.instances,
      memory_in_mb: used.memoryMb,
      routes,
      service_instances: owned.length,
      reserved_ports: 0,
      domains: 0,
      per_app_tasks: tasks,
      service_keys: keys,
    },
    links: { self: { href: `${urls.api}${path}/usage_summary` }, [owner]: { href: `${urls.api}${path}` } },
  };
}
