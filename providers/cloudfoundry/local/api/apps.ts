import { z } from 'zod';
import { decode, mergeMetadata, metadataBody, toOne } from '../api-body.ts';
import { type ApiRoute, accepted, created, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { featureDisabled, notUnique, quotaExceeded, unprocessable } from '../errors.ts';
import { DEFAULT_STACK } from '../operator-state.ts';
import type { ListOptions } from '../pagination.ts';
import { demandOf } from '../quota.ts';
import { type AppRow, type LifecycleType, processesOf } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { environment } from './app-environment.ts';
import { presentApp, presentCurrentDroplet } from './app-view.ts';
import { type Collection, keepRow, readRoutes } from './collection.ts';
import { requireFlag } from './feature-flags.ts';
import { findByPath } from './find.ts';
import { newProcess } from './process-rows.ts';
import { spaceIncludes } from './space-includes.ts';

const lifecycleBody = z.strictObject({
  type: z.enum(['buildpack', 'docker', 'cnb']),
  data: z.looseObject({
    buildpacks: z.array(z.string()).nullish(),
    stack: z.string().nullish(),
  }),
});

const createBody = z.strictObject({
  name: z.string().min(1),
  relationships: z.strictObject({ space: toOne }),
  lifecycle: lifecycleBody.optional(),
  environment_variables: z.record(z.string(), z.string()).nullish(),
  metadata: metadataBody.optional(),
});

const updateBody = z.strictObject({
  name: z.string().min(1).optional(),
  lifecycle: lifecycleBody.optional(),
  metadata: metadataBody.optional(),
});

export function appRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state } = cloud;
  const rows = state.apps;
  const list: ListOptions<AppRow> = {
    filters: {
      names: (row, values) => values.includes(row.name),
      guids: (row, values) => values.includes(row.guid),
      space_guids: (row, values) => values.includes(row.spaceGuid),
      organization_guids: (row, values) =>
        values.includes(state.spaces.get(row.spaceGuid)?.organizationGuid ?? ''),
      stacks: (row, values) => values.includes(row.stack),
      lifecycle_type: (row, values) => values.includes(row.lifecycle),
    },
    orders: { name: (row) => row.name, state: (row) => row.state },
    metadata: (row) => row.metadata,
    includes: spaceIncludes(cloud, (row) => row.spaceGuid),
    present: (row) => presentApp(cloud, row),
  };
  const collection: Collection<AppRow> = { path: '/v3/apps', resource: 'App', rows, list };

  function checkName(name: string, spaceGuid: string, own?: AppRow): void {
    for (const row of rows.values()) {
      if (row !== own && row.spaceGuid === spaceGuid && row.name === name) {
        throw notUnique(`App with the name '${name}' already exists.`);
      }
    }
  }

  function startable(app: AppRow): AppRow {
    if (app.lifecycle === 'docker') requireFlag(cloud, 'diego_docker');
    if (app.dropletGuid === null) throw unprocessable('Assign a droplet before starting this app.');
    if (cloud.faults.isOn('quota-exceeded')) throw quotaExceeded();
    if (app.state === 'STOPPED') cloud.quotas.check(app.spaceGuid, demandOf(processesOf(state, app.guid)));
    return app;
  }

  return [
    ...readRoutes(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/apps',
      handler(request) {
        const body = decode(createBody, request.body);
        const spaceGuid = body.relationships.space.data.guid;
        if (!state.spaces.has(spaceGuid)) {
          throw unprocessable('Invalid space. Ensure that the space exists and you have access to it.');
        }
        const lifecycle = lifecycleOf(cloud, body.lifecycle?.type);
        checkName(body.name, spaceGuid);
        const row: AppRow = {
          ...newRow(cloud.clock, cloud.newId),
          name: body.name,
          spaceGuid,
          state: 'STOPPED',
          lifecycle,
          buildpacks: body.lifecycle?.data.buildpacks ?? [],
          stack: body.lifecycle?.data.stack ?? DEFAULT_STACK,
          env: environment({}, body.environment_variables ?? {}),
          dropletGuid: null,
          features: { ssh: false, revisions: true },
          metadata: emptyMetadata(),
        };
        keepRow(rows, row, body.metadata);
        const web = newProcess(cloud, row, 'web');
        state.processes.set(web.guid, web);
        cloud.audit.record('audit.app.create', row);
        return created(presentApp(cloud, row));
      },
    },
    {
      method: 'PATCH',
      pattern: '/v3/apps/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'App');
        const body = decode(updateBody, request.body);
        if (body.lifecycle && body.lifecycle.type !== row.lifecycle) {
          throw unprocessable(
            `Lifecycle type cannot be changed from ${row.lifecycle} to ${body.lifecycle.type}`,
          );
        }
        if (body.name !== undefined) checkName(body.name, row.spaceGuid, row);
        mergeMetadata(row.metadata, body.metadata);
        row.name = body.name ?? row.name;
        row.buildpacks = body.lifecycle?.data.buildpacks ?? row.buildpacks;
        row.stack = body.lifecycle?.data.stack ?? row.stack;
        row.updatedAt = cloud.clock.now();
        cloud.audit.record('audit.app.update', row);
        return ok(presentApp(cloud, row));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/apps/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'App');
        cloud.audit.record('audit.app.delete-request', row);
        const job = cloud.jobs.start('app.delete', async () => {
          const gone = cloud.lifecycle.destroyApp(row);
          cloud.routeTable.routesChanged();
          await Promise.all([gone, cloud.tasks.drop(row.guid)]);
        });
        return accepted(job);
      },
    },
    action('start', (app) => cloud.lifecycle.start(startable(app))),
    action('stop', (app) => cloud.lifecycle.stop(app)),
    action('restart', (app) => cloud.lifecycle.restart(startable(app))),
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/relationships/current_droplet',
      handler: (request) => ok(presentCurrentDroplet(cloud, findByPath(rows, request, 'App'))),
    },
    {
      method: 'PATCH',
      pattern: '/v3/apps/:guid/relationships/current_droplet',
      handler(request) {
        const row = findByPath(rows, request, 'App');
        const { guid } = decode(toOne, request.body).data;
        assignDroplet(row, guid);
        return ok(presentCurrentDroplet(cloud, row));
      },
    },
  ];

  function action(name: string, act: (app: AppRow) => void): ApiRoute {
    return {
      method: 'POST',
      pattern: `/v3/apps/:guid/actions/${name}`,
      handler(request) {
        const row = findByPath(rows, request, 'App');
        act(row);
        return ok(presentApp(cloud, row));
      },
    };
  }

  function assignDroplet(app: AppRow, dropletGuid: string): void {
    const droplet = state.droplets.get(dropletGuid);
    if (droplet?.appGuid !== app.guid || droplet.state !== 'STAGED') {
      throw unprocessable(
        'Unable to assign current droplet. Ensure the droplet exists and belongs to this app.',
      );
    }
    app.dropletGuid = dropletGuid;
    app.updatedAt = cloud.clock.now();
    // Whatever staging found beside `web` becomes a process with no instances yet.
    const present = new Set(processesOf(state, app.guid).map((process) => process.type));
    for (const type of Object.keys(droplet.processTypes ?? {})) {
      if (present.has(type)) continue;
      const process = newProcess(cloud, app, type);
      state.processes.set(process.guid, process);
    }
    cloud.audit.record('audit.app.droplet.mapped', app, { droplet_guid: dropletGuid });
  }
}

function lifecycleOf(cloud: Cloud, type: 'buildpack' | 'docker' | 'cnb' = 'buildpack'): LifecycleType {
  if (type === 'docker') requireFlag(cloud, 'diego_docker');
  // There are no cloud-native buildpacks here, whatever the flag says.
  if (type === 'cnb') throw featureDisabled('diego_cnb');
  return type;
}
