import { z } from 'zod';
import type { Limits } from '../quota-state.ts';
import type { Row } from '../state-rows.ts';
import { timestamp } from '../time.ts';

const count = z.number().int().min(0).nullish();
export const limitFields = {
  apps: z
    .strictObject({
      total_memory_in_mb: count,
      per_process_memory_in_mb: count,
      log_rate_limit_in_bytes_per_second: z.number().int().min(-1).nullish(),
      total_instances: count,
      per_app_tasks: count,
    })
    .optional(),
  services: z
    .strictObject({
      paid_services_allowed: z.boolean().optional(),
      total_service_instances: count,
      total_service_keys: count,
    })
    .optional(),
  routes: z.strictObject({ total_routes: count, total_reserved_ports: count }).optional(),
};
export const limitsBody = z.strictObject({
  ...limitFields,
  domains: z.strictObject({ total_domains: count }).optional(),
});

export function presentLimits({
  limits,
  ...row
}: Row & { readonly name: string; readonly limits: Limits }): object {
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    name: row.name,
    apps: {
      total_memory_in_mb: limits.totalMemoryMb,
      per_process_memory_in_mb: limits.perProcessMemoryMb,
      log_rate_limit_in_bytes_per_second: limits.logRate,
      total_instances: limits.totalInstances,
      per_app_tasks: limits.perAppTasks,
    },
    services: {
      paid_services_allowed: limits.paidServices,
      total_service_instances: limits.totalServiceInstances,
      total_service_keys: limits.totalServiceKeys,
    },
    routes: { total_routes: limits.totalRoutes, total_reserved_ports: limits.totalReservedPorts },
  };
}

/** What is not sent stays; `null` lifts a limit. */
export function changed(
  limits: Limits,
  { apps, services, routes, domains }: z.infer<typeof limitsBody>,
): Limits {
  const or = (sent: number | null | undefined, before: number | null): number | null =>
    sent === undefined ? before : sent;
  return {
    totalMemoryMb: or(apps?.total_memory_in_mb, limits.totalMemoryMb),
    perProcessMemoryMb: or(apps?.per_process_memory_in_mb, limits.perProcessMemoryMb),
    logRate: or(apps?.log_rate_limit_in_bytes_per_second, limits.logRate),
    totalInstances: or(apps?.total_instances, limits.totalInstances),
    perAppTasks: or(apps?.per_app_tasks, limits.perAppTasks),
    paidServices: services?.paid_services_allowed ?? limits.paidServices,
    totalServiceInstances: or(services?.total_service_instances, limits.totalServiceInstances),
    totalServiceKeys: or(services?.total_service_keys, limits.totalServiceKeys),
    totalRoutes: or(routes?.total_routes, limits.totalRoutes),
    totalReservedPorts: or(routes?.total_reserved_ports, limits.totalReservedPorts),
    totalDomains: or(domains?.total_domains, limits.totalDomains),
  };
}
