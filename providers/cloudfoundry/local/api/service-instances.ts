import { z } from 'zod';
import { decode, mergeMetadata, metadataBody, toOne } from '../api-body.ts';
import {
  type ApiAnswer,
  type ApiRequest,
  type ApiRoute,
  accepted,
  created,
  noContent,
  ok,
} from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { operation } from '../engine/service-broker.ts';
import { CloudError, notFound, unprocessable } from '../errors.ts';
import type { ServiceInstanceRow } from '../service-state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { type Collection, keepRow, readRoutes } from './collection.ts';
import { findByPath } from './find.ts';
import { related } from './include.ts';
import { presentBroker, presentInstance, presentOffering, presentPlan } from './service-view.ts';
import { spaceIncludes } from './space-includes.ts';

const anything = z.record(z.string(), z.unknown());
const tags = z.array(z.string());
const own = {
  credentials: anything.nullish(),
  syslog_drain_url: z.string().nullish(),
  route_service_url: z.string().nullish(),
};

const createBody = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('managed'),
    name: z.string().min(1),
    parameters: anything.nullish(),
    tags: tags.nullish(),
    relationships: z.strictObject({ space: toOne, service_plan: toOne }),
    metadata: metadataBody.optional(),
  }),
  z.strictObject({
    type: z.literal('user-provided'),
    name: z.string().min(1),
    ...own,
    tags: tags.nullish(),
    relationships: z.strictObject({ space: toOne }),
    metadata: metadataBody.optional(),
  }),
]);
const common = {
  name: z.string().min(1).optional(),
  tags: tags.optional(),
  metadata: metadataBody.optional(),
};
const updateManaged = z.strictObject({
  ...common,
  parameters: anything.optional(),
  relationships: z.strictObject({ service_plan: toOne }).optional(),
  maintenance_info: z.strictObject({ version: z.string() }).optional(),
});
const updateOwn = z.strictObject({ ...common, ...own });

