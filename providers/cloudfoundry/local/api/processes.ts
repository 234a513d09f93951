import { z } from 'zod';
import { decode, mergeMetadata, metadataBody } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, noContent, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError, notFound, quotaExceeded } from '../errors.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import { type AppRow, activeDeployment, type HealthCheck, type ProcessRow, processesOf } from '../state.ts';
import { findByPath } from './find.ts';
import { presentStats } from './process-stats.ts';
import { presentInstances, presentProcess } from './process-view.ts';

const count = z.number().int().min(0);
const seconds = z.number().int().min(1).nullish();

const healthBody = z.strictObject({
  type: z.enum(['port', 'http', 'process', 'none']),
  data: z
    .strictObject({
      timeout: seconds,
      invocation_timeout: seconds,
      interval: seconds,
      endpoint: z.string().nullish(),
    })
    .optional(),
});

const updateBody = z.strictObject({
  command: z.string().min(1).nullish(),
  user: z.string().nullish(),
  health_check: healthBody.optional(),
  readiness_health_check: healthBody.optional(),
  metadata: metadataBody.optional(),
});

const scaleBody = z.strictObject({
  instances: count.nullish(),
  memory_in_mb: z.number().int().min(1).nullish(),
  disk_in_mb: z.number().int().min(1).nullish(),
  log_rate_limit_in_bytes_per_second: z.number().int().min(-1).nullish(),
});

