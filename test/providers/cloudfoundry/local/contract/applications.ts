import { type Json, shop, zip } from '../foundation.ts';
import { get, labels, one, patch, post, remove, type Step } from './step.ts';

const bundle = { ...shop('v1'), Procfile: 'web: node server.js\nworker: sleep 600\n' };

/** From an empty application to one that runs, and what can be asked about it. */
export const applications: readonly Step[] = [
  post(
    'apps.create',
    '/v3/apps',
    ({ space }) => ({
      name: 'shop',
      relationships: { space: one(space) },
      lifecycle: { type: 'buildpack', data: { buildpacks: ['nodejs_buildpack'], stack: 'cflinuxfs4' } },
      environment_variables: { MODE: 'contract' },
    }),
    { keep: 'app' },
  ),
  post(
    'packages.create',
    '/v3/packages',
    ({ docker }) => ({
      type: 'docker',
      relationships: { app: one(docker) },
      data: { image: 'registry/image:latest', username: 'username', password: 'password' },
    }),
    {
      before: async (foundation, g) => {
        await foundation.call('PATCH', '/v3/feature_flags/diego_docker', { enabled: true });
        const made = await foundation.createApp('docker', { lifecycle: { type: 'docker', data: {} } });
        g['docker'] = made.guid;
      },
      keep: 'image',
      after: (foundation, g) => foundation.call('DELETE', `/v3/apps/${g['docker']}`),
    },
  ),
  post('packages.create', '/v3/packages', ({ app }) => ({ type: 'bits', relationships: { app: one(app) } }), {
    keep: 'package',
  }),
  post(
    'packages.upload_bits',
    (g) => `/v3/packages/${g['package']}/upload`,
    {},
    {
      send: async (foundation, g) =>
        foundation.uploadBits(`/v3/packages/${g['package']}/upload`, 'package.zip', await zip(bundle)),
      after: (foundation, g) =>
        foundation.until('the package', async () => {
          const { body } = await foundation.call('GET', `/v3/packages/${g['package']}`);
          return body.state === 'READY';
        }),
    },
  ),
  get('packages.get', (g) => `/v3/packages/${g['package']}`),
  get('packages.list', '/v3/packages'),
  get('packages.list_for_app', (g) => `/v3/apps/${g['app']}/packages`),
  patch('packages.update', (g) => `/v3/packages/${g['package']}`, labels),
  get('packages.download_bits', (g) => `/v3/packages/${g['package']}/download`),
  post('builds.create', '/v3/builds', (g) => ({ package: { guid: g['package'] } }), {
    keep: 'build',
    after: async (foundation, g) => {
      g['droplet'] = await foundation.until('the droplet', async () => {
        const { body } = await foundation.call('GET', `/v3/builds/${g['build']}`);
        return body.droplet?.guid;
      });
    },
  }),
  get('builds.get', (g) => `/v3/builds/${g['build']}`),
  get('builds.list', '/v3/builds'),
  get('builds.list_for_app', (g) => `/v3/apps/${g['app']}/builds`),
  patch('builds.update', (g) => `/v3/builds/${g['build']}`, labels),
  get('droplets.get', (g) => `/v3/droplets/${g['droplet']}`),
  get('droplets.list', '/v3/droplets'),
  get('droplets.list_for_app', (g) => `/v3/apps/${g['app']}/droplets`),
  get('droplets.list_for_package', (g) => `/v3/packages/${g['package']}/droplets`),
  patch('droplets.update', (g) => `/v3/droplets/${g['droplet']}`, labels),
  get('droplets.download_bits', (g) => `/v3/droplets/${g['droplet']}/download`),
  patch(
    'apps.current_droplet',
    (g) => `/v3/apps/${g['app']}/relationships/current_droplet`,
    (g) => one(g['droplet']),
  ),
  get('apps.get_current_droplet_relationship', (g) => `/v3/apps/${g['app']}/relationships/current_droplet`),
  get('apps.get_current_droplet', (g) => `/v3/apps/${g['app']}/droplets/current`),
  post('apps.start', (g) => `/v3/apps/${g['app']}/actions/start`, undefined, {
    after: (foundation, g) =>
      foundation.until('a running instance', async () => {
        const { body } = await foundation.call('GET', `/v3/apps/${g['app']}/processes/web/stats`);
        return body.resources.every((instance: Json) => instance.routable);
      }),
  }),
  get('apps.get', (g) => `/v3/apps/${g['app']}`),
  get('apps.list', '/v3/apps'),
  patch('apps.update', (g) => `/v3/apps/${g['app']}`, { name: 'shop', ...labels }),
  get('apps.env', (g) => `/v3/apps/${g['app']}/env`),
  get('apps.environment_variables', (g) => `/v3/apps/${g['app']}/environment_variables`),
  patch('apps.update_environment_variables', (g) => `/v3/apps/${g['app']}/environment_variables`, {
    var: { DEBUG: 'false', USER: null },
  }),
  get('processes.get', (g) => `/v3/processes/${g['app']}`),
  get('processes.list', '/v3/processes'),
  get('processes.list_for_app', (g) => `/v3/apps/${g['app']}/processes`),
  get('processes.stats', (g) => `/v3/processes/${g['app']}/stats`),
  get('processes.process_instances', (g) => `/v3/processes/${g['app']}/process_instances`),
  patch('processes.update', (g) => `/v3/processes/${g['app']}`, {
    command: 'node server.js',
    health_check: { type: 'http', data: { endpoint: '/', timeout: 30, interval: 5, invocation_timeout: 1 } },
  }),
  post('processes.scale', (g) => `/v3/processes/${g['app']}/actions/scale`, { instances: 2 }),
  remove('processes.terminate_instance', (g) => `/v3/processes/${g['app']}/instances/1`),
  post(
    'tasks.create',
    (g) => `/v3/apps/${g['app']}/tasks`,
    { command: 'sleep 30', name: 'migrate' },
    { keep: 'task' },
  ),
  get('tasks.get', (g) => `/v3/tasks/${g['task']}`),
  get('tasks.list', '/v3/tasks'),
  get('tasks.list_for_app', (g) => `/v3/apps/${g['app']}/tasks`),
  patch('tasks.update', (g) => `/v3/tasks/${g['task']}`, labels),
  post('tasks.cancel', (g) => `/v3/tasks/${g['task']}/actions/cancel`),
  get('app_features.list', (g) => `/v3/apps/${g['app']}/features`),
  get('app_features.get', (g) => `/v3/apps/${g['app']}/features/ssh`),
  patch('app_features.update', (g) => `/v3/apps/${g['app']}/features/ssh`, { enabled: true }),
  get('apps.ssh_enabled', (g) => `/v3/apps/${g['app']}/ssh_enabled`),
  get('apps.permissions', (g) => `/v3/apps/${g['app']}/permissions`),
  post(
    'sidecars.create_from_app',
    (g) => `/v3/apps/${g['app']}/sidecars`,
    { name: 'auth', command: 'sleep 600', process_types: ['web', 'worker'], memory_in_mb: 300 },
    { keep: 'sidecar' },
  ),
  get('sidecars.get', (g) => `/v3/sidecars/${g['sidecar']}`),
  patch('sidecars.update', (g) => `/v3/sidecars/${g['sidecar']}`, { memory_in_mb: 200 }),
  get('sidecars.list_for_app', (g) => `/v3/apps/${g['app']}/sidecars`),
  get('sidecars.list_for_process', (g) => `/v3/processes/${g['app']}/sidecars`),
  get('revisions.list', (g) => `/v3/apps/${g['app']}/revisions`, {
    after: async (_foundation, g, answer) => {
      g['revision'] = answer.body.resources[0].guid;
    },
  }),
  get('revisions.get', (g) => `/v3/revisions/${g['revision']}`),
  get('revisions.deployed_list', (g) => `/v3/apps/${g['app']}/revisions/deployed`),
  get('revisions.environment_variables', (g) => `/v3/revisions/${g['revision']}/environment_variables`),
  patch('revisions.update', (g) => `/v3/revisions/${g['revision']}`, labels),
  remove('sidecars.delete', (g) => `/v3/sidecars/${g['sidecar']}`),
  post('resource_matches.create', '/v3/resource_matches', {
    resources: [
      {
        checksum: { value: 'a9993e364706816aba3e25717850c26c9cd0d89d' },
        size_in_bytes: 1,
        path: 'a',
        mode: '644',
      },
    ],
  }),
  get('audit_events.list', '/v3/audit_events', {
    after: async (_foundation, g, answer) => {
      g['event'] = answer.body.resources[0].guid;
    },
  }),
  get('audit_events.get', (g) => `/v3/audit_events/${g['event']}`),
];

