import type { ApiRoute } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { environmentRoutes } from './app-environment.ts';
import { appFeatureRoutes } from './app-features.ts';
import { appRoutes } from './apps.ts';
import { auditEventRoutes } from './audit-events.ts';
import { buildRoutes } from './builds.ts';
import { deploymentRoutes } from './deployments.ts';
import { destinationRoutes } from './destinations.ts';
import { domainRoutes } from './domains.ts';
import { dropletBitsRoutes } from './droplet-bits.ts';
import { dropletRoutes } from './droplets.ts';
import { featureFlagRoutes } from './feature-flags.ts';
import { jobRoutes } from './jobs.ts';
import { manifestRoutes } from './manifests.ts';
import { operatorRoutes } from './operator.ts';
import { organizationRoutes } from './organizations.ts';
import { packageRoutes } from './packages.ts';
import { processRoutes } from './processes.ts';
import { quotaRoutes } from './quotas.ts';
import { resourceMatchRoutes } from './resource-matches.ts';
import { revisionRoutes } from './revisions.ts';
import { rootRoutes } from './root.ts';
import { routeRoutes } from './routes.ts';
import { serviceBindingRoutes } from './service-bindings.ts';
import { serviceCatalogueRoutes } from './service-catalogue.ts';
import { serviceInstanceRoutes } from './service-instances.ts';
import { sidecarRoutes } from './sidecars.ts';
import { spaceRoutes } from './spaces.ts';
import { taskRoutes } from './tasks.ts';

/** Everything the Cloud Controller answers; all else is 404 `Unknown request`. */
export function apiRoutes(cloud: Cloud): readonly ApiRoute[] {
  const routes: readonly ApiRoute[] = [
    ...rootRoutes(cloud),
    ...organizationRoutes(cloud),
    ...spaceRoutes(cloud),
    ...quotaRoutes(cloud),
    ...domainRoutes(cloud),
    ...appRoutes(cloud),
    ...environmentRoutes(cloud),
    ...packageRoutes(cloud),
    ...buildRoutes(cloud),
    ...dropletRoutes(cloud),
    ...dropletBitsRoutes(cloud),
    ...processRoutes(cloud),
    ...deploymentRoutes(cloud),
    ...routeRoutes(cloud),
    ...destinationRoutes(cloud),
    ...taskRoutes(cloud),
    ...jobRoutes(cloud),
    ...auditEventRoutes(cloud),
    ...serviceCatalogueRoutes(cloud),
    ...serviceInstanceRoutes(cloud),
    ...serviceBindingRoutes(cloud),
    ...appFeatureRoutes(cloud),
    ...operatorRoutes(cloud),
    ...featureFlagRoutes(cloud),
    ...revisionRoutes(cloud),
    ...sidecarRoutes(cloud),
    ...resourceMatchRoutes(),
  ];
  return [...routes, ...manifestRoutes(cloud, routes)];
}
