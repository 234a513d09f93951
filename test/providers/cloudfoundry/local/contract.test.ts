import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Foundation, type Json, shop, startFoundation } from './foundation.ts';
import { shapeDifferences } from './shape.ts';

const CONTRACTS = join(process.cwd(), '..', 'shared', 'contracts', 'cloudfoundry');
const EXAMPLES = join(CONTRACTS, 'examples');
const present = existsSync(EXAMPLES);
if (!present) process.stderr.write(`skipped: no documented examples in ${EXAMPLES}\n`);

/** Where we differ from the documentation on purpose. */
const WAIVERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  root: {
    'links.cloud_controller_v2: missing': 'v2 is disabled, and then the link is absent',
  },
  v3: Object.fromEntries(
    [
      'app_usage_events',
      'buildpacks',
      'environment_variable_groups',
      'feature_flags',
      'isolation_segments',
      'organization_quotas',
      'resource_matches',
      'roles',
      'security_groups',
      'service_brokers',
      'service_instances',
      'service_credential_bindings',
      'service_offerings',
      'service_plans',
      'service_route_bindings',
      'service_usage_events',
      'space_quotas',
      'spaces',
      'stacks',
      'tasks',
      'users',
    ].map((name) => [`links.${name}: missing`, 'not served here, so not advertised']),
  ),
  process: {
    'health_check.data.invocation_timeout: not documented': 'the list page of the documentation has it',
    'health_check.data.interval: not documented': 'the list page of the documentation has it',
    'readiness_health_check.data.interval: not documented': 'the list page of the documentation has it',
  },
  route: {
    'options.loadbalancing: missing': 'shown where somebody set it; the documentation also has empty options',
  },
  starting: {
    'instance_guid: not documented': 'the running example has it, and an instance that starts has a guid too',
  },
  domain: {
    'links.organization: missing': 'a shared domain has no owner',
    'links.shared_organizations: missing': 'a shared domain is not shared with single organizations',
  },
  deployment: {
    'status.canary: missing': 'only canary deployments have it; compared in a case of its own',
    'options.web_instances: missing': 'shown when asked for',
    'options.memory_in_mb: missing': 'shown when asked for',
    'options.disk_in_mb: missing': 'shown when asked for',
    'options.log_rate_limit_in_bytes_per_second: missing': 'shown when asked for',
    'options.canary: missing': 'only canary deployments have it; compared in a case of its own',
    'links.continue: missing': 'present while PAUSED only',
  },
  env: {
    'application_env_json.VCAP_APPLICATION.cf_api: not documented': 'current Cloud Controllers send it',
    'application_env_json.VCAP_APPLICATION.organization_id: not documented':
      'current Cloud Controllers send it',
    'application_env_json.VCAP_APPLICATION.organization_name: not documented':
      'current Cloud Controllers send it',
    'application_env_json.VCAP_APPLICATION.application_id: not documented':
      'current Cloud Controllers send it',
    'application_env_json.VCAP_APPLICATION.version: not documented': 'current Cloud Controllers send it',
    'application_env_json.VCAP_APPLICATION.application_version: not documented':
      'current Cloud Controllers send it',
  },
};

interface Example {
  readonly objects?: readonly Json[];
  readonly responses: readonly { readonly status: number; readonly body: Json }[];
}

function example(name: string): Example {
  return JSON.parse(readFileSync(join(EXAMPLES, `${name}.json`), 'utf8'));
}

function documentedObject(name: string): Json {
  const { objects } = example(`${name}.object`);
  return objects?.[0];
}

function check(documented: Json, actual: Json, waivers: string): void {
  const waived = WAIVERS[waivers] ?? {};
  const differences = shapeDifferences(documented, actual);
  expect(differences.filter((difference) => !(difference in waived))).toEqual([]);
}

