import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import type { ServiceBrokerRow, ServiceOfferingRow, ServicePlanRow } from '../service-state.ts';
import { type Collection, readRoutes, relabelRoute } from './collection.ts';
import { findByPath } from './find.ts';
import { related } from './include.ts';
import { presentBroker, presentOffering, presentPlan } from './service-view.ts';

/** What can be ordered: one broker, its offerings and their plans, all of them public. */
export function serviceCatalogueRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state } = cloud;
  const offeringOf = (plan: ServicePlanRow): ServiceOfferingRow | undefined =>
    state.serviceOfferings.get(plan.offeringGuid);
  const brokerName = (guid: string | undefined): string => state.serviceBrokers.get(guid ?? '')?.name ?? '';
  const everywhere = (): boolean => true;

  const brokers: Collection<ServiceBrokerRow> = {
    path: '/v3/service_brokers',
    resource: 'Service broker',
    rows: state.serviceBrokers,
    list: {
      filters: { names: (row, values) => values.includes(row.name), space_guids: () => false },
      orders: { name: (row) => row.name },
      metadata: (row) => row.metadata,
      present: (row) => presentBroker(cloud, row),
    },
  };
  const offerings: Collection<ServiceOfferingRow> = {
    path: '/v3/service_offerings',
    resource: 'Service offering',
    rows: state.serviceOfferings,
    list: {
      filters: {
        names: (row, values) => values.includes(row.name),
        available: (_row, values) => values.includes('true'),
        service_broker_guids: (row, values) => values.includes(row.brokerGuid),
        service_broker_names: (row, values) => values.includes(brokerName(row.brokerGuid)),
        space_guids: everywhere,
        organization_guids: everywhere,
      },
      orders: { name: (row) => row.name },
      metadata: (row) => row.metadata,
      includes: {
        service_broker: (row) =>
          related('service_brokers', state.serviceBrokers.get(row.brokerGuid), (broker) =>
            presentBroker(cloud, broker),
          ),
      },
      present: (row) => presentOffering(cloud, row),
    },
  };
  const plans: Collection<ServicePlanRow> = {
    path: '/v3/service_plans',
    resource: 'Service plan',
    rows: state.servicePlans,
    list: {
      filters: {
        names: (row, values) => values.includes(row.name),
        available: (_row, values) => values.includes('true'),
        broker_catalog_ids: (row, values) => values.includes(row.catalogId),
        service_offering_guids: (row, values) => values.includes(row.offeringGuid),
        service_offering_names: (row, values) => values.includes(offeringOf(row)?.name ?? ''),
        service_broker_guids: (row, values) => values.includes(offeringOf(row)?.brokerGuid ?? ''),
        service_broker_names: (row, values) => values.includes(brokerName(offeringOf(row)?.brokerGuid)),
        service_instance_guids: (row, values) =>
          values.some((guid) => state.serviceInstances.get(guid)?.planGuid === row.guid),
        space_guids: everywhere,
        organization_guids: everywhere,
      },
      orders: { name: (row) => row.name },
      metadata: (row) => row.metadata,
      includes: {
        service_offering: (row) =>
          related('service_offerings', offeringOf(row), (offering) => presentOffering(cloud, offering)),
      },
      present: (row) => presentPlan(cloud, row),
    },
  };

  return [
    ...readRoutes(cloud, brokers),
    ...readRoutes(cloud, offerings),
    relabelRoute(cloud, offerings),
    ...readRoutes(cloud, plans),
    relabelRoute(cloud, plans),
    {
      method: 'GET',
      pattern: '/v3/service_plans/:guid/visibility',
      handler(request) {
        findByPath(state.servicePlans, request, 'Service plan');
        return ok({ type: 'public' });
      },
    },
  ];
}
