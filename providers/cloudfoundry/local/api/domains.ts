import { z } from 'zod';
import { decode, metadataBody, toOne } from '../api-body.ts';
import { type ApiRoute, accepted, created, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import type { ListOptions } from '../pagination.ts';
import type { DomainRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readRoutes } from './collection.ts';
import { findByPath } from './find.ts';

const createBody = z.strictObject({
  name: z.string().min(1),
  internal: z.boolean().optional(),
  relationships: z.strictObject({ organization: toOne.optional() }).optional(),
  metadata: metadataBody.optional(),
});

export function domainRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state } = cloud;
  const rows = state.domains;
  const collection: Collection<DomainRow> = {
    path: '/v3/domains',
    resource: 'Domain',
    rows,
    list: domainList(cloud),
  };

  return [
    ...readRoutes(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/domains',
      handler(request) {
        const body = decode(createBody, request.body);
        if ([...rows.values()].some((row) => row.name === body.name)) {
          throw unprocessable(`The domain name "${body.name}" is already in use`);
        }
        const row: DomainRow = {
          ...newRow(cloud.clock, cloud.newId),
          name: body.name,
          internal: body.internal ?? false,
          organizationGuid: body.relationships?.organization?.data.guid ?? null,
          metadata: emptyMetadata(),
        };
        keepRow(rows, row, body.metadata);
        return created(presentDomain(cloud, row));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/domains/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Domain');
        return accepted(
          cloud.jobs.start('domain.delete', async () => {
            for (const route of state.routes.values()) {
              if (route.domainGuid === row.guid) state.routes.delete(route.guid);
            }
            rows.delete(row.guid);
            cloud.routeTable.routesChanged();
          }),
        );
      },
    },
    {
      method: 'GET',
      pattern: '/v3/domains/:guid/route_reservations',
      query: ['host', 'path', 'port'],
      handler(request) {
        const { guid } = findByPath(rows, request, 'Domain');
        const host = request.query.get('host') ?? '';
        const path = request.query.get('path') ?? '';
        const taken = [...state.routes.values()].some(
          (route) => route.domainGuid === guid && route.host === host && route.path === path,
        );
        return ok({ matching_route: taken });
      },
    },
  ];
}

/** Also the list of one organization's domains. */
export function domainList(cloud: Cloud): ListOptions<DomainRow> {
  return {
    filters: {
      names: (row, values) => values.includes(row.name),
      guids: (row, values) => values.includes(row.guid),
      organization_guids: (row, values) => values.includes(row.organizationGuid ?? ''),
    },
    metadata: (row) => row.metadata,
    present: (row) => presentDomain(cloud, row),
  };
}

export function presentDomain(cloud: Cloud, row: DomainRow): object {
  const self = `${cloud.urls.api}/v3/domains/${row.guid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    name: row.name,
    internal: row.internal,
    router_group: null,
    supported_protocols: ['http'],
    metadata: row.metadata,
    relationships: {
      organization: { data: row.organizationGuid === null ? null : { guid: row.organizationGuid } },
      shared_organizations: { data: [] },
    },
    links: {
      self: { href: self },
      ...(row.organizationGuid === null
        ? {}
        : { organization: { href: `${cloud.urls.api}/v3/organizations/${row.organizationGuid}` } }),
      route_reservations: { href: `${self}/route_reservations` },
      ...(row.organizationGuid === null
        ? {}
        : { shared_organizations: { href: `${self}/relationships/shared_organizations` } }),
    },
  };
}
