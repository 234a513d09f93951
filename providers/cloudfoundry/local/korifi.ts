import { type Actor, type ApiAnswer, type ApiRoute, ok } from './api-types.ts';
import type { Cloud } from './cloud.ts';

export const MODES = ['cloudfoundry', 'korifi'] as const;
export type Mode = (typeof MODES)[number];

/** The release of the API that Korifi says it is. */
const API_VERSION = '3.117.0+cf-k8s';

/** What Korifi has of what this foundation has, as far as its handlers' tables tell. */
const ENDPOINTS: readonly string[] = [
  'GET /v3',
  'GET /v3/info',
  'GET /api/v1/info',
  'GET /api/v1/read/:guid',
  ...crud('organizations'),
  ...crud('spaces'),
  'POST /v3/spaces/:guid/actions/apply_manifest',
  'POST /v3/spaces/:guid/manifest_diff',
  'GET /v3/organizations/:guid/domains',
  'GET /v3/organizations/:guid/domains/default',
  ...crud('domains'),
  ...crud('apps'),
  'GET /v3/apps/:guid/env',
  'GET /v3/apps/:guid/environment_variables',
  'PATCH /v3/apps/:guid/environment_variables',
  'PATCH /v3/apps/:guid/relationships/current_droplet',
  'GET /v3/apps/:guid/droplets/current',
  ...['start', 'stop', 'restart'].map((name) => `POST /v3/apps/:guid/actions/${name}`),
  'GET /v3/apps/:guid/packages',
  'GET /v3/apps/:guid/builds',
  'GET /v3/apps/:guid/routes',
  'GET /v3/apps/:guid/ssh_enabled',
  'PATCH /v3/apps/:guid/features/:name',
  'GET /v3/apps/:guid/processes',
  'GET /v3/apps/:guid/processes/:type',
  'GET /v3/apps/:guid/processes/:type/stats',
  'POST /v3/apps/:guid/processes/:type/actions/scale',
  'GET /v3/processes',
  'GET /v3/processes/:guid',
  'PATCH /v3/processes/:guid',
  'GET /v3/processes/:guid/stats',
  'GET /v3/processes/:guid/sidecars',
  'POST /v3/processes/:guid/actions/scale',
  'GET /v3/packages',
  'POST /v3/packages',
  'GET /v3/packages/:guid',
  'PATCH /v3/packages/:guid',
  'POST /v3/packages/:guid/upload',
  'GET /v3/packages/:guid/droplets',
  'POST /v3/builds',
  'GET /v3/builds/:guid',
  'GET /v3/droplets/:guid',
  'PATCH /v3/droplets/:guid',
  'GET /v3/deployments',
  'POST /v3/deployments',
  'GET /v3/deployments/:guid',
  ...crud('routes'),
  'GET /v3/routes/:guid/destinations',
  'POST /v3/routes/:guid/destinations',
  'DELETE /v3/routes/:guid/destinations/:destination',
  'GET /v3/tasks',
  'GET /v3/tasks/:guid',
  'PATCH /v3/tasks/:guid',
  'POST /v3/tasks/:guid/actions/cancel',
  'GET /v3/apps/:guid/tasks',
  'POST /v3/apps/:guid/tasks',
  'GET /v3/jobs/:guid',
  ...crud('service_instances'),
  ...crud('service_credential_bindings'),
  'GET /v3/service_credential_bindings/:guid/details',
  'POST /v3/resource_matches',
];

/** Parameters that lists take here as well and there do not. */
const UNKNOWN_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  'GET /v3/deployments': ['label_selector', 'status_reasons', 'states'],
  'GET /v3/tasks': ['label_selector', 'states', 'space_guids'],
  'GET /v3/routes': ['label_selector'],
};

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] as const;

