import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createApiRouter } from '../api-router.ts';
import { type ApiAnswer, type ApiRequest, type ApiRoute, accepted, created } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError, unknownRequest, unprocessable } from '../errors.ts';
import { type AppRow, processesOf, routesOf, routeUrl } from '../state.ts';
import { findByPath } from './find.ts';
import {
  type ManifestApplication,
  type ManifestProcess,
  type ManifestService,
  manifestProcesses,
  parseManifest,
} from './manifest-body.ts';
import { manifestDiff } from './manifest-diff.ts';
import { newProcess } from './process-rows.ts';

/** A manifest is applied through the same handlers a client would call, so that both are refused alike. */
export function manifestRoutes(cloud: Cloud, routes: readonly ApiRoute[]): readonly ApiRoute[] {
  const { state } = cloud;
  const match = createApiRouter(routes);

  return [
    {
      method: 'POST',
      pattern: '/v3/spaces/:guid/manifest_diff',
      rawBody: true,
      async handler(request) {
        const space = findByPath(state.spaces, request, 'Space');
        const applications = parseManifest(await readYaml(request.raw));
        return created({ diff: manifestDiff(state, space.guid, applications) });
      },
    },
    {
      method: 'POST',
      pattern: '/v3/spaces/:guid/actions/apply_manifest',
      rawBody: true,
      async handler(request) {
        const space = findByPath(state.spaces, request, 'Space');
        const applications = parseManifest(await readYaml(request.raw));
        // The apps are there when the request returns; all the rest is the job's.
        const work: { readonly wanted: ManifestApplication; readonly app: AppRow }[] = [];
        for (const wanted of applications)
          work.push({ wanted, app: await skeleton(request, space.guid, wanted) });
        return accepted(
          cloud.jobs.start('space.apply_manifest', async () => {
            for (const { app, wanted } of work) await applyOne(request, app, wanted);
          }),
        );
      },
    },
  ];

  async function ask(by: ApiRequest, method: string, path: string, body: unknown): Promise<ApiAnswer> {
    const found = match(method, path);
    if (!found) throw unknownRequest();
    const { params, route } = found;
    return route.handler({ ...by, method, path, params, query: new URLSearchParams(), body });
  }

  async function skeleton(by: ApiRequest, spaceGuid: string, wanted: ManifestApplication): Promise<AppRow> {
    const find = (): AppRow | undefined =>
      [...state.apps.values()].find((app) => app.spaceGuid === spaceGuid && app.name === wanted.name);
    if (!find()) {
      const relationships = { space: { data: { guid: spaceGuid } } };
      await ask(by, 'POST', '/v3/apps', { name: wanted.name, relationships });
    }
    const app = find();
    if (!app) throw unprocessable(`The app '${wanted.name}' could not be created`);
    return app;
  }

  async function applyOne(by: ApiRequest, app: AppRow, wanted: ManifestApplication): Promise<void> {
    try {
      for (const process of manifestProcesses(wanted)) await applyProcess(by, app, process);
      const buildpacks =
        wanted.buildpacks ?? (wanted.buildpack === undefined ? undefined : [wanted.buildpack]);
      await ask(by, 'PATCH', `/v3/apps/${app.guid}`, {
        lifecycle: {
          type: 'buildpack',
          data: { ...(buildpacks ? { buildpacks } : {}), stack: wanted.stack ?? null },
        },
        ...(wanted.metadata ? { metadata: wanted.metadata } : {}),
      });
      await applyRoutes(by, app, wanted);
      if (wanted.env)
        await ask(by, 'PATCH', `/v3/apps/${app.guid}/environment_variables`, { var: wanted.env });
      for (const service of wanted.services ?? []) await applyService(by, app, service);
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      const [first] = error.errors;
      throw new CloudError(
        error.status,
        first?.code ?? 10008,
        first?.title ?? 'CF-UnprocessableEntity',
        `For application '${app.name}': ${error.message}`,
      );
    }
  }

  async function applyService(by: ApiRequest, app: AppRow, wanted: ManifestService): Promise<void> {
    const instance = [...state.serviceInstances.values()].find(
      (one) => one.spaceGuid === app.spaceGuid && one.name === wanted.name,
    );
    if (!instance) throw unprocessable(`Service instance '${wanted.name}' not found`);
    const bound = [...state.serviceBindings.values()].some(
      (one) => one.appGuid === app.guid && one.instanceGuid === instance.guid,
    );
    if (bound) return;
    await ask(by, 'POST', '/v3/service_credential_bindings', {
      type: 'app',
      ...('binding_name' in wanted ? { name: wanted.binding_name } : {}),
      ...('parameters' in wanted ? { parameters: wanted.parameters } : {}),
      relationships: {
        service_instance: { data: { guid: instance.guid } },
        app: { data: { guid: app.guid } },
      },
    });
  }

  async function applyProcess(by: ApiRequest, app: AppRow, wanted: ManifestProcess): Promise<void> {
    const { type } = wanted;
    if (!processesOf(state, app.guid).some((process) => process.type === type)) {
      const process = newProcess(cloud, app, type);
      state.processes.set(process.guid, process);
    }
    const path = `/v3/apps/${app.guid}/processes/${type}`;
    const changes = processChanges(wanted);
    if (Object.keys(changes).length > 0) await ask(by, 'PATCH', path, changes);
    const scale = { instances: wanted.instances, memory_in_mb: wanted.memory, disk_in_mb: wanted.disk_quota };
    if (Object.values(scale).some((value) => value !== undefined)) {
      await ask(by, 'POST', `${path}/actions/scale`, scale);
    }
  }

  async function applyRoutes(by: ApiRequest, app: AppRow, wanted: ManifestApplication): Promise<void> {
    if (wanted['no-route']) return;
    const shared = [...state.domains.values()].find((domain) => domain.organizationGuid === null)?.name;
    const urls = wanted.routes?.map((one) => one.route) ?? [];
    const lacks = urls.length === 0 && routesOf(state, app.guid).length === 0;
    if (lacks && wanted['default-route']) urls.push(`${app.name}.${shared}`);
    if (lacks && wanted['random-route']) urls.push(`${app.name}-${cloud.newId().slice(0, 8)}.${shared}`);
    for (const url of urls) {
      const guid = routeGuid(url) ?? (await createRoute(by, app, url));
      await ask(by, 'POST', `/v3/routes/${guid}/destinations`, {
        destinations: [{ app: { guid: app.guid } }],
      });
    }
  }

  function routeGuid(url: string): string | undefined {
    return [...state.routes.values()].find((route) => routeUrl(state, route) === url)?.guid;
  }

  /** The longest domain that fits; what is left of it is the host. */
  async function createRoute(by: ApiRequest, app: AppRow, url: string): Promise<string> {
    const slash = url.indexOf('/');
    const name = slash < 0 ? url : url.slice(0, slash);
    const path = slash < 0 ? '' : url.slice(slash);
    const fitting = [...state.domains.values()].filter(
      (domain) => name === domain.name || name.endsWith(`.${domain.name}`),
    );
    const [domain] = fitting.sort((a, b) => b.name.length - a.name.length);
    if (!domain) throw unprocessable(`The route '${url}' did not match any existing domains.`);
    await ask(by, 'POST', '/v3/routes', {
      host: name === domain.name ? '' : name.slice(0, -domain.name.length - 1),
      path,
      relationships: { space: { data: { guid: app.spaceGuid } }, domain: { data: { guid: domain.guid } } },
    });
    return routeGuid(url) ?? '';
  }
}

function processChanges(wanted: ManifestProcess): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  // `command: null` goes back to what staging found.
  if (wanted.command !== undefined) changes['command'] = wanted.command === 'default' ? null : wanted.command;
  const type = wanted['health-check-type'];
  const endpoint = wanted['health-check-http-endpoint'];
  if (type !== undefined || wanted.timeout !== undefined || endpoint !== undefined) {
    changes['health_check'] = {
      type: type ?? (endpoint === undefined ? 'port' : 'http'),
      data: {
        timeout: wanted.timeout,
        invocation_timeout: wanted['health-check-invocation-timeout'],
        interval: wanted['health-check-interval'],
        endpoint,
      },
    };
  }
  const readiness = wanted['readiness-health-check-type'];
  if (readiness !== undefined) {
    const data = { endpoint: wanted['readiness-health-check-http-endpoint'] };
    changes['readiness_health_check'] = { type: readiness, data };
  }
  return changes;
}

async function readYaml(request: IncomingMessage): Promise<string> {
  const manifest = await text(request);
  if (!/yaml/i.test(request.headers['content-type'] ?? '')) {
    throw new CloudError(400, 1004, 'CF-BadRequest', 'Bad request: Content-Type must be yaml');
  }
  return manifest;
}
