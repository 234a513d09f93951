import { type ApiRoute, accepted, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { removeDroplet } from '../engine/droplet-files.ts';
import { notFound } from '../errors.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import type { DropletRow } from '../state.ts';
import { type Collection, readRoutes, relabelRoute } from './collection.ts';
import { presentDroplet } from './droplet-view.ts';
import { findByPath } from './find.ts';

export function dropletRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const rows = state.droplets;
  const list: ListOptions<DropletRow> = {
    filters: {
      guids: (row, values) => values.includes(row.guid),
      states: (row, values) => values.includes(row.state),
      app_guids: (row, values) => values.includes(row.appGuid),
      space_guids: (row, values) => values.includes(state.apps.get(row.appGuid)?.spaceGuid ?? ''),
    },
    metadata: (row) => row.metadata,
    present: (row) => presentDroplet(cloud, row, 'list'),
  };
  const collection: Collection<DropletRow> = {
    path: '/v3/droplets',
    resource: 'Droplet',
    rows,
    list,
    presentOne: (row) => presentDroplet(cloud, row, 'single'),
  };

  return [
    ...readRoutes(cloud, collection),
    relabelRoute(cloud, collection),
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/droplets',
      query: [...listQuery(list), 'current'],
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        const onlyCurrent = request.query.get('current') === 'true';
        const own = [...rows.values()].filter(
          (row) => row.appGuid === app.guid && (!onlyCurrent || row.guid === app.dropletGuid),
        );
        return ok(listPage(request, urls.api, own, list));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/packages/:guid/droplets',
      query: listQuery(list),
      handler(request) {
        const bundle = findByPath(state.packages, request, 'Package');
        const own = [...rows.values()].filter((row) => row.packageGuid === bundle.guid);
        return ok(listPage(request, urls.api, own, list));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/droplets/current',
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        const droplet = app.dropletGuid === null ? undefined : rows.get(app.dropletGuid);
        if (!droplet) throw notFound('Droplet');
        return ok(presentDroplet(cloud, droplet, 'single'));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/droplets/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Droplet');
        return accepted(
          cloud.jobs.start('droplet.delete', async () => {
            rows.delete(row.guid);
            // Instances may still run in it; only what nobody can start again is taken away.
            const current = state.apps.get(row.appGuid)?.dropletGuid === row.guid;
            if (!current) await removeDroplet(row.folder);
          }),
        );
      },
    },
  ];
}
