import { get, patch, type Step } from './step.ts';

function keep(name: string): Parameters<typeof get>[2] {
  return {
    after: async (_foundation, g, answer) => {
      g[name] = answer.body.resources[0].guid;
    },
  };
}

/** What the operator of the foundation set up. */
export const operator: readonly Step[] = [
  get('stacks.list', '/v3/stacks', keep('stack')),
  get('stacks.get', (g) => `/v3/stacks/${g['stack']}`),
  get('buildpacks.list', '/v3/buildpacks', keep('buildpack')),
  get('buildpacks.get', (g) => `/v3/buildpacks/${g['buildpack']}`),
  get('isolation_segments.list', '/v3/isolation_segments', keep('segment')),
  get('isolation_segments.get', (g) => `/v3/isolation_segments/${g['segment']}`),
  get('security_groups.list', '/v3/security_groups', keep('group')),
  get('security_groups.get', (g) => `/v3/security_groups/${g['group']}`),
  get(
    'security_groups.list_running_security_groups',
    (g) => `/v3/spaces/${g['space']}/running_security_groups`,
  ),
  get(
    'security_groups.list_staging_security_groups',
    (g) => `/v3/spaces/${g['space']}/staging_security_groups`,
  ),
  get(
    'spaces.get_assigned_isolation_segment',
    (g) => `/v3/spaces/${g['space']}/relationships/isolation_segment`,
  ),
  get(
    'organizations.get_default_isolation_segment',
    (g) => `/v3/organizations/${g['organization']}/relationships/default_isolation_segment`,
  ),
  patch('feature_flags.update', '/v3/feature_flags/diego_docker', {
    enabled: true,
    custom_error_message: 'ask the operator',
  }),
  get('feature_flags.get', '/v3/feature_flags/diego_docker'),
  get('feature_flags.list', '/v3/feature_flags'),
];
