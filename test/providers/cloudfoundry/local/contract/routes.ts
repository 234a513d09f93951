import { get, labels, one, patch, post, remove, type Step } from './step.ts';

export const routes: readonly Step[] = [
  get('domains.get', (g) => `/v3/domains/${g['domain']}`),
  post(
    'domains.create',
    '/v3/domains',
    (g) => ({ name: 'shop.example', relationships: { organization: one(g['organization']) } }),
    { keep: 'ownDomain' },
  ),
  get('domains.list_domains_for_an_org', (g) => `/v3/organizations/${g['organization']}/domains`),
  post(
    'routes.create',
    '/v3/routes',
    (g) => ({
      host: 'shop',
      path: '/cart',
      options: { loadbalancing: 'round-robin' },
      relationships: { space: one(g['space']), domain: one(g['domain']) },
    }),
    { keep: 'route' },
  ),
  post(
    'routes.insert_destinations',
    (g) => `/v3/routes/${g['route']}/destinations`,
    (g) => ({
      destinations: [
        { app: { guid: g['app'] } },
        { app: { guid: g['app'], process: { type: 'worker' } }, port: 1234 },
      ],
    }),
  ),
  get('routes.get', (g) => `/v3/routes/${g['route']}`),
  get('routes.list', '/v3/routes'),
  get('routes.list_for_app', (g) => `/v3/apps/${g['app']}/routes`),
  get('routes.list_destinations', (g) => `/v3/routes/${g['route']}/destinations`, {
    after: async (_foundation, g, answer) => {
      g['destination'] = answer.body.destinations[0].guid;
    },
  }),
  get(
    'routes.check_route_reservations',
    (g) => `/v3/domains/${g['domain']}/route_reservations?host=shop&path=/cart`,
  ),
  patch('routes.update', (g) => `/v3/routes/${g['route']}`, labels),
  remove('routes.remove_destination', (g) => `/v3/routes/${g['route']}/destinations/${g['destination']}`),
  patch(
    'routes.replace_destinations',
    (g) => `/v3/routes/${g['route']}/destinations`,
    (g) => ({
      destinations: [{ app: { guid: g['app'] } }],
    }),
  ),
  remove('routes.delete', (g) => `/v3/routes/${g['route']}`, { job: true }),
  remove('domains.delete', (g) => `/v3/domains/${g['ownDomain']}`, { job: true }),
];
