import { get, labels, one, patch, post, remove, type Step } from './step.ts';

export const services: readonly Step[] = [
  get('service_brokers.list', '/v3/service_brokers', {
    after: async (_foundation, g, answer) => {
      g['broker'] = answer.body.resources[0].guid;
    },
  }),
  get('service_brokers.get', (g) => `/v3/service_brokers/${g['broker']}`),
  get('service_offerings.list', '/v3/service_offerings?names=database', {
    after: async (_foundation, g, answer) => {
      g['offering'] = answer.body.resources[0].guid;
    },
  }),
  get('service_offerings.get', (g) => `/v3/service_offerings/${g['offering']}`),
  patch('service_offerings.update', (g) => `/v3/service_offerings/${g['offering']}`, labels),
  get('service_plans.list', '/v3/service_plans?names=small', {
    after: async (_foundation, g, answer) => {
      g['plan'] = answer.body.resources[0].guid;
    },
  }),
  get('service_plans.get', (g) => `/v3/service_plans/${g['plan']}`),
  patch('service_plans.update', (g) => `/v3/service_plans/${g['plan']}`, labels),
  get('service_plan_visibility.get', (g) => `/v3/service_plans/${g['plan']}/visibility`),
  post(
    'service_instances.create',
    '/v3/service_instances',
    (g) => ({
      type: 'managed',
      name: 'db',
      parameters: { key_1: 'value_1', key_2: 'value_2' },
      tags: ['sql'],
      relationships: { space: one(g['space']), service_plan: one(g['plan']) },
    }),
    {
      job: true,
      after: async (foundation, g) => {
        const { body } = await foundation.call('GET', '/v3/service_instances?names=db');
        g['managed'] = body.resources[0].guid;
      },
    },
  ),
  post(
    'service_instances.create',
    '/v3/service_instances',
    (g) => ({
      type: 'user-provided',
      name: 'legacy',
      credentials: { username: 'me', password: 'secret', other: 'credential' },
      syslog_drain_url: 'https://syslog.example.org/drain',
      relationships: { space: one(g['space']) },
    }),
    { keep: 'provided' },
  ),
  get('service_instances.get', (g) => `/v3/service_instances/${g['managed']}`),
  get('service_instances.get', (g) => `/v3/service_instances/${g['provided']}`),
  get('service_instances.list', '/v3/service_instances'),
  patch('service_instances.update', (g) => `/v3/service_instances/${g['managed']}`, labels),
  patch(
    'service_instances.update',
    (g) => `/v3/service_instances/${g['managed']}`,
    { parameters: { key_1: 'other' } },
    { job: true },
  ),
  patch('service_instances.update', (g) => `/v3/service_instances/${g['provided']}`, { tags: ['old'] }),
  get('service_instances.credentials', (g) => `/v3/service_instances/${g['provided']}/credentials`),
  get('service_instances.parameters', (g) => `/v3/service_instances/${g['managed']}/parameters`),
  get('service_instances.permissions', (g) => `/v3/service_instances/${g['managed']}/permissions`),
  get(
    'service_instances.list_shared_spaces',
    (g) => `/v3/service_instances/${g['managed']}/relationships/shared_spaces`,
  ),
  post(
    'service_credential_bindings.create',
    '/v3/service_credential_bindings',
    (g) => ({
      type: 'app',
      name: 'db',
      parameters: { foo: 'bar', foz: 'baz' },
      relationships: { app: one(g['app']), service_instance: one(g['managed']) },
    }),
    {
      job: true,
      after: async (foundation, g) => {
        const { body } = await foundation.call('GET', '/v3/service_credential_bindings?names=db');
        g['binding'] = body.resources[0].guid;
      },
    },
  ),
  post(
    'service_credential_bindings.create',
    '/v3/service_credential_bindings',
    (g) => ({ type: 'app', relationships: { app: one(g['app']), service_instance: one(g['provided']) } }),
    { keep: 'own' },
  ),
  get('service_credential_bindings.get', (g) => `/v3/service_credential_bindings/${g['binding']}`),
  get('service_credential_bindings.list', '/v3/service_credential_bindings'),
  get(
    'service_credential_bindings.details',
    (g) => `/v3/service_credential_bindings/${g['binding']}/details`,
  ),
  get(
    'service_credential_bindings.parameters',
    (g) => `/v3/service_credential_bindings/${g['binding']}/parameters`,
  ),
  patch(
    'service_credential_bindings.update',
    (g) => `/v3/service_credential_bindings/${g['binding']}`,
    labels,
  ),
  remove('service_credential_bindings.delete', (g) => `/v3/service_credential_bindings/${g['binding']}`, {
    job: true,
  }),
  remove('service_credential_bindings.delete', (g) => `/v3/service_credential_bindings/${g['own']}`),
  remove('service_instances.delete', (g) => `/v3/service_instances/${g['managed']}`, { job: true }),
  remove('service_instances.delete', (g) => `/v3/service_instances/${g['provided']}`),
];
