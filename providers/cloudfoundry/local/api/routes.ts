import { z } from 'zod';
import { decode, metadataBody, toOne } from '../api-body.ts';
import { type ApiRoute, accepted, created, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import { type RouteRow, routesOf, routeUrl } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readRoutes, updateRoute } from './collection.ts';
import { presentDestination } from './destinations.ts';
import { presentDomain } from './domains.ts';
import { findByPath } from './find.ts';
import { related } from './include.ts';
import { spaceIncludes } from './space-includes.ts';

const HOST = /^(\*|[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)$/;
const optionsBody = z.strictObject({
  loadbalancing: z.enum(['round-robin', 'least-connection', 'hash']).nullish(),
});

const createBody = z.strictObject({
  host: z.string().nullish(),
  path: z.string().nullish(),
  port: z.number().int().nullish(),
  options: optionsBody.nullish(),
  relationships: z.strictObject({ space: toOne, domain: toOne }),
  metadata: metadataBody.optional(),
});
const updateBody = z.strictObject({ options: optionsBody.nullish(), metadata: metadataBody.optional() });

export function routeRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const rows = state.routes;
  const list: ListOptions<RouteRow> = {
    filters: {
      guids: (row, values) => values.includes(row.guid),
      hosts: (row, values) => values.includes(row.host),
      paths: (row, values) => values.includes(row.path),
      ports: () => false,
      domain_guids: (row, values) => values.includes(row.domainGuid),
      space_guids: (row, values) => values.includes(row.spaceGuid),
      organization_guids: (row, values) =>
        values.includes(state.spaces.get(row.spaceGuid)?.organizationGuid ?? ''),
      app_guids: (row, values) => row.destinations.some((one) => values.includes(one.appGuid)),
    },
    metadata: (row) => row.metadata,
    includes: {
      ...spaceIncludes<RouteRow>(cloud, (row) => row.spaceGuid),
      domain: (row) =>
        related('domains', state.domains.get(row.domainGuid), (domain) => presentDomain(cloud, domain)),
    },
    present: (row) => presentRoute(cloud, row),
  };
  const collection: Collection<RouteRow> = { path: '/v3/routes', resource: 'Route', rows, list };

  return [
    ...readRoutes(cloud, collection),
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/routes',
      query: listQuery(list),
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        return ok(listPage(request, urls.api, routesOf(state, app.guid), list));
      },
    },
    {
      method: 'POST',
      pattern: '/v3/routes',
      handler: (request) => created(presentRoute(cloud, create(request.body))),
    },
    updateRoute(cloud, collection, updateBody, (row, sent) => {
      if (sent.options) row.options = balancing(sent.options);
    }),
    {
      method: 'DELETE',
      pattern: '/v3/routes/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Route');
        return accepted(
          cloud.jobs.start('route.delete', async () => {
            rows.delete(row.guid);
            cloud.routeTable.routesChanged();
          }),
        );
      },
    },
  ];

  function create(sent: unknown): RouteRow {
    const body = decode(createBody, sent);
    const host = (body.host ?? '').toLowerCase();
    const path = body.path ?? '';
    const domain = state.domains.get(body.relationships.domain.data.guid);
    if (!state.spaces.has(body.relationships.space.data.guid)) {
      throw unprocessable('Invalid space. Ensure that the space exists and you have access to it.');
    }
    if (!domain)
      throw unprocessable('Invalid domain. Ensure that the domain exists and you have access to it.');
    if (body.port != null) throw unprocessable('Routes with protocol http do not support ports.');
    if (host === '' && domain.organizationGuid === null) {
      throw unprocessable('Missing host. Routes in shared domains must have a host defined.');
    }
    if (host !== '' && !HOST.test(host))
      throw unprocessable('Host must be either "*" or contain only alphanumeric characters, "_", or "-"');
    if (path !== '' && !path.startsWith('/')) throw unprocessable('Path must begin with /');
    if (path === '/') throw unprocessable("Path cannot be '/'");
    for (const row of rows.values()) {
      if (row.domainGuid === domain.guid && row.host === host && row.path === path) {
        const where = path === '' ? '' : ` and path '${path}'`;
        throw unprocessable(`Route already exists with host '${host}'${where} for domain '${domain.name}'.`);
      }
    }
    cloud.quotas.checkRoute(body.relationships.space.data.guid);
    const route: RouteRow = {
      ...newRow(cloud.clock, cloud.newId),
      spaceGuid: body.relationships.space.data.guid,
      domainGuid: domain.guid,
      host,
      path,
      options: balancing(body.options ?? {}),
      destinations: [],
      metadata: emptyMetadata(),
    };
    keepRow(rows, route, body.metadata);
    cloud.routeTable.routesChanged();
    return route;
  }
}

function balancing(options: { readonly loadbalancing?: string | null | undefined }): RouteRow['options'] {
  return options.loadbalancing == null ? {} : { loadbalancing: options.loadbalancing };
}

function presentRoute(cloud: Cloud, row: RouteRow): object {
  const { api } = cloud.urls;
  const self = `${api}/v3/routes/${row.guid}`;
  return {
    guid: row.guid,
    protocol: 'http',
    port: null,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    host: row.host,
    path: row.path,
    url: routeUrl(cloud.state, row),
    destinations: row.destinations.map(presentDestination),
    options: row.options,
    metadata: row.metadata,
    relationships: {
      space: { data: { guid: row.spaceGuid } },
      domain: { data: { guid: row.domainGuid } },
    },
    links: {
      self: { href: self },
      space: { href: `${api}/v3/spaces/${row.spaceGuid}` },
      destinations: { href: `${self}/destinations` },
      domain: { href: `${api}/v3/domains/${row.domainGuid}` },
    },
  };
}
