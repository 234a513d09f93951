import { z } from 'zod';
import { decode, metadataBody } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, ok } from '../api-types.ts';
import type { TaskRow } from '../app-state.ts';
import type { Cloud } from '../cloud.ts';
import { commandOf } from '../engine/start-command.ts';
import { quotaExceeded, unprocessable } from '../errors.ts';
import { listPage, listQuery } from '../pagination.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readRoutes, relabelRoute } from './collection.ts';
import { findByPath } from './find.ts';

const DEFAULT_MB = 1_024;
const megabytes = z.number().int().min(1).nullish();

const createBody = z.strictObject({
  command: z.string().min(1).max(4_096).nullish(),
  name: z.string().nullish(),
  user: z.string().nullish(),
  disk_in_mb: megabytes,
  memory_in_mb: megabytes,
  log_rate_limit_in_bytes_per_second: z.number().int().min(-1).nullish(),
  droplet_guid: z.string().nullish(),
  template: z.strictObject({ process: z.strictObject({ guid: z.string() }) }).nullish(),
  metadata: metadataBody.optional(),
});

export function taskRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock } = cloud;
  const rows = state.tasks;
  const spaceOf = (row: TaskRow): string => state.apps.get(row.appGuid)?.spaceGuid ?? '';
  const collection: Collection<TaskRow> = {
    path: '/v3/tasks',
    resource: 'Task',
    rows,
    list: {
      filters: {
        guids: (row, values) => values.includes(row.guid),
        names: (row, values) => values.includes(row.name),
        states: (row, values) => values.includes(row.state),
        app_guids: (row, values) => values.includes(row.appGuid),
        space_guids: (row, values) => values.includes(spaceOf(row)),
        organization_guids: (row, values) =>
          values.includes(state.spaces.get(spaceOf(row))?.organizationGuid ?? ''),
      },
      metadata: (row) => row.metadata,
      // Commands may hold secrets: lists do not have them.
      present: (row) => presentTask(cloud, row, 'list'),
    },
    presentOne: (row) => presentTask(cloud, row, 'single'),
  };
  const ofApp = {
    ...collection.list,
    filters: {
      ...collection.list.filters,
      sequence_ids: (row: TaskRow, values: readonly string[]) => values.includes(String(row.sequenceId)),
    },
  };

  return [
    ...readRoutes(cloud, collection),
    relabelRoute(cloud, collection),
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/tasks',
      query: listQuery(ofApp),
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        const own = [...rows.values()].filter((row) => row.appGuid === app.guid);
        return ok(listPage(request, cloud.urls.api, own, ofApp));
      },
    },
    {
      method: 'POST',
      pattern: '/v3/apps/:guid/tasks',
      handler: (request) => ({ status: 202, body: presentTask(cloud, create(request), 'single') }),
    },
    ...(['POST', 'PUT'] as const).map(
      (method): ApiRoute => ({
        method,
        // PUT …/cancel is how older clients still ask for it.
        pattern: method === 'POST' ? '/v3/tasks/:guid/actions/cancel' : '/v3/tasks/:guid/cancel',
        handler(request) {
          const row = findByPath(rows, request, 'Task');
          if (row.state !== 'RUNNING' && row.state !== 'CANCELING') {
            throw unprocessable(`Task state is ${row.state} and therefore cannot be canceled`);
          }
          cloud.tasks.cancel(row);
          const app = state.apps.get(row.appGuid);
          if (app) cloud.audit.record('audit.app.task.cancel', app, { task_guid: row.guid });
          return { status: 202, body: presentTask(cloud, row, 'single') };
        },
      }),
    ),
  ];

  function create(request: ApiRequest): TaskRow {
    const app = findByPath(state.apps, request, 'App');
    const body = decode(createBody, request.body);
    const droplet = state.droplets.get(body.droplet_guid ?? app.dropletGuid ?? '');
    if (droplet?.state !== 'STAGED') {
      throw unprocessable('Task must have a droplet. Assign current droplet to app.');
    }
    const template = body.template && state.processes.get(body.template.process.guid);
    if (body.template && template?.appGuid !== app.guid) throw unprocessable('Template process not found');
    const command = body.command ?? (template && commandOf(template, droplet));
    if (!command) throw unprocessable('No command or template provided');
    if (cloud.faults.isOn('quota-exceeded')) throw quotaExceeded();
    const memoryMb = body.memory_in_mb ?? template?.memoryMb ?? DEFAULT_MB;
    cloud.quotas.check(app.spaceGuid, { memoryMb, processMemoryMb: memoryMb });
    cloud.quotas.checkTask(app);
    const own = [...rows.values()].filter((row) => row.appGuid === app.guid);
    const row: TaskRow = {
      ...newRow(clock, cloud.newId),
      appGuid: app.guid,
      sequenceId: Math.max(0, ...own.map((one) => one.sequenceId)) + 1,
      name: body.name ?? cloud.newId().slice(0, 8),
      command,
      memoryMb,
      diskMb: body.disk_in_mb ?? template?.diskMb ?? DEFAULT_MB,
      logRate: body.log_rate_limit_in_bytes_per_second ?? -1,
      dropletGuid: droplet.guid,
      state: 'RUNNING',
      failureReason: null,
      metadata: emptyMetadata(),
    };
    keepRow(rows, row, body.metadata);
    cloud.tasks.begin(row, app, droplet);
    cloud.audit.record('audit.app.task.create', app, { task_guid: row.guid });
    return row;
  }
}

function presentTask(cloud: Cloud, row: TaskRow, as: 'single' | 'list'): object {
  const { api } = cloud.urls;
  const self = `${api}/v3/tasks/${row.guid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    sequence_id: row.sequenceId,
    name: row.name,
    ...(as === 'list' ? {} : { command: row.command }),
    user: 'vcap',
    state: row.state,
    memory_in_mb: row.memoryMb,
    disk_in_mb: row.diskMb,
    log_rate_limit_in_bytes_per_second: row.logRate,
    result: { failure_reason: row.failureReason },
    droplet_guid: row.dropletGuid,
    relationships: { app: { data: { guid: row.appGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      app: { href: `${api}/v3/apps/${row.appGuid}` },
      cancel: { href: `${self}/actions/cancel`, method: 'POST' },
      droplet: { href: `${api}/v3/droplets/${row.dropletGuid}` },
    },
  };
}