export function processRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const rows = state.processes;

  function options(embed: string | null): ListOptions<ProcessRow> {
    return {
      filters: {
        guids: (row, values) => values.includes(row.guid),
        types: (row, values) => values.includes(row.type),
        app_guids: (row, values) => values.includes(row.appGuid),
        space_guids: (row, values) => values.includes(state.apps.get(row.appGuid)?.spaceGuid ?? ''),
        organization_guids: (row, values) => {
          const space = state.spaces.get(state.apps.get(row.appGuid)?.spaceGuid ?? '');
          return values.includes(space?.organizationGuid ?? '');
        },
      },
      metadata: (row) => row.metadata,
      present: (row) => ({
        ...presentProcess(cloud, row, 'list'),
        ...(embed === 'process_instances' ? { process_instances: presentInstances(cloud, row) } : {}),
      }),
    };
  }

  /** By guid, or the newest of a type within an app: that is the one a deployment is bringing. */
  function processOf(request: ApiRequest): ProcessRow {
    const { type } = request.params;
    if (type === undefined) return findByPath(rows, request, 'Process');
    const app = findByPath(state.apps, request, 'App');
    const newest = processesOf(state, app.guid).findLast((process) => process.type === type);
    if (!newest) throw notFound('Process');
    return newest;
  }

  /** The same act under both addresses of a process. */
  function both(
    method: ApiRoute['method'],
    path: string,
    handler: ApiRoute['handler'],
    query: readonly string[] = [],
  ): readonly ApiRoute[] {
    return [
      { method, pattern: `/v3/processes/:guid${path}`, handler, query },
      { method, pattern: `/v3/apps/:guid/processes/:type${path}`, handler, query },
    ];
  }

  return [
    {
      method: 'GET',
      pattern: '/v3/processes',
      query: [...listQuery(options(null)), 'embed'],
      handler: (request) =>
        ok(listPage(request, urls.api, rows.values(), options(request.query.get('embed')))),
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/processes',
      query: [...listQuery(options(null)), 'embed'],
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        return ok(
          listPage(request, urls.api, processesOf(state, app.guid), options(request.query.get('embed'))),
        );
      },
    },
    ...both('GET', '', (request) => ok(presentProcess(cloud, processOf(request), 'single')), ['embed']),
    ...both('PATCH', '', (request) =>
      ok(presentProcess(cloud, update(processOf(request), request.body), 'single')),
    ),
    ...both('POST', '/actions/scale', (request) => ({
      status: 202,
      body: presentProcess(cloud, scale(processOf(request), request.body), 'single'),
    })),
    ...both('GET', '/stats', (request) => ok({ resources: presentStats(cloud, processOf(request)) })),
    ...both('GET', '/process_instances', (request) => {
      const process = processOf(request);
      const self = `${urls.api}/v3/processes/${process.guid}`;
      return ok({
        resources: presentInstances(cloud, process),
        links: { self: { href: `${self}/process_instances` }, process: { href: self } },
      });
    }),
    ...both('DELETE', '/instances/:index', (request) => {
      const index = Number(request.params['index']);
      if (!cloud.instances.restartInstance(processOf(request).guid, index)) throw notFound('Instance');
      return noContent();
    }),
  ];

  function update(process: ProcessRow, sent: unknown): ProcessRow {
    const body = decode(updateBody, sent);
    refuseWhileDeploying(process, 390015, 'ProcessUpdateDisabledDuringDeployment', 'update');
    if (body.command !== undefined) process.command = body.command;
    if (body.health_check) process.healthCheck = merged(process.healthCheck, body.health_check);
    if (body.readiness_health_check)
      process.readiness = merged(process.readiness, body.readiness_health_check);
    mergeMetadata(process.metadata, body.metadata);
    process.version = cloud.newId();
    process.updatedAt = cloud.clock.now();
    return process;
  }

  function scale(process: ProcessRow, sent: unknown): ProcessRow {
    const body = decode(scaleBody, sent);
    refuseWhileDeploying(process, 390016, 'ScaleDisabledDuringDeployment', 'scale');
    const wanted = body.instances ?? process.instances;
    const memory = body.memory_in_mb ?? process.memoryMb;
    const grows = wanted * memory > process.instances * process.memoryMb;
    const app = state.apps.get(process.appGuid);
    if (app) checkQuota(app, process, wanted, memory);
    if (grows && cloud.faults.isOn('quota-exceeded')) throw quotaExceeded();
    const resized =
      memory !== process.memoryMb || (body.disk_in_mb != null && body.disk_in_mb !== process.diskMb);
    process.memoryMb = memory;
    process.diskMb = body.disk_in_mb ?? process.diskMb;
    process.logRate = body.log_rate_limit_in_bytes_per_second ?? process.logRate;
    if (resized) {
      // New sizes need new instances, and until a restart brings them nothing of the wish takes effect.
      process.version = cloud.newId();
      process.instances = wanted;
      process.updatedAt = cloud.clock.now();
    } else cloud.lifecycle.scale(process, wanted);
    if (app) cloud.audit.record('audit.app.process.scale', app, { process_guid: process.guid });
    return process;
  }

  function checkQuota(app: AppRow, process: ProcessRow, instances: number, memoryMb: number): void {
    const started = app.state === 'STARTED';
    cloud.quotas.check(app.spaceGuid, {
      processMemoryMb: memoryMb,
      ...(started
        ? {
            memoryMb: instances * memoryMb - process.instances * process.memoryMb,
            instances: instances - process.instances,
          }
        : {}),
    });
  }

  function refuseWhileDeploying(process: ProcessRow, code: number, title: string, verb: string): void {
    if (process.type !== 'web' || !activeDeployment(state, process.appGuid)) return;
    throw new CloudError(
      422,
      code,
      `CF-${title}`,
      `Cannot ${verb} this process while a deployment is in flight.`,
    );
  }
}

function merged(before: HealthCheck, sent: z.infer<typeof healthBody>): HealthCheck {
  const type = sent.type === 'none' ? 'process' : sent.type;
  const data = sent.data ?? {};
  return {
    type,
    timeout: data.timeout ?? before.timeout,
    invocationTimeout: data.invocation_timeout ?? before.invocationTimeout,
    interval: data.interval ?? before.interval,
    endpoint: type === 'http' ? (data.endpoint ?? before.endpoint ?? '/') : null,
  };
}
