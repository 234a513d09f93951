import { z } from 'zod';
import { decode, metadataBody, toOne } from '../api-body.ts';
import { type ApiRoute, accepted, created, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import type { ListOptions } from '../pagination.ts';
import type { SpaceRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readRoutes, renameRoute } from './collection.ts';
import { destroySpace } from './destroy-space.ts';
import { findByPath } from './find.ts';
import { related } from './include.ts';
import { presentOrganization } from './organizations.ts';
import { usageSummary } from './usage.ts';

const createBody = z.strictObject({
  name: z.string().min(1),
  relationships: z.strictObject({ organization: toOne }),
  metadata: metadataBody.optional(),
});

export function spaceRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state } = cloud;
  const rows = state.spaces;
  const list: ListOptions<SpaceRow> = {
    filters: {
      names: (row, values) => values.includes(row.name),
      guids: (row, values) => values.includes(row.guid),
      organization_guids: (row, values) => values.includes(row.organizationGuid),
    },
    orders: { name: (row) => row.name },
    metadata: (row) => row.metadata,
    includes: {
      organization: (row) =>
        related('organizations', state.organizations.get(row.organizationGuid), (organization) =>
          presentOrganization(cloud, organization),
        ),
    },
    present: (row) => presentSpace(cloud, row),
  };
  const collection: Collection<SpaceRow> = { path: '/v3/spaces', resource: 'Space', rows, list };

  return [
    ...readRoutes(cloud, collection),
    renameRoute(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/spaces',
      handler(request) {
        const body = decode(createBody, request.body);
        const organizationGuid = body.relationships.organization.data.guid;
        if (!state.organizations.has(organizationGuid)) {
          throw unprocessable(
            'Invalid organization. Ensure the organization exists and you have access to it.',
          );
        }
        for (const row of rows.values()) {
          if (row.organizationGuid === organizationGuid && row.name === body.name) {
            throw unprocessable('Name must be unique per organization');
          }
        }
        const row: SpaceRow = {
          ...newRow(cloud.clock, cloud.newId),
          name: body.name,
          organizationGuid,
          quotaGuid: null,
          metadata: emptyMetadata(),
        };
        keepRow(rows, row, body.metadata);
        return created(presentSpace(cloud, row));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/spaces/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Space');
        return accepted(cloud.jobs.start('space.delete', () => destroySpace(cloud, row)));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/spaces/:guid/usage_summary',
      handler(request) {
        const row = findByPath(rows, request, 'Space');
        return ok(usageSummary(cloud, `/v3/spaces/${row.guid}`, 'space', [row]));
      },
    },
  ];
}

export function presentSpace(cloud: Cloud, row: SpaceRow): object {
  const self = `${cloud.urls.api}/v3/spaces/${row.guid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    name: row.name,
    suspended: false,
    relationships: {
      organization: { data: { guid: row.organizationGuid } },
      quota: { data: row.quotaGuid === null ? null : { guid: row.quotaGuid } },
    },
    metadata: row.metadata,
    links: {
      self: { href: self },
      organization: { href: `${cloud.urls.api}/v3/organizations/${row.organizationGuid}` },
      features: { href: `${self}/features` },
      apply_manifest: { href: `${self}/actions/apply_manifest`, method: 'POST' },
    },
  };
}
