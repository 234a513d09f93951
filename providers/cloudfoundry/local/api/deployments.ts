import { z } from 'zod';
import { decode, mergeMetadata, metadataBody, toOne } from '../api-body.ts';
import { type ApiRoute, created } from '../api-types.ts';
import type { RevisionRow } from '../app-state.ts';
import type { Cloud } from '../cloud.ts';
import { quotaExceeded, unprocessable } from '../errors.ts';
import type { ListOptions } from '../pagination.ts';
import { rollingHint } from '../quota.ts';
import { type AppRow, type DeploymentRow, webProcesses } from '../state.ts';
import { emptyMetadata } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, readRoutes, relabelRoute } from './collection.ts';
import { findByPath } from './find.ts';
import { deployable } from './revisions.ts';

const whole = z.number().int().min(1).nullish();

const createBody = z.strictObject({
  relationships: z.strictObject({ app: toOne }),
  droplet: z.strictObject({ guid: z.string() }).nullish(),
  revision: z.looseObject({ guid: z.string() }).nullish(),
  strategy: z.string().nullish(),
  // The real client sends explicit nulls in here.
  options: z
    .strictObject({
      max_in_flight: whole,
      web_instances: whole,
      memory_in_mb: whole,
      disk_in_mb: whole,
      log_rate_limit_in_bytes_per_second: z.number().int().min(-1).nullish(),
      canary: z
        .strictObject({
          steps: z.array(z.strictObject({ instance_weight: z.number().int().min(1).max(100) })).nullish(),
        })
        .nullish(),
    })
    .nullish(),
  metadata: metadataBody.optional(),
});

export function deploymentRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state } = cloud;
  const rows = state.deployments;
  const list: ListOptions<DeploymentRow> = {
    filters: {
      app_guids: (row, values) => values.includes(row.appGuid),
      states: (row, values) => values.includes(row.reason),
      status_values: (row, values) => values.includes(row.status),
      status_reasons: (row, values) => values.includes(row.reason),
    },
    metadata: (row) => row.metadata,
    present: (row) => presentDeployment(cloud, row),
  };
  const collection: Collection<DeploymentRow> = {
    path: '/v3/deployments',
    resource: 'Deployment',
    rows,
    list,
  };

  return [
    ...readRoutes(cloud, collection),
    relabelRoute(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/deployments',
      handler: (request) => created(presentDeployment(cloud, create(request.body))),
    },
    {
      method: 'POST',
      pattern: '/v3/deployments/:guid/actions/cancel',
      handler(request) {
        cloud.deployments.cancel(findByPath(rows, request, 'Deployment'));
        return { status: 200 };
      },
    },
    {
      method: 'POST',
      pattern: '/v3/deployments/:guid/actions/continue',
      handler(request) {
        cloud.deployments.resume(findByPath(rows, request, 'Deployment'));
        return { status: 200 };
      },
    },
  ];

  function create(sent: unknown): DeploymentRow {
    const body = decode(createBody, sent);
    if (body.droplet && body.revision) throw unprocessable("Cannot set both fields 'droplet' and 'revision'");
    const strategy = body.strategy ?? 'rolling';
    if (strategy !== 'rolling' && strategy !== 'canary') {
      throw unprocessable(`Strategy '${strategy}' is not a supported deployment strategy`);
    }
    const app = state.apps.get(body.relationships.app.data.guid);
    if (!app) {
      throw unprocessable('Unable to use app. Ensure that the app exists and you have access to it.');
    }
    const revision = body.revision ? revisionOf(app, body.revision.guid) : undefined;
    const wanted = body.options ?? {};
    if (wanted.canary && strategy !== 'canary') {
      throw unprocessable('Options canary can only be set when strategy is canary');
    }
    const weights = wanted.canary?.steps?.map((step) => step.instance_weight) ?? null;
    if (weights?.some((weight, index) => index > 0 && weight <= (weights[index - 1] ?? 0))) {
      throw unprocessable('Options canary steps instance_weight must be sorted in ascending order');
    }
    if (cloud.faults.isOn('quota-exceeded')) {
      throw quotaExceeded(rollingHint('space', state.spaces.get(app.spaceGuid)?.name ?? ''));
    }
    checkQuota(app, wanted.max_in_flight ?? 1, wanted.memory_in_mb);
    const metadata = emptyMetadata();
    mergeMetadata(metadata, body.metadata);
    return cloud.deployments.create({
      app,
      strategy,
      dropletGuid: dropletFor(app, revision?.dropletGuid ?? body.droplet?.guid),
      revision,
      maxInFlight: wanted.max_in_flight ?? 1,
      requested: {
        webInstances: wanted.web_instances ?? null,
        memoryMb: wanted.memory_in_mb ?? null,
        diskMb: wanted.disk_in_mb ?? null,
        logRate: wanted.log_rate_limit_in_bytes_per_second ?? null,
        canaryWeights: weights,
      },
      metadata,
    });
  }

  function revisionOf(app: AppRow, guid: string): RevisionRow {
    const revision = state.revisions.get(guid);
    if (revision?.appGuid !== app.guid) throw unprocessable('The revision does not exist');
    if (!deployable(cloud, revision)) {
      throw unprocessable('Unable to deploy this revision, the droplet for this revision no longer exists.');
    }
    return revision;
  }

  function dropletFor(app: AppRow, wanted: string | undefined): string {
    const guid = wanted ?? app.dropletGuid;
    if (guid === null) {
      throw unprocessable(
        'Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.',
      );
    }
    const droplet = state.droplets.get(guid);
    if (droplet?.appGuid !== app.guid || droplet.state !== 'STAGED') {
      throw unprocessable(
        'Unable to assign current droplet. Ensure the droplet exists and belongs to this app.',
      );
    }
    return guid;
  }

  /** A deployment needs room beside what runs: so many instances at once. */
  function checkQuota(app: AppRow, inFlight: number, memoryMb: number | null | undefined): void {
    const web = webProcesses(state, app.guid).at(-1);
    if (app.state !== 'STARTED' || !web) return;
    const extra = Math.min(inFlight, Math.max(1, web.instances));
    const each = memoryMb ?? web.memoryMb;
    cloud.quotas.check(
      app.spaceGuid,
      { memoryMb: extra * each, instances: extra, processMemoryMb: each },
      true,
    );
  }
}

