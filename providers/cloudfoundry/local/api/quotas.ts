import { z } from 'zod';
import { decode, toOne } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, accepted, created, noContent, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import { startedUse } from '../quota.ts';
import { type Limits, type OrganizationQuotaRow, type SpaceQuotaRow, unlimited } from '../quota-state.ts';
import { newRow, type Row } from '../state-rows.ts';
import { readRoutes } from './collection.ts';
import { findByPath } from './find.ts';
import { changed, limitFields, limitsBody, presentLimits } from './quota-limits.ts';

const toMany = z.strictObject({ data: z.array(z.strictObject({ guid: z.string() })) });
const named = { name: z.string().min(1) };
const createOrganizationQuota = limitsBody.extend({
  ...named,
  relationships: z.strictObject({ organizations: toMany }).optional(),
});
const createSpaceQuota = z.strictObject({
  ...limitFields,
  ...named,
  relationships: z.strictObject({ organization: toOne, spaces: toMany.optional() }),
});

/** Quotas of organizations and of spaces: what is refused once they are exceeded is in `../quota.ts`. */
export function quotaRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock, urls } = cloud;
  const ofOrganizations = {
    path: '/v3/organization_quotas',
    resource: 'Organization quota',
    rows: state.organizationQuotas,
    list: {
      filters: {
        names: (row: OrganizationQuotaRow, values: readonly string[]) => values.includes(row.name),
        guids: (row: OrganizationQuotaRow, values: readonly string[]) => values.includes(row.guid),
        organization_guids: (row: OrganizationQuotaRow, values: readonly string[]) =>
          values.some((guid) => state.organizations.get(guid)?.quotaGuid === row.guid),
      },
      orders: { name: (row: OrganizationQuotaRow) => row.name },
      present: presentOrganizationQuota,
    },
  };
  const ofSpaces = {
    path: '/v3/space_quotas',
    resource: 'Space quota',
    rows: state.spaceQuotas,
    list: {
      filters: {
        names: (row: SpaceQuotaRow, values: readonly string[]) => values.includes(row.name),
        guids: (row: SpaceQuotaRow, values: readonly string[]) => values.includes(row.guid),
        organization_guids: (row: SpaceQuotaRow, values: readonly string[]) =>
          values.includes(row.organizationGuid),
        space_guids: (row: SpaceQuotaRow, values: readonly string[]) =>
          values.some((guid) => state.spaces.get(guid)?.quotaGuid === row.guid),
      },
      orders: { name: (row: SpaceQuotaRow) => row.name },
      present: presentSpaceQuota,
    },
  };

  return [
    ...readRoutes(cloud, ofOrganizations),
    ...readRoutes(cloud, ofSpaces),
    {
      method: 'POST',
      pattern: '/v3/organization_quotas',
      handler(request) {
        const body = decode(createOrganizationQuota, request.body);
        checkName(state.organizationQuotas, body.name, 'Organization Quota');
        const row = { ...newRow(clock, cloud.newId), name: body.name, limits: changed(unlimited(), body) };
        state.organizationQuotas.set(row.guid, row);
        for (const { guid } of body.relationships?.organizations.data ?? []) assignOrganization(row, guid);
        return created(presentOrganizationQuota(row));
      },
    },
    {
      method: 'POST',
      pattern: '/v3/space_quotas',
      handler(request) {
        const body = decode(createSpaceQuota, request.body);
        const organizationGuid = body.relationships.organization.data.guid;
        if (!state.organizations.has(organizationGuid)) {
          throw unprocessable(
            `Organization with guid '${organizationGuid}' does not exist, or you do not have access to it.`,
          );
        }
        checkName(state.spaceQuotas, body.name, 'Space Quota');
        const row = {
          ...newRow(clock, cloud.newId),
          name: body.name,
          organizationGuid,
          limits: changed(unlimited(), body),
        };
        state.spaceQuotas.set(row.guid, row);
        for (const { guid } of body.relationships.spaces?.data ?? []) assignSpace(row, guid);
        return created(presentSpaceQuota(row));
      },
    },
    ...changes(
      '/v3/organization_quotas',
      'Organization quota',
      state.organizationQuotas,
      presentOrganizationQuota,
      'organization_quota.delete',
    ),
    ...changes('/v3/space_quotas', 'Space quota', state.spaceQuotas, presentSpaceQuota, 'space_quota.delete'),
    {
      method: 'POST',
      pattern: '/v3/organization_quotas/:guid/relationships/organizations',
      handler(request) {
        const row = findByPath(state.organizationQuotas, request, 'Organization quota');
        for (const { guid } of decode(toMany, request.body).data) assignOrganization(row, guid);
        return ok(relationship(request, organizationsOf(row)));
      },
    },
    {
      method: 'POST',
      pattern: '/v3/space_quotas/:guid/relationships/spaces',
      handler(request) {
        const row = findByPath(state.spaceQuotas, request, 'Space quota');
        for (const { guid } of decode(toMany, request.body).data) assignSpace(row, guid);
        return ok(relationship(request, spacesOf(row)));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/space_quotas/:guid/relationships/spaces/:space',
      handler(request) {
        const row = findByPath(state.spaceQuotas, request, 'Space quota');
        const space = state.spaces.get(request.params['space'] ?? '');
        if (space?.quotaGuid !== row.guid) {
          throw unprocessable(
            `Unable to remove quota from space with guid '${request.params['space']}'. Ensure the space quota is applied to this space.`,
          );
        }
        space.quotaGuid = null;
        return noContent();
      },
    },
  ];

  function changes<T extends Row & { name: string; limits: Limits }>(
    path: string,
    resource: string,
    rows: Map<string, T>,
    present: (row: T) => object,
    operation: string,
  ): readonly ApiRoute[] {
    return [
      {
        method: 'PATCH',
        pattern: `${path}/:guid`,
        handler(request) {
          const row = findByPath(rows, request, resource);
          const body = decode(limitsBody.extend({ name: z.string().min(1).optional() }), request.body);
          if (body.name !== undefined && body.name !== row.name) checkName(rows, body.name, resource);
          row.name = body.name ?? row.name;
          row.limits = changed(row.limits, body);
          row.updatedAt = clock.now();
          return ok(present(row));
        },
      },
      {
        method: 'DELETE',
        pattern: `${path}/:guid`,
        handler(request) {
          const row = findByPath(rows, request, resource);
          if (organizationsOf(row).length > 0) {
            throw unprocessable(
              'This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting.',
            );
          }
          return accepted(
            cloud.jobs.start(operation, async () => {
              for (const space of spacesOf(row)) space.quotaGuid = null;
              rows.delete(row.guid);
            }),
          );
        },
      },
    ];
  }

  function checkName(rows: ReadonlyMap<string, { readonly name: string }>, name: string, what: string): void {
    if ([...rows.values()].some((row) => row.name === name)) {
      throw unprocessable(`${what} '${name}' already exists.`);
    }
  }

  function assignOrganization(row: OrganizationQuotaRow, guid: string): void {
    const organization = state.organizations.get(guid);
    if (!organization)
      throw unprocessable(
        `Organizations with guids ["${guid}"] do not exist, or you do not have access to them.`,
      );
    organization.quotaGuid = row.guid;
  }

  function assignSpace(row: SpaceQuotaRow, guid: string): void {
    const space = state.spaces.get(guid);
    if (space?.organizationGuid !== row.organizationGuid) {
      throw unprocessable(
        `Spaces with guids ["${guid}"] do not exist within the organization specified, or you do not have access to them.`,
      );
    }
    space.quotaGuid = row.guid;
  }

  function usedBy(row: OrganizationQuotaRow): number {
    const owners = new Set(organizationsOf(row).map(({ guid }) => guid));
    const spaces = [...state.spaces.values()].filter((space) => owners.has(space.organizationGuid));
    return startedUse(state, new Set(spaces.map(({ guid }) => guid))).memoryMb;
  }

  function organizationsOf(row: { readonly guid: string }) {
    return [...state.organizations.values()].filter((one) => one.quotaGuid === row.guid);
  }

  function spacesOf(row: { readonly guid: string }) {
    return [...state.spaces.values()].filter((one) => one.quotaGuid === row.guid);
  }

  function relationship(request: ApiRequest, rows: readonly Row[]): object {
    return {
      data: rows.map(({ guid }) => ({ guid })),
      links: { self: { href: `${urls.api}${request.path}` } },
    };
  }

  function presentOrganizationQuota(row: OrganizationQuotaRow): object {
    // The fault is a quota that is used up by what runs: nothing more is let in.
    const limits = cloud.faults.isOn('quota-exceeded')
      ? { ...row.limits, totalMemoryMb: usedBy(row) }
      : row.limits;
    return {
      ...presentLimits({ ...row, limits }),
      domains: { total_domains: row.limits.totalDomains },
      relationships: { organizations: { data: organizationsOf(row).map(({ guid }) => ({ guid })) } },
      links: { self: { href: `${urls.api}/v3/organization_quotas/${row.guid}` } },
    };
  }

  function presentSpaceQuota(row: SpaceQuotaRow): object {
    return {
      ...presentLimits(row),
      relationships: {
        organization: { data: { guid: row.organizationGuid } },
        spaces: { data: spacesOf(row).map(({ guid }) => ({ guid })) },
      },
      links: {
        self: { href: `${urls.api}/v3/space_quotas/${row.guid}` },
        organization: { href: `${urls.api}/v3/organizations/${row.organizationGuid}` },
      },
    };
  }
}
