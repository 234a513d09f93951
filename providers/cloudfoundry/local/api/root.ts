import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { RATE_LIMITS } from '../rate-limit.ts';

/** The Cloud Controller release whose behaviour is copied. */
const API_VERSION = '3.228.0';

const COLLECTIONS = [
  'apps',
  'audit_events',
  'buildpacks',
  'builds',
  'deployments',
  'domains',
  'droplets',
  'feature_flags',
  'info',
  'isolation_segments',
  'organization_quotas',
  'organizations',
  'packages',
  'processes',
  'resource_matches',
  'routes',
  'security_groups',
  'service_brokers',
  'service_instances',
  'service_offerings',
  'service_plans',
  'space_quotas',
  'spaces',
  'stacks',
  'tasks',
];

export function rootRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { urls } = cloud;
  return [
    { method: 'GET', pattern: '/', open: true, handler: () => ok({ links: globalLinks() }) },
    { method: 'GET', pattern: '/v3', open: true, handler: () => ok({ links: v3Links() }) },
    { method: 'GET', pattern: '/v3/info', open: true, handler: () => ok(info()) },
  ];

  function globalLinks(): object {
    return {
      self: { href: urls.api },
      cloud_controller_v3: { href: `${urls.api}/v3`, meta: { version: API_VERSION } },
      network_policy_v0: { href: `${urls.api}/networking/v0/external` },
      network_policy_v1: { href: `${urls.api}/networking/v1/external` },
      login: { href: urls.uaa },
      uaa: { href: urls.uaa },
      credhub: null,
      routing: null,
      logging: null,
      log_cache: { href: urls.logCache },
      log_stream: null,
      app_ssh: null,
    };
  }

  function v3Links(): object {
    const links: Record<string, { href: string; experimental?: boolean }> = {
      self: { href: `${urls.api}/v3` },
    };
    for (const name of COLLECTIONS) links[name] = { href: `${urls.api}/v3/${name}` };
    links['service_instances'] = { href: `${urls.api}/v3/service_instances`, experimental: true };
    return links;
  }

  function info(): object {
    return {
      build: 'local',
      cli_version: { minimum: '', recommended: '' },
      custom: {},
      description: 'A small Cloud Foundry on loopback',
      name: 'sluice local cloudfoundry',
      version: 0,
      osbapi_version: '2.15',
      rate_limits: RATE_LIMITS,
      links: { self: { href: `${urls.api}/v3/info` }, support: { href: '' } },
    };
  }
}
