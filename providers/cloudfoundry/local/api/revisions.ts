import { type ApiRoute, ok } from '../api-types.ts';
import type { RevisionRow } from '../app-state.ts';
import type { Cloud } from '../cloud.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import { processesOf } from '../state.ts';
import { timestamp } from '../time.ts';
import { readOneRoute, relabelRoute } from './collection.ts';
import { findByPath } from './find.ts';
import { presentSidecarOf } from './sidecars.ts';

export function revisionRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const rows = state.revisions;
  const list: ListOptions<RevisionRow> = {
    filters: {
      versions: (row, values) => values.includes(String(row.version)),
      deployable: (row, values) => values.includes(String(deployable(cloud, row))),
    },
    metadata: (row) => row.metadata,
    present: (row) => presentRevision(cloud, row),
  };
  const collection = { path: '/v3/revisions', resource: 'Revision', rows, list };

  return [
    readOneRoute(collection),
    relabelRoute(cloud, collection),
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/revisions',
      query: listQuery(list),
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        return ok(listPage(request, urls.api, cloud.revisions.of(app.guid), list));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/revisions/deployed',
      query: listQuery(list),
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        const running = app.state === 'STARTED' ? processesOf(state, app.guid) : [];
        const used = new Set(running.map((process) => process.revisionGuid));
        const deployed = cloud.revisions.of(app.guid).filter((row) => used.has(row.guid));
        return ok(listPage(request, urls.api, deployed, list));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/revisions/:guid/environment_variables',
      handler(request) {
        const row = findByPath(rows, request, 'Revision');
        const self = `${urls.api}/v3/revisions/${row.guid}`;
        return ok({
          var: row.env,
          links: {
            self: { href: `${self}/environment_variables` },
            revision: { href: self },
            app: { href: `${urls.api}/v3/apps/${row.appGuid}` },
          },
        });
      },
    },
  ];
}

/** Its droplet must still be there. */
export function deployable(cloud: Cloud, row: RevisionRow): boolean {
  return cloud.state.droplets.get(row.dropletGuid)?.state === 'STAGED';
}

function presentRevision(cloud: Cloud, row: RevisionRow): object {
  const self = `${cloud.urls.api}/v3/revisions/${row.guid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    version: row.version,
    droplet: { guid: row.dropletGuid },
    processes: Object.fromEntries(Object.entries(row.commands).map(([type, command]) => [type, { command }])),
    sidecars: [...cloud.state.sidecars.values()]
      .filter((sidecar) => sidecar.appGuid === row.appGuid)
      .map(presentSidecarOf),
    description: row.description,
    deployable: deployable(cloud, row),
    relationships: { app: { data: { guid: row.appGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      app: { href: `${cloud.urls.api}/v3/apps/${row.appGuid}` },
      environment_variables: { href: `${self}/environment_variables` },
    },
  };
}
