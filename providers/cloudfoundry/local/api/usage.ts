import type { Cloud } from '../cloud.ts';
import type { CloudState, SpaceRow } from '../state.ts';

/** Of all that is started, wherever. */
export function usedMemoryMb(state: CloudState): number {
  let memory = 0;
  for (const process of state.processes.values()) {
    if (state.apps.get(process.appGuid)?.state === 'STARTED') memory += process.instances * process.memoryMb;
  }
  return memory;
}

/** What the started apps of these spaces are charged for. */
export function usageSummary(
  cloud: Cloud,
  path: string,
  owner: 'organization' | 'space',
  spaces: readonly SpaceRow[],
): object {
  const { state, urls } = cloud;
  const guids = new Set(spaces.map((space) => space.guid));
  let instances = 0;
  let memory = 0;
  for (const process of state.processes.values()) {
    const app = state.apps.get(process.appGuid);
    if (app?.state !== 'STARTED' || !guids.has(app.spaceGuid)) continue;
    instances += process.instances;
    memory += process.instances * process.memoryMb;
  }
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
      started_instances: instances,
      memory_in_mb: memory,
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
