import { get, many, one, patch, post, remove, type Step } from './step.ts';

export const quotas: readonly Step[] = [
  post(
    'organization_quotas.create',
    '/v3/organization_quotas',
    { name: 'production' },
    { keep: 'organizationQuota' },
  ),
  get('organization_quotas.get', (g) => `/v3/organization_quotas/${g['organizationQuota']}`),
  get('organization_quotas.list', '/v3/organization_quotas'),
  patch('organization_quotas.update', (g) => `/v3/organization_quotas/${g['organizationQuota']}`, {
    name: 'don-quixote',
    apps: { total_memory_in_mb: 51200 },
  }),
  post(
    'organization_quotas.apply',
    (g) => `/v3/organization_quotas/${g['organizationQuota']}/relationships/organizations`,
    (g) => many(g['third']),
    {
      before: async (foundation, g) => {
        g['third'] = (await foundation.call('POST', '/v3/organizations', { name: 'third' })).body.guid;
      },
      after: async (foundation, g) => {
        await foundation.job(await foundation.call('DELETE', `/v3/organizations/${g['third']}`));
      },
    },
  ),
  remove('organization_quotas.delete', (g) => `/v3/organization_quotas/${g['organizationQuota']}`, {
    job: true,
  }),
  post(
    'space_quotas.create',
    '/v3/space_quotas',
    (g) => ({ name: 'production', relationships: { organization: one(g['organization']) } }),
    { keep: 'spaceQuota' },
  ),
  get('space_quotas.get', (g) => `/v3/space_quotas/${g['spaceQuota']}`),
  get('space_quotas.list', '/v3/space_quotas'),
  patch('space_quotas.update', (g) => `/v3/space_quotas/${g['spaceQuota']}`, {
    apps: { total_instances: 100 },
  }),
  post(
    'space_quotas.apply',
    (g) => `/v3/space_quotas/${g['spaceQuota']}/relationships/spaces`,
    (g) => many(g['space']),
  ),
  remove(
    'space_quotas.remove',
    (g) => `/v3/space_quotas/${g['spaceQuota']}/relationships/spaces/${g['space']}`,
  ),
  remove('space_quotas.delete', (g) => `/v3/space_quotas/${g['spaceQuota']}`, { job: true }),
];