(present ? describe : describe.skip)('answers against the documented examples', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  let droplet: string;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    app = await foundation.push('shop', shop('v1'), 1);
    droplet = (await call('GET', `/v3/apps/${app.guid}/droplets/current`)).body.guid;
  });
  afterAll(() => foundation.close());

  async function body(path: string): Promise<Json> {
    const answer = await call('GET', path);
    expect(answer.status).toBe(200);
    return answer.body;
  }

  async function first(path: string): Promise<Json> {
    return (await body(path)).resources[0];
  }

  it('GET / and /v3', async () => {
    check(example('root.global_root').responses[0]?.body, await body('/'), 'root');
    check(example('root.v3_root').responses[0]?.body, await body('/v3'), 'v3');
  });

  it('GET /v3/info', async () => {
    const documented = { ...example('info.get').responses[0]?.body, custom: {} };
    check(documented, await body('/v3/info'), 'info');
  });

  it.each([
    ['apps', 'app', '/v3/apps'],
    ['packages', 'package', '/v3/packages'],
    ['builds', 'build', '/v3/builds'],
    ['processes', 'process', '/v3/processes'],
    ['routes', 'route', '/v3/routes'],
    ['domains', 'domain', '/v3/domains'],
    ['organizations', 'organization', '/v3/organizations'],
    ['spaces', 'space', '/v3/spaces'],
    ['droplets', 'droplet', '/v3/droplets'],
  ])('the %s object, alone and in its list', async (page, waivers, path) => {
    const listed = await body(path);
    check(example(`${page}.list`).responses[0]?.body.pagination, listed.pagination, 'pagination');
    const documented = documentedObject(page);
    const alone = await body(`${path}/${listed.resources[0].guid}`);
    check(documented, alone, waivers);
    // Lists may hide values, never keys.
    expect(Object.keys(listed.resources[0]).sort()).toEqual(Object.keys(alone).sort());
  });

  it('an audit event', async () => {
    const event = await first('/v3/audit_events');
    check({ ...documentedObject('audit_events'), data: {} }, { ...event, data: {} }, 'audit');
  });

  it('stats of a running and of a starting instance', async () => {
    const documented = example('processes.stats').responses[0]?.body.resources;
    const running = await first(`/v3/processes/${app.guid}/stats`);
    check(documented[0], running, 'stats');
    await call('DELETE', `/v3/processes/${app.guid}/instances/0`);
    const starting = await first(`/v3/processes/${app.guid}/stats`);
    expect(starting.state).toBe('STARTING');
    check(documented[1], starting, 'starting');
  });

  it('process instances', async () => {
    const documented = example('processes.process_instances').responses[0]?.body;
    check(documented, await body(`/v3/processes/${app.guid}/process_instances`), 'process_instances');
  });

  it('environment, destinations and the current droplet', async () => {
    const variables = example('apps.environment_variables').responses[0]?.body;
    check(variables, await body(`/v3/apps/${app.guid}/environment_variables`), 'variables');
    check(example('apps.env').responses[0]?.body, await body(`/v3/apps/${app.guid}/env`), 'env');
    const route = await first('/v3/routes');
    const destinations = example('routes.list_destinations').responses[0]?.body;
    check(destinations, await body(`/v3/routes/${route.guid}/destinations`), 'destinations');
    const relationship = example('apps.get_current_droplet_relationship').responses[0]?.body;
    check(relationship, await body(`/v3/apps/${app.guid}/relationships/current_droplet`), 'relationship');
  });

  it('scale answers 202 with a process', async () => {
    const answer = await call('POST', `/v3/processes/${app.guid}/actions/scale`, { instances: 1 });
    const [documented] = example('processes.scale').responses;
    expect(answer.status).toBe(documented?.status);
    check(documented?.body, answer.body, 'process');
  });

  it('a rolling deployment, and a canary one in its pause', async () => {
    const wish = { relationships: { app: { data: { guid: app.guid } } }, droplet: { guid: droplet } };
    const rolling = await call('POST', '/v3/deployments', wish);
    check(documentedObject('deployments'), rolling.body, 'deployment');
    await foundation.until('its end', async () => {
      return (await body(`/v3/deployments/${rolling.body.guid}`)).status.value === 'FINALIZED';
    });
    const options = {
      max_in_flight: 1,
      web_instances: 1,
      memory_in_mb: 64,
      disk_in_mb: 64,
      log_rate_limit_in_bytes_per_second: -1,
      canary: { steps: [{ instance_weight: 50 }] },
    };
    const canary = await call('POST', '/v3/deployments', { ...wish, strategy: 'canary', options });
    const paused = await foundation.until('the pause', async () => {
      const now = await body(`/v3/deployments/${canary.body.guid}`);
      return now.status.reason === 'PAUSED' && now;
    });
    check(documentedObject('deployments'), paused, 'none');
    await call('POST', `/v3/deployments/${canary.body.guid}/actions/cancel`);
  });

  it('a job, and the 202 that leads to it', async () => {
    const route = await first('/v3/routes');
    const deleted = await call('DELETE', `/v3/routes/${route.guid}`);
    expect(deleted.status).toBe(example('routes.delete').responses[0]?.status);
    check(documentedObject('jobs'), await foundation.job(deleted), 'job');
  });

  it('answers every request the real client was seen to make, if only by refusing it', async () => {
    const guid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?:org|space|droplet)-guid/g;
    const requests = new Set<string>();
    for (const file of readdirSync(join(CONTRACTS, 'traces'))) {
      for (const line of readFileSync(join(CONTRACTS, 'traces', file), 'utf8').split('\n')) {
        const match = /^(GET|POST|PATCH|DELETE) (\/v3\S*|\/) -> /.exec(line);
        if (match) requests.add(`${match[1]} ${match[2]?.replace(guid, 'some-guid')}`);
      }
    }
    expect(requests.size).toBeGreaterThan(20);
    const unknown: string[] = [];
    for (const request of requests) {
      const [method = '', path = ''] = request.split(' ');
      const answer: Answer = await call(method, path, method === 'GET' ? undefined : {});
      const code = answer.body?.errors?.[0]?.code;
      if (code === 10000 || code === 10005) unknown.push(`${request}: ${answer.text}`);
    }
    expect(unknown).toEqual([]);
  });
});
