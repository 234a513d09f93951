import type { Clock } from '../../../src/core/ports.ts';
import { emptyMetadata, type Metadata, newRow, type Row } from './state-rows.ts';

/** How the last act on a service instance or binding went. */
export interface LastOperation {
  readonly type: 'create' | 'update' | 'delete';
  readonly state: 'in progress' | 'succeeded' | 'failed';
  readonly description: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ServiceBrokerRow extends Row {
  readonly name: string;
  readonly url: string;
  metadata: Metadata;
}

/** What a binding of an offering hands to the application. */
export type ServiceKind = 'database' | 'cache' | 'volume';

export interface ServiceOfferingRow extends Row {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly requires: readonly string[];
  readonly kind: ServiceKind;
  readonly brokerGuid: string;
  readonly catalogId: string;
  metadata: Metadata;
}

export interface ServicePlanRow extends Row {
  readonly name: string;
  readonly description: string;
  readonly free: boolean;
  /** Every provisioning of it ends in a failed operation. */
  readonly fails: boolean;
  readonly offeringGuid: string;
  readonly catalogId: string;
  metadata: Metadata;
}

export interface ServiceInstanceRow extends Row {
  name: string;
  readonly spaceGuid: string;
  /** `null`: the user provides it. */
  planGuid: string | null;
  tags: readonly string[];
  parameters: Readonly<Record<string, unknown>>;
  /** Of user-provided ones; a managed one has its credentials with its bindings. */
  credentials: Readonly<Record<string, unknown>>;
  syslogDrainUrl: string | null;
  routeServiceUrl: string | null;
  lastOperation: LastOperation;
  metadata: Metadata;
}

export interface ServiceBindingRow extends Row {
  readonly name: string | null;
  readonly type: 'app' | 'key';
  readonly instanceGuid: string;
  /** `null` for keys. */
  readonly appGuid: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  credentials: Readonly<Record<string, unknown>>;
  volumeMounts: readonly object[];
  lastOperation: LastOperation;
  metadata: Metadata;
}

export interface ServiceState {
  readonly serviceBrokers: Map<string, ServiceBrokerRow>;
  readonly serviceOfferings: Map<string, ServiceOfferingRow>;
  readonly servicePlans: Map<string, ServicePlanRow>;
  readonly serviceInstances: Map<string, ServiceInstanceRow>;
  readonly serviceBindings: Map<string, ServiceBindingRow>;
}

const CATALOGUE: readonly {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly description: string;
  readonly tags: readonly string[];
  readonly requires: readonly string[];
  readonly plans: readonly (readonly [name: string, description: string, fails?: boolean])[];
}[] = [
  {
    name: 'database',
    kind: 'database',
    description: 'A relational database that keeps nothing: it hands out credentials',
    tags: ['relational', 'sql'],
    requires: [],
    plans: [
      ['small', 'One connection string'],
      ['large', 'A longer connection string'],
      ['out-of-stock', 'Can be ordered and is never delivered', true],
    ],
  },
  {
    name: 'cache',
    kind: 'cache',
    description: 'A key-value store that keeps nothing: it hands out credentials',
    tags: ['key-value', 'redis'],
    requires: [],
    plans: [['shared', 'One for all']],
  },
  {
    name: 'filesystem',
    kind: 'volume',
    description: 'A folder that several instances share',
    tags: ['volume'],
    requires: ['volume_mount'],
    plans: [['existing', 'A folder of this machine']],
  },
];

/** The catalogue of the one broker a foundation here has. */
export function createServiceState(clock: Clock, newId: () => string): ServiceState {
  const broker: ServiceBrokerRow = {
    ...newRow(clock, newId),
    name: 'local-broker',
    url: 'https://broker.invalid',
    metadata: emptyMetadata(),
  };
  const serviceOfferings = new Map<string, ServiceOfferingRow>();
  const servicePlans = new Map<string, ServicePlanRow>();
  for (const { plans, ...offered } of CATALOGUE) {
    const offering: ServiceOfferingRow = {
      ...newRow(clock, newId),
      ...offered,
      brokerGuid: broker.guid,
      catalogId: newId(),
      metadata: emptyMetadata(),
    };
    serviceOfferings.set(offering.guid, offering);
    for (const [name, description, fails = false] of plans) {
      const row = newRow(clock, newId);
      servicePlans.set(row.guid, {
        ...row,
        name,
        description,
        free: true,
        fails,
        offeringGuid: offering.guid,
        catalogId: newId(),
        metadata: emptyMetadata(),
      });
    }
  }
  return {
    serviceBrokers: new Map([[broker.guid, broker]]),
    serviceOfferings,
    servicePlans,
    serviceInstances: new Map(),
    serviceBindings: new Map(),
  };
}
