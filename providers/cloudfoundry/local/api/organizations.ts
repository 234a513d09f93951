import { z } from 'zod';
import { decode, metadataBody } from '../api-body.ts';
import { type ApiRoute, accepted, created, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { notFound, unprocessable } from '../errors.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import type { OrganizationRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readRoutes, renameRoute } from './collection.ts';
import { destroySpace } from './destroy-space.ts';
import { domainList, presentDomain } from './domains.ts';
import { findByPath } from './find.ts';
import { usageSummary } from './usage.ts';

const createBody = z.strictObject({ name: z.string().min(1), metadata: metadataBody.optional() });

export function organizationRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const rows = state.organizations;
  const list: ListOptions<OrganizationRow> = {
    filters: {
      names: (row, values) => values.includes(row.name),
      guids: (row, values) => values.includes(row.guid),
    },
    orders: { name: (row) => row.name },
    metadata: (row) => row.metadata,
    present: (row) => presentOrganization(cloud, row),
  };
  const collection: Collection<OrganizationRow> = {
    path: '/v3/organizations',
    resource: 'Organization',
    rows,
    list,
  };

  return [
    ...readRoutes(cloud, collection),
    renameRoute(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/organizations',
      handler(request) {
        const body = decode(createBody, request.body);
        if ([...rows.values()].some((row) => row.name === body.name)) {
          throw unprocessable(`Organization '${body.name}' already exists.`);
        }
        const row: OrganizationRow = {
          ...newRow(cloud.clock, cloud.newId),
          name: body.name,
          quotaGuid: [...state.organizationQuotas.keys()][0] ?? '',
          metadata: emptyMetadata(),
        };
        keepRow(rows, row, body.metadata);
        return created(presentOrganization(cloud, row));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/organizations/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Organization');
        return accepted(
          cloud.jobs.start('organization.delete', async () => {
            const own = [...state.spaces.values()].filter((space) => space.organizationGuid === row.guid);
            for (const space of own) await destroySpace(cloud, space);
            for (const domain of state.domains.values()) {
              if (domain.organizationGuid === row.guid) state.domains.delete(domain.guid);
            }
            rows.delete(row.guid);
          }),
        );
      },
    },
    {
      method: 'GET',
      pattern: '/v3/organizations/:guid/domains',
      query: listQuery(domainList(cloud)),
      handler(request) {
        const { guid } = findByPath(rows, request, 'Organization');
        const visible = [...state.domains.values()].filter(
          (domain) => domain.organizationGuid === null || domain.organizationGuid === guid,
        );
        return ok(listPage(request, urls.api, visible, domainList(cloud)));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/organizations/:guid/domains/default',
      handler(request) {
        findByPath(rows, request, 'Organization');
        const shared = [...state.domains.values()].find((domain) => domain.organizationGuid === null);
        if (!shared) throw notFound('Domain');
        return ok(presentDomain(cloud, shared));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/organizations/:guid/usage_summary',
      handler(request) {
        const { guid } = findByPath(rows, request, 'Organization');
        const spaces = [...state.spaces.values()].filter((space) => space.organizationGuid === guid);
        return ok(usageSummary(cloud, `/v3/organizations/${guid}`, 'organization', spaces));
      },
    },
  ];
}

export function presentOrganization(cloud: Cloud, row: OrganizationRow): object {
  const self = `${cloud.urls.api}/v3/organizations/${row.guid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    name: row.name,
    suspended: false,
    relationships: { quota: { data: { guid: row.quotaGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      domains: { href: `${self}/domains` },
      default_domain: { href: `${self}/domains/default` },
      quota: { href: `${cloud.urls.api}/v3/organization_quotas/${row.quotaGuid}` },
    },
  };
}
