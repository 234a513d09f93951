import { z } from 'zod';
import { decode, metadataBody, toOne } from '../api-body.ts';
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
import type { ServiceBindingRow, ServiceInstanceRow } from '../service-state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { presentApp } from './app-view.ts';
import { type Collection, keepRow, readRoutes, relabelRoute } from './collection.ts';
import { findByPath } from './find.ts';
import { related } from './include.ts';
import { presentBinding, presentInstance } from './service-view.ts';

const createBody = z.strictObject({
  type: z.enum(['app', 'key']),
  name: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strategy: z.enum(['single', 'multiple']).optional(),
  relationships: z.strictObject({ service_instance: toOne, app: toOne.optional() }),
  metadata: metadataBody.optional(),
});

export function serviceBindingRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock } = cloud;
  const rows = state.serviceBindings;
  const instanceOf = (row: ServiceBindingRow): ServiceInstanceRow | undefined =>
    state.serviceInstances.get(row.instanceGuid);
  const collection: Collection<ServiceBindingRow> = {
    path: '/v3/service_credential_bindings',
    resource: 'Service credential binding',
    rows,
    list: {
      filters: {
        names: (row, values) => values.includes(row.name ?? ''),
        guids: (row, values) => values.includes(row.guid),
        type: (row, values) => values.includes(row.type),
        app_guids: (row, values) => values.includes(row.appGuid ?? ''),
        app_names: (row, values) => values.includes(state.apps.get(row.appGuid ?? '')?.name ?? ''),
        service_instance_guids: (row, values) => values.includes(row.instanceGuid),
        service_instance_names: (row, values) => values.includes(instanceOf(row)?.name ?? ''),
        service_plan_guids: (row, values) => values.includes(instanceOf(row)?.planGuid ?? ''),
      },
      metadata: (row) => row.metadata,
      includes: {
        app: (row) => related('apps', state.apps.get(row.appGuid ?? ''), (app) => presentApp(cloud, app)),
        service_instance: (row) =>
          related('service_instances', instanceOf(row), (one) => presentInstance(cloud, one)),
      },
      present: (row) => presentBinding(cloud, row, 'list'),
    },
    presentOne: (row) => presentBinding(cloud, row, 'single'),
  };

  return [
    ...readRoutes(cloud, collection),
    relabelRoute(cloud, collection),
    { method: 'POST', pattern: '/v3/service_credential_bindings', handler: create },
    { method: 'DELETE', pattern: '/v3/service_credential_bindings/:guid', handler: remove },
    {
      method: 'GET',
      pattern: '/v3/service_credential_bindings/:guid/details',
      handler: (request) => ok(details(usable(request))),
    },
    {
      method: 'GET',
      pattern: '/v3/service_credential_bindings/:guid/parameters',
      handler(request) {
        const row = usable(request);
        if (instanceOf(row)?.planGuid === null) {
          const detail = 'This service does not support fetching service binding parameters.';
          throw new CloudError(400, 120005, 'CF-ServiceFetchBindingParametersNotSupported', detail);
        }
        return ok(row.parameters);
      },
    },
  ];

  function usable(request: ApiRequest): ServiceBindingRow {
    const row = findByPath(rows, request, 'Service credential binding');
    const { type, state: how } = row.lastOperation;
    if (type !== 'create' || how === 'succeeded') return row;
    throw new CloudError(
      404,
      10010,
      'CF-ResourceNotFound',
      how === 'failed'
        ? 'Creation of service credential binding failed'
        : 'Creation of service credential binding in progress',
    );
  }

  function details(row: ServiceBindingRow): object {
    const drain = instanceOf(row)?.syslogDrainUrl ?? null;
    return {
      credentials: row.credentials,
      ...(drain === null ? {} : { syslog_drain_url: drain }),
      ...(row.volumeMounts.length === 0 ? {} : { volume_mounts: row.volumeMounts }),
    };
  }

  function create(request: ApiRequest): ApiAnswer {
    const body = decode(createBody, request.body);
    const instance = state.serviceInstances.get(body.relationships.service_instance.data.guid);
    if (!instance) {
      const guid = body.relationships.service_instance.data.guid;
      throw unprocessable(`The service instance could not be found: '${guid}'`);
    }
    const { type: last, state: how } = instance.lastOperation;
    if (how === 'in progress')
      throw unprocessable('There is an operation in progress for the service instance.');
    if (last === 'create' && how === 'failed') throw unprocessable('Service instance not found');
    const row: ServiceBindingRow = {
      ...newRow(clock, cloud.newId),
      name: body.name ?? null,
      type: body.type,
      instanceGuid: instance.guid,
      appGuid:
        body.type === 'app'
          ? appFor(instance, body.relationships.app?.data.guid)
          : keyFor(instance, body.name),
      parameters: body.parameters ?? {},
      credentials: instance.credentials,
      volumeMounts: [],
      lastOperation: operation('create', 'succeeded', clock.now()),
      metadata: emptyMetadata(),
    };
    keepRow(rows, row, body.metadata);
    record('create', row);
    return instance.planGuid === null
      ? created(presentBinding(cloud, row, 'single'))
      : accepted(cloud.broker.bind(row));
  }

  function appFor(instance: ServiceInstanceRow, guid: string | undefined): string {
    const app = state.apps.get(guid ?? '');
    if (!app) throw unprocessable(`The app could not be found: '${guid ?? ''}'`);
    if (app.spaceGuid !== instance.spaceGuid) {
      throw unprocessable('The service instance and the app are in different spaces.');
    }
    for (const row of rows.values()) {
      if (row.appGuid === app.guid && row.instanceGuid === instance.guid) {
        throw unprocessable('The app is already bound to the service instance.');
      }
    }
    return app.guid;
  }

  function keyFor(instance: ServiceInstanceRow, name: string | null | undefined): null {
    if (instance.planGuid === null) {
      throw unprocessable(
        "Service credential bindings of type 'key' are not supported for user-provided service instances.",
      );
    }
    if (!name) throw unprocessable("Name can't be blank");
    cloud.quotas.checkServiceKey(instance.spaceGuid);
    for (const row of rows.values()) {
      if (row.type === 'key' && row.instanceGuid === instance.guid && row.name === name) {
        throw unprocessable(
          `The binding name is invalid. Key binding names must be unique. The service instance already has a key binding with name '${name}'.`,
        );
      }
    }
    return null;
  }

  function remove(request: ApiRequest): ApiAnswer {
    const row = findByPath(rows, request, 'Service credential binding');
    const instance = instanceOf(row);
    if (!instance) throw notFound('Service instance');
    if (row.lastOperation.state === 'in progress') {
      throw unprocessable('There is an operation in progress for the service binding.');
    }
    record('delete', row);
    if (instance.planGuid !== null) return accepted(cloud.broker.unbind(row));
    rows.delete(row.guid);
    return noContent();
  }

  function record(verb: string, row: ServiceBindingRow): void {
    const kind = row.type === 'key' ? 'service_key' : 'service_binding';
    const spaceGuid = instanceOf(row)?.spaceGuid ?? '';
    cloud.audit.recordFor(`audit.${kind}.${verb}`, {
      guid: row.guid,
      name: row.name ?? '',
      type: kind,
      spaceGuid,
    });
  }
}
