import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { notFound } from '../errors.ts';
import { timestamp } from '../time.ts';
import { usedMemoryMb } from './usage.ts';

const GUID = 'default';
const TOTAL_MEMORY_MB = 10_240;

/** The one quota that all organizations share; no space has one of its own. */
export function quotaRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls, faults } = cloud;
  return [
    {
      method: 'GET',
      pattern: '/v3/organization_quotas/:guid',
      handler(request) {
        if (request.params['guid'] !== GUID) throw notFound('Organization quota');
        // What is used up is what runs: nothing more is let in.
        const total = faults.isOn('quota-exceeded') ? usedMemoryMb(state) : TOTAL_MEMORY_MB;
        const began = timestamp(0);
        return ok({
          guid: GUID,
          created_at: began,
          updated_at: began,
          name: GUID,
          apps: {
            total_memory_in_mb: total,
            per_process_memory_in_mb: null,
            log_rate_limit_in_bytes_per_second: null,
            total_instances: null,
            per_app_tasks: null,
          },
          services: { paid_services_allowed: true, total_service_instances: 100, total_service_keys: null },
          routes: { total_routes: 1_000, total_reserved_ports: 100 },
          domains: { total_domains: null },
          relationships: {
            organizations: { data: [...state.organizations.keys()].map((guid) => ({ guid })) },
          },
          links: { self: { href: `${urls.api}/v3/organization_quotas/${GUID}` } },
        });
      },
    },
  ];
}
