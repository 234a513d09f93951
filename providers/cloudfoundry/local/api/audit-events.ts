import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import type { AuditEventRow } from '../state.ts';
import { timestamp } from '../time.ts';
import { findByPath } from './find.ts';

export function auditEventRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const options: ListOptions<AuditEventRow> = {
    filters: {
      types: (row, values) => values.includes(row.type),
      target_guids: (row, values) => values.includes(row.target.guid),
      space_guids: (row, values) => values.includes(row.spaceGuid ?? ''),
      organization_guids: (row, values) => values.includes(row.organizationGuid ?? ''),
    },
    present,
  };

  function present(row: AuditEventRow): object {
    return {
      guid: row.guid,
      created_at: timestamp(row.createdAt),
      updated_at: timestamp(row.updatedAt),
      type: row.type,
      actor: row.actor,
      target: row.target,
      data: row.data,
      space: row.spaceGuid === null ? null : { guid: row.spaceGuid },
      organization: row.organizationGuid === null ? null : { guid: row.organizationGuid },
      links: { self: { href: `${urls.api}/v3/audit_events/${row.guid}` } },
    };
  }

  return [
    {
      method: 'GET',
      pattern: '/v3/audit_events',
      query: listQuery(options),
      handler: (request) => ok(listPage(request, urls.api, state.auditEvents.values(), options)),
    },
    {
      method: 'GET',
      pattern: '/v3/audit_events/:guid',
      handler: (request) => ok(present(findByPath(state.auditEvents, request, 'Event'))),
    },
  ];
}
