import type { Cloud } from '../cloud.ts';
import type { SpaceRow } from '../state.ts';

/** With everything in it. */
export async function destroySpace(cloud: Cloud, space: SpaceRow): Promise<void> {
  const { state } = cloud;
  const apps = [...state.apps.values()].filter((app) => app.spaceGuid === space.guid);
  await Promise.all(apps.flatMap((app) => [cloud.lifecycle.destroyApp(app), cloud.tasks.drop(app.guid)]));
  for (const route of state.routes.values()) {
    if (route.spaceGuid === space.guid) state.routes.delete(route.guid);
  }
  for (const instance of state.serviceInstances.values()) {
    if (instance.spaceGuid !== space.guid) continue;
    state.serviceInstances.delete(instance.guid);
    for (const { guid, instanceGuid } of state.serviceBindings.values()) {
      if (instanceGuid === instance.guid) state.serviceBindings.delete(guid);
    }
  }
  state.spaces.delete(space.guid);
  cloud.routeTable.routesChanged();
}
