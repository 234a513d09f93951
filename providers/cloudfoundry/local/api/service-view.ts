import type { Cloud } from '../cloud.ts';
import type {
  LastOperation,
  ServiceBindingRow,
  ServiceBrokerRow,
  ServiceInstanceRow,
  ServiceOfferingRow,
  ServicePlanRow,
} from '../service-state.ts';
import type { Row } from '../state-rows.ts';
import { timestamp } from '../time.ts';

function head(row: Row): object {
  return { guid: row.guid, created_at: timestamp(row.createdAt), updated_at: timestamp(row.updatedAt) };
}

function presentOperation(last: LastOperation, described: boolean): object {
  return {
    type: last.type,
    state: last.state,
    ...(described || last.state === 'failed' ? { description: last.description } : {}),
    created_at: timestamp(last.createdAt),
    updated_at: timestamp(last.updatedAt),
  };
}

export function presentBroker({ urls }: Cloud, row: ServiceBrokerRow): object {
  return {
    ...head(row),
    name: row.name,
    url: row.url,
    // Of the whole foundation, not of one space.
    relationships: {},
    metadata: row.metadata,
    links: {
      self: { href: `${urls.api}/v3/service_brokers/${row.guid}` },
      service_offerings: { href: `${urls.api}/v3/service_offerings?service_broker_guids=${row.guid}` },
    },
  };
}

export function presentOffering({ urls }: Cloud, row: ServiceOfferingRow): object {
  return {
    ...head(row),
    name: row.name,
    description: row.description,
    available: true,
    tags: row.tags,
    requires: row.requires,
    shareable: false,
    documentation_url: '',
    broker_catalog: {
      id: row.catalogId,
      metadata: {},
      features: {
        plan_updateable: true,
        bindable: true,
        instances_retrievable: true,
        bindings_retrievable: true,
        allow_context_updates: false,
      },
    },
    relationships: { service_broker: { data: { guid: row.brokerGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: `${urls.api}/v3/service_offerings/${row.guid}` },
      service_plans: { href: `${urls.api}/v3/service_plans?service_offering_guids=${row.guid}` },
      service_broker: { href: `${urls.api}/v3/service_brokers/${row.brokerGuid}` },
    },
  };
}

export function presentPlan({ urls }: Cloud, row: ServicePlanRow): object {
  const self = `${urls.api}/v3/service_plans/${row.guid}`;
  const anything = { parameters: {} };
  return {
    ...head(row),
    name: row.name,
    description: row.description,
    visibility_type: 'public',
    available: true,
    free: row.free,
    costs: [],
    maintenance_info: { version: '1.0.0', description: 'Nothing to maintain' },
    broker_catalog: {
      id: row.catalogId,
      metadata: {},
      maximum_polling_duration: null,
      features: { plan_updateable: true, bindable: true },
    },
    schemas: {
      service_instance: { create: anything, update: anything },
      service_binding: { create: anything },
    },
    relationships: { service_offering: { data: { guid: row.offeringGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      service_offering: { href: `${urls.api}/v3/service_offerings/${row.offeringGuid}` },
      visibility: { href: `${self}/visibility` },
    },
  };
}

export function presentInstance({ urls }: Cloud, row: ServiceInstanceRow): object {
  const { api } = urls;
  const self = `${api}/v3/service_instances/${row.guid}`;
  const space = { data: { guid: row.spaceGuid } };
  const common = {
    ...head(row),
    name: row.name,
    tags: row.tags,
    last_operation: presentOperation(row.lastOperation, true),
    metadata: row.metadata,
  };
  const links = {
    self: { href: self },
    space: { href: `${api}/v3/spaces/${row.spaceGuid}` },
    service_credential_bindings: {
      href: `${api}/v3/service_credential_bindings?service_instance_guids=${row.guid}`,
    },
    service_route_bindings: {
      href: `${api}/v3/service_route_bindings?service_instance_guids=${row.guid}`,
    },
  };
  if (row.planGuid === null) {
    return {
      ...common,
      type: 'user-provided',
      syslog_drain_url: row.syslogDrainUrl,
      route_service_url: row.routeServiceUrl,
      relationships: { space },
      links: { ...links, credentials: { href: `${self}/credentials` } },
    };
  }
  return {
    ...common,
    type: 'managed',
    maintenance_info: { version: '1.0.0' },
    upgrade_available: false,
    dashboard_url: null,
    broker_provided_metadata: { labels: {}, attributes: {} },
    relationships: { space, service_plan: { data: { guid: row.planGuid } } },
    links: {
      ...links,
      service_plan: { href: `${api}/v3/service_plans/${row.planGuid}` },
      parameters: { href: `${self}/parameters` },
      shared_spaces: { href: `${self}/relationships/shared_spaces` },
    },
  };
}

export function presentBinding({ urls }: Cloud, row: ServiceBindingRow, as: 'single' | 'list'): object {
  const { api } = urls;
  const self = `${api}/v3/service_credential_bindings/${row.guid}`;
  return {
    ...head(row),
    name: row.name,
    type: row.type,
    last_operation: presentOperation(row.lastOperation, false),
    metadata: row.metadata,
    relationships: {
      ...(row.appGuid === null ? {} : { app: { data: { guid: row.appGuid } } }),
      service_instance: { data: { guid: row.instanceGuid } },
    },
    links: {
      self: { href: self },
      details: { href: `${self}/details` },
      ...(as === 'list' ? {} : { parameters: { href: `${self}/parameters` } }),
      service_instance: { href: `${api}/v3/service_instances/${row.instanceGuid}` },
      ...(row.appGuid === null ? {} : { app: { href: `${api}/v3/apps/${row.appGuid}` } }),
    },
  };
}
