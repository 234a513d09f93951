import { get, labels, one, patch, post, remove, type Step } from './step.ts';

/** What every client asks first. */
export const discovery: readonly Step[] = [
  get('root.global_root', '/'),
  get('root.v3_root', '/v3'),
  get('info.get', '/v3/info'),
  get('organizations.list', '/v3/organizations', {
    after: async (_foundation, g, answer) => {
      g['organization'] = answer.body.resources[0].guid;
    },
  }),
  get('spaces.list', '/v3/spaces', {
    after: async (_foundation, g, answer) => {
      g['space'] = answer.body.resources[0].guid;
    },
  }),
  get('domains.list', '/v3/domains', {
    after: async (_foundation, g, answer) => {
      g['domain'] = answer.body.resources[0].guid;
    },
  }),
];

export const organizations: readonly Step[] = [
  get('organizations.get_an_organization', (g) => `/v3/organizations/${g['organization']}`),
  post('organizations.create', '/v3/organizations', { name: 'second' }, { keep: 'second' }),
  patch('organizations.update', (g) => `/v3/organizations/${g['second']}`, { name: 'other', ...labels }),
  get('organizations.get_default_domain', (g) => `/v3/organizations/${g['organization']}/domains/default`),
  get('organizations.get_usage_summary', (g) => `/v3/organizations/${g['organization']}/usage_summary`),
  post(
    'spaces.create',
    '/v3/spaces',
    (g) => ({ name: 'test', relationships: { organization: one(g['second']) } }),
    { keep: 'secondSpace' },
  ),
  get('spaces.get_a_space', (g) => `/v3/spaces/${g['space']}`),
  patch('spaces.update', (g) => `/v3/spaces/${g['secondSpace']}`, { name: 'tests', ...labels }),
  get('spaces.get_usage_summary', (g) => `/v3/spaces/${g['space']}/usage_summary`),
  remove('spaces.delete', (g) => `/v3/spaces/${g['secondSpace']}`, { job: true }),
  remove('organizations.delete', (g) => `/v3/organizations/${g['second']}`, { job: true }),
];