function presentDeployment(cloud: Cloud, row: DeploymentRow): object {
  const { api } = cloud.urls;
  const self = `${api}/v3/deployments/${row.guid}`;
  const active = row.status === 'ACTIVE';
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    status: {
      value: row.status,
      reason: row.reason,
      details: {
        last_successful_healthcheck: timestamp(row.lastHealthyAt),
        last_status_change: timestamp(row.statusChangedAt),
        ...(active && row.error !== null ? { error: row.error } : {}),
      },
      ...(row.strategy === 'canary'
        ? {
            canary: {
              steps: { current: row.canaryStep, total: row.requested.canaryWeights?.length ?? 1 },
            },
          }
        : {}),
    },
    strategy: row.strategy,
    options: presentOptions(row),
    droplet: { guid: row.dropletGuid },
    previous_droplet: { guid: row.previousDropletGuid },
    new_processes: row.newProcesses,
    revision: presentRevisionOf(cloud, row),
    relationships: { app: { data: { guid: row.appGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      app: { href: `${api}/v3/apps/${row.appGuid}` },
      ...(active ? { cancel: { href: `${self}/actions/cancel`, method: 'POST' } } : {}),
      ...(row.reason === 'PAUSED' ? { continue: { href: `${self}/actions/continue`, method: 'POST' } } : {}),
    },
  };
}

function presentRevisionOf({ state }: Cloud, row: DeploymentRow): object | null {
  const revision = state.revisions.get(row.revisionGuid ?? '');
  return revision ? { guid: revision.guid, version: revision.version } : null;
}

/** Only what was asked for is shown, beside `max_in_flight`. */
function presentOptions({ maxInFlight, requested, strategy }: DeploymentRow): object {
  const { webInstances, memoryMb, diskMb, logRate, canaryWeights } = requested;
  return {
    max_in_flight: maxInFlight,
    ...(webInstances === null ? {} : { web_instances: webInstances }),
    ...(memoryMb === null ? {} : { memory_in_mb: memoryMb }),
    ...(diskMb === null ? {} : { disk_in_mb: diskMb }),
    ...(logRate === null ? {} : { log_rate_limit_in_bytes_per_second: logRate }),
    ...(strategy === 'canary' && canaryWeights
      ? { canary: { steps: canaryWeights.map((weight) => ({ instance_weight: weight })) } }
      : {}),
  };
}