/** One release replaced by the next, and the end of it all. */
export const deployments: readonly Step[] = [
  post(
    'deployments.create',
    '/v3/deployments',
    (g) => ({
      droplet: { guid: g['droplet'] },
      strategy: 'canary',
      options: {
        max_in_flight: 1,
        web_instances: 2,
        memory_in_mb: 64,
        disk_in_mb: 64,
        log_rate_limit_in_bytes_per_second: -1,
        canary: { steps: [{ instance_weight: 50 }] },
      },
      relationships: { app: one(g['app']) },
    }),
    {
      keep: 'deployment',
      after: (foundation, g) =>
        foundation.until('the pause', async () => {
          const { body } = await foundation.call('GET', `/v3/deployments/${g['deployment']}`);
          return body.status.reason === 'PAUSED';
        }),
    },
  ),
  get('deployments.get', (g) => `/v3/deployments/${g['deployment']}`),
  get('deployments.list', '/v3/deployments'),
  patch('deployments.update', (g) => `/v3/deployments/${g['deployment']}`, labels),
  post('deployments.continue', (g) => `/v3/deployments/${g['deployment']}/actions/continue`),
  post('deployments.cancel', (g) => `/v3/deployments/${g['deployment']}/actions/cancel`),
  post('apps.restart', (g) => `/v3/apps/${g['app']}/actions/restart`),
  post('apps.stop', (g) => `/v3/apps/${g['app']}/actions/stop`),
  post(
    'packages.copy_bits',
    (g) => `/v3/packages?source_guid=${g['package']}`,
    (g) => ({
      relationships: { app: one(g['app']) },
    }),
  ),
  post(
    'droplets.copy',
    (g) => `/v3/droplets?source_guid=${g['droplet']}`,
    (g) => ({
      relationships: { app: one(g['app']) },
    }),
  ),
  post(
    'droplets.create',
    '/v3/droplets',
    (g) => ({ relationships: { app: one(g['app']) }, process_types: { web: 'node server.js' } }),
    { keep: 'empty' },
  ),
  post('droplets.upload_bits', (g) => `/v3/droplets/${g['empty']}/upload`, undefined, {
    send: async (foundation, g) => {
      const link = await foundation.call('GET', `/v3/droplets/${g['droplet']}/download`);
      const { bytes } = await foundation.call('GET', String(link.headers.location));
      return foundation.uploadBits(`/v3/droplets/${g['empty']}/upload`, 'droplet.tgz', bytes);
    },
    job: true,
  }),
  remove('droplets.delete', (g) => `/v3/droplets/${g['empty']}`, { job: true }),
  remove('packages.delete', (g) => `/v3/packages/${g['package']}`, { job: true }),
  remove('apps.delete', (g) => `/v3/apps/${g['app']}`, {
    after: async (foundation, g, answer) => {
      await foundation.job(answer);
      g['job'] = String(answer.headers.location).replace(/.*\//, '');
    },
  }),
  get('jobs.get', (g) => `/v3/jobs/${g['job']}`),
];
