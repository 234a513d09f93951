import { z } from 'zod';
import { decode, metadataBody } from '../api-body.ts';
import { type ApiRoute, created } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { quotaExceeded, unprocessable } from '../errors.ts';
import type { ListOptions } from '../pagination.ts';
import type { BuildRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readOfAppRoute, readRoutes, relabelRoute } from './collection.ts';
import { requireFlag } from './feature-flags.ts';

const STAGING_MB = 1_024;
const megabytes = z.number().int().min(1).nullish();

const createBody = z.strictObject({
  package: z.strictObject({ guid: z.string() }),
  lifecycle: z
    .looseObject({ data: z.looseObject({ buildpacks: z.array(z.string()).nullish() }).optional() })
    .nullish(),
  staging_memory_in_mb: megabytes,
  staging_disk_in_mb: megabytes,
  staging_log_rate_limit_bytes_per_second: z.number().int().min(-1).nullish(),
  metadata: metadataBody.optional(),
});

export function buildRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock } = cloud;
  const rows = state.builds;
  const list: ListOptions<BuildRow> = {
    filters: {
      states: (row, values) => values.includes(row.state),
      app_guids: (row, values) => values.includes(row.appGuid),
      package_guids: (row, values) => values.includes(row.packageGuid),
    },
    metadata: (row) => row.metadata,
    present: (row) => presentBuild(cloud, row),
  };
  const collection: Collection<BuildRow> = { path: '/v3/builds', resource: 'Build', rows, list };

  return [
    ...readRoutes(cloud, collection),
    readOfAppRoute(cloud, collection),
    relabelRoute(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/builds',
      handler(request) {
        const body = decode(createBody, request.body);
        const bundle = state.packages.get(body.package.guid);
        const app = bundle ? state.apps.get(bundle.appGuid) : undefined;
        if (!bundle || !app) {
          throw unprocessable(
            'Unable to use package. Ensure that the package exists and you have access to it.',
          );
        }
        if (bundle.state !== 'READY') throw unprocessable('Cannot stage package whose state is not ready.');
        if (app.lifecycle === 'docker') requireFlag(cloud, 'diego_docker');
        for (const other of rows.values()) {
          if (other.appGuid === app.guid && other.state === 'STAGING') {
            throw unprocessable('Only one build can be STAGING at a time per application.');
          }
        }
        if (cloud.faults.isOn('quota-exceeded')) throw quotaExceeded();
        cloud.quotas.checkStaging(app.spaceGuid, body.staging_memory_in_mb ?? STAGING_MB);
        const { guid, name, email } = request.actor;
        const build: BuildRow = {
          ...newRow(clock, cloud.newId),
          appGuid: app.guid,
          lifecycle: app.lifecycle,
          packageGuid: bundle.guid,
          createdBy: { guid, name, email },
          state: 'STAGING',
          error: null,
          memoryMb: body.staging_memory_in_mb ?? STAGING_MB,
          diskMb: body.staging_disk_in_mb ?? STAGING_MB,
          buildpacks: body.lifecycle?.data?.buildpacks ?? app.buildpacks,
          stack: app.stack,
          dropletGuid: null,
          metadata: emptyMetadata(),
        };
        keepRow(rows, build, body.metadata);
        cloud.staging.begin(build, bundle);
        cloud.audit.record('audit.app.build.create', app, {
          build_guid: build.guid,
          package_guid: bundle.guid,
        });
        return created(presentBuild(cloud, build));
      },
    },
  ];
}

function presentBuild(cloud: Cloud, row: BuildRow): object {
  const { api } = cloud.urls;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    state: row.state,
    staging_memory_in_mb: row.memoryMb,
    staging_disk_in_mb: row.diskMb,
    staging_log_rate_limit_bytes_per_second: -1,
    error: row.error,
    lifecycle:
      row.lifecycle === 'docker'
        ? { type: 'docker', data: {} }
        : { type: 'buildpack', data: { buildpacks: row.buildpacks, stack: row.stack } },
    package: { guid: row.packageGuid },
    droplet: row.dropletGuid === null ? null : { guid: row.dropletGuid },
    relationships: { app: { data: { guid: row.appGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: `${api}/v3/builds/${row.guid}` },
      app: { href: `${api}/v3/apps/${row.appGuid}` },
      ...(row.dropletGuid === null ? {} : { droplet: { href: `${api}/v3/droplets/${row.dropletGuid}` } }),
    },
    created_by: row.createdBy,
  };
}