export function serviceInstanceRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock } = cloud;
  const rows = state.serviceInstances;
  const planOf = (row: ServiceInstanceRow) => state.servicePlans.get(row.planGuid ?? '');
  const offeringOf = (row: ServiceInstanceRow) => state.serviceOfferings.get(planOf(row)?.offeringGuid ?? '');
  const collection: Collection<ServiceInstanceRow> = {
    path: '/v3/service_instances',
    resource: 'Service instance',
    rows,
    list: {
      filters: {
        names: (row, values) => values.includes(row.name),
        guids: (row, values) => values.includes(row.guid),
        type: (row, values) => values.includes(row.planGuid === null ? 'user-provided' : 'managed'),
        space_guids: (row, values) => values.includes(row.spaceGuid),
        organization_guids: (row, values) =>
          values.includes(state.spaces.get(row.spaceGuid)?.organizationGuid ?? ''),
        service_plan_guids: (row, values) => values.includes(row.planGuid ?? ''),
        service_plan_names: (row, values) => values.includes(planOf(row)?.name ?? ''),
      },
      orders: { name: (row) => row.name },
      metadata: (row) => row.metadata,
      includes: {
        ...spaceIncludes<ServiceInstanceRow>(cloud, (row) => row.spaceGuid),
        service_plan: (row) => related('service_plans', planOf(row), (plan) => presentPlan(cloud, plan)),
        'service_plan.service_offering': (row) =>
          related('service_offerings', offeringOf(row), (one) => presentOffering(cloud, one)),
        'service_plan.service_offering.service_broker': (row) =>
          related('service_brokers', state.serviceBrokers.get(offeringOf(row)?.brokerGuid ?? ''), (one) =>
            presentBroker(cloud, one),
          ),
      },
      present: (row) => presentInstance(cloud, row),
    },
  };

  return [
    ...readRoutes(cloud, collection),
    { method: 'POST', pattern: '/v3/service_instances', handler: create },
    { method: 'PATCH', pattern: '/v3/service_instances/:guid', handler: update },
    { method: 'DELETE', pattern: '/v3/service_instances/:guid', query: ['purge'], handler: remove },
    {
      method: 'GET',
      pattern: '/v3/service_instances/:guid/credentials',
      handler(request) {
        const row = findByPath(rows, request, 'Service instance');
        if (row.planGuid !== null) throw notFound('Service instance');
        return ok(row.credentials);
      },
    },
    {
      method: 'GET',
      pattern: '/v3/service_instances/:guid/parameters',
      handler(request) {
        const row = findByPath(rows, request, 'Service instance');
        if (row.planGuid === null) {
          const detail = 'This service does not support fetching service instance parameters.';
          throw new CloudError(400, 120004, 'CF-ServiceFetchInstanceParametersNotSupported', detail);
        }
        refuseInProgress(row);
        return ok(row.parameters);
      },
    },
    {
      method: 'GET',
      pattern: '/v3/service_instances/:guid/permissions',
      handler(request) {
        findByPath(rows, request, 'Service instance');
        return ok({ read: true, manage: true });
      },
    },
    {
      method: 'GET',
      pattern: '/v3/service_instances/:guid/relationships/shared_spaces',
      query: ['fields'],
      handler(request) {
        const { guid } = findByPath(rows, request, 'Service instance');
        const self = `${cloud.urls.api}/v3/service_instances/${guid}/relationships/shared_spaces`;
        return ok({ data: [], links: { self: { href: self } } });
      },
    },
  ];

  function create(request: ApiRequest): ApiAnswer {
    const body = decode(createBody, request.body);
    const spaceGuid = body.relationships.space.data.guid;
    if (!state.spaces.has(spaceGuid)) {
      throw unprocessable('Invalid space. Ensure that the space exists and you have access to it.');
    }
    checkName(body.name, spaceGuid);
    const managed = body.type === 'managed';
    const planGuid = managed ? body.relationships.service_plan.data.guid : null;
    if (planGuid !== null) {
      checkPlan(planGuid);
      cloud.quotas.checkServiceInstance(spaceGuid);
    }
    const row: ServiceInstanceRow = {
      ...newRow(clock, cloud.newId),
      name: body.name,
      spaceGuid,
      planGuid,
      tags: body.tags ?? [],
      parameters: managed ? (body.parameters ?? {}) : {},
      credentials: managed ? {} : (body.credentials ?? {}),
      syslogDrainUrl: managed ? null : (body.syslog_drain_url ?? null),
      routeServiceUrl: managed ? null : (body.route_service_url ?? null),
      lastOperation: operation('create', 'succeeded', clock.now()),
      metadata: emptyMetadata(),
    };
    keepRow(rows, row, body.metadata);
    record('create', row);
    return managed ? accepted(cloud.broker.provision(row)) : created(presentInstance(cloud, row));
  }

  function update(request: ApiRequest): ApiAnswer {
    const row = findByPath(rows, request, 'Service instance');
    refuseInProgress(row);
    const managed = row.planGuid !== null;
    const sent = managed ? decode(updateManaged, request.body) : undefined;
    const body = sent ?? decode(updateOwn, request.body);
    if (body.name !== undefined && body.name !== row.name) checkName(body.name, row.spaceGuid);
    const planGuid = sent?.relationships?.service_plan.data.guid;
    if (planGuid !== undefined) checkPlan(planGuid);
    mergeMetadata(row.metadata, body.metadata);
    const change = (): void => {
      row.name = body.name ?? row.name;
      row.tags = body.tags ?? row.tags;
      row.planGuid = planGuid ?? row.planGuid;
      row.parameters = { ...row.parameters, ...sent?.parameters };
    };
    record('update', row);
    // Only what the broker must hear of takes time.
    if (sent && (sent.parameters || planGuid !== undefined || sent.maintenance_info)) {
      return accepted(cloud.broker.update(row, change));
    }
    change();
    if (!managed) changeOwn(row, decode(updateOwn, request.body));
    row.lastOperation = operation('update', 'succeeded', clock.now());
    row.updatedAt = clock.now();
    return ok(presentInstance(cloud, row));
  }

  /** Bindings that exist see new credentials when their application is next started. */
  function changeOwn(row: ServiceInstanceRow, body: z.infer<typeof updateOwn>): void {
    if (body.syslog_drain_url !== undefined) row.syslogDrainUrl = body.syslog_drain_url;
    if (body.route_service_url !== undefined) row.routeServiceUrl = body.route_service_url;
    if (!body.credentials) return;
    row.credentials = body.credentials;
    for (const binding of state.serviceBindings.values()) {
      if (binding.instanceGuid === row.guid) binding.credentials = body.credentials;
    }
  }

  function remove(request: ApiRequest): ApiAnswer {
    const row = findByPath(rows, request, 'Service instance');
    record('delete', row);
    if (row.planGuid === null || request.query.get('purge') === 'true') {
      for (const { guid, instanceGuid } of state.serviceBindings.values()) {
        if (instanceGuid === row.guid) state.serviceBindings.delete(guid);
      }
      rows.delete(row.guid);
      return noContent();
    }
    if (row.lastOperation.type !== 'create') refuseInProgress(row);
    return accepted(cloud.broker.deprovision(row));
  }

  function checkName(name: string, spaceGuid: string): void {
    for (const row of rows.values()) {
      if (row.spaceGuid === spaceGuid && row.name === name) {
        throw unprocessable(`The service instance name is taken: ${name}.`);
      }
    }
  }

  function checkPlan(guid: string): void {
    if (state.servicePlans.has(guid)) return;
    throw unprocessable(
      'Invalid service plan. Ensure that the service plan exists, is available, and you have access to it.',
    );
  }

  function record(verb: string, row: ServiceInstanceRow): void {
    const kind = row.planGuid === null ? 'user_provided_service_instance' : 'service_instance';
    cloud.audit.recordFor(`audit.${kind}.${verb}`, { ...row, type: kind });
  }
}

export function refuseInProgress(row: ServiceInstanceRow): void {
  if (row.lastOperation.state !== 'in progress') return;
  throw new CloudError(
    409,
    60016,
    'CF-AsyncServiceInstanceOperationInProgress',
    `An operation for service instance ${row.name} is in progress.`,
  );
}