/** The routes of Korifi, with its answers where those tell less, and 405 for its paths' other methods. */
export function korifiRoutes(cloud: Cloud, all: readonly ApiRoute[]): readonly ApiRoute[] {
  const kept = all.filter((route) => ENDPOINTS.includes(nameOf(route))).map(thinned);
  const root: readonly ApiRoute[] = [
    { method: 'GET', pattern: '/', open: true, handler: () => ok(rootDocument(cloud)) },
    {
      method: 'GET',
      pattern: '/whoami',
      handler: ({ actor }) => ok({ name: actor.name, kind: 'User' }),
    },
  ];
  const names = new Set([...kept, ...root].map(nameOf));
  const patterns = new Set(kept.map(({ pattern }) => pattern));
  const others = [...patterns].flatMap((pattern) =>
    METHODS.filter((method) => !names.has(`${method} ${pattern}`)).map(
      (method): ApiRoute => ({
        method,
        pattern,
        anyQuery: true,
        rawBody: true,
        handler: () => ({ status: 405 }),
      }),
    ),
  );
  return [...root, ...kept, ...others];
}

/** A token that the cluster gave out: it stays as it is. */
export function createKorifiLogin(newId: () => string, userGuid: string) {
  const token = `cluster-${newId()}`;
  let refused = false;
  return {
    token,
    actorOf(given: string): Actor | undefined {
      if (refused) {
        refused = false;
        return undefined;
      }
      const name = 'system:serviceaccount:cf:deployer';
      return given === token ? { guid: userGuid, name, email: '' } : undefined;
    },
    /** An API server that just restarted: the next time it is good again. */
    revoke(given: string): void {
      refused = given === token;
    },
  };
}

function crud(collection: string): readonly string[] {
  const path = `/v3/${collection}`;
  const one = `${path}/:guid`;
  return [`GET ${path}`, `POST ${path}`, `GET ${one}`, `PATCH ${one}`, `DELETE ${one}`];
}

function nameOf({ method, pattern }: Pick<ApiRoute, 'method' | 'pattern'>): string {
  return `${method} ${pattern}`;
}

function thinned(route: ApiRoute): ApiRoute {
  const unknown = UNKNOWN_PARAMETERS[nameOf(route)];
  const query = unknown === undefined ? route.query : route.query?.filter((name) => !unknown.includes(name));
  return {
    ...route,
    ...(query === undefined ? {} : { query }),
    async handler(request) {
      const answer = await route.handler(request);
      return withLess(route.pattern, answer);
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

function withLess(pattern: string, answer: ApiAnswer): ApiAnswer {
  const body = answer.body as Fields | undefined;
  if (body === undefined || answer.status >= 400) return answer;
  const less = lessOf(pattern);
  if (less === undefined) return answer;
  const resources = body['resources'] as readonly Fields[] | undefined;
  return { ...answer, body: resources ? { ...body, resources: resources.map(less) } : less(body) };
}

function lessOf(pattern: string): ((one: Fields) => Fields) | undefined {
  if (pattern.startsWith('/v3/deployments')) {
    return ({ guid, created_at, updated_at, status, droplet, relationships, links }) => {
      const { value, reason } = status as Fields;
      return { guid, created_at, updated_at, status: { value, reason }, droplet, relationships, links };
    };
  }
  // No quotas: neither organizations nor spaces have a relationship to one.
  if (/^\/v3\/(organizations|spaces)(\/:guid)?$/.test(pattern)) {
    return (one) => {
      const { quota: _, ...relationships } = (one['relationships'] ?? {}) as Fields;
      return { ...one, relationships };
    };
  }
  if (pattern.endsWith('/manifest_diff')) return () => ({ diff: [] });
  return undefined;
}

function rootDocument({ urls }: Cloud): object {
  return {
    links: {
      self: { href: urls.api, meta: { version: '' } },
      bits_service: null,
      cloud_controller_v2: null,
      cloud_controller_v3: { href: `${urls.api}/v3`, meta: { version: API_VERSION } },
      network_policy_v0: null,
      network_policy_v1: null,
      login: { href: urls.api, meta: { version: '' } },
      uaa: null,
      credhub: null,
      routing: null,
      logging: null,
      log_cache: { href: urls.api, meta: { version: '' } },
      log_stream: null,
      app_ssh: null,
    },
    cf_on_k8s: true,
  };
}
