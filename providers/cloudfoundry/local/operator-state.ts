import type { Clock } from '../../../src/core/ports.ts';
import { emptyMetadata, type Metadata, newRow, type Row } from './state-rows.ts';

export interface StackRow extends Row {
  readonly name: string;
  readonly description: string;
  metadata: Metadata;
}

export interface BuildpackRow extends Row {
  readonly name: string;
  readonly position: number;
  metadata: Metadata;
}

export interface IsolationSegmentRow extends Row {
  readonly name: string;
  metadata: Metadata;
}

export interface SecurityGroupRow extends Row {
  readonly name: string;
  readonly rules: readonly object[];
}

/** What the operator of a foundation set up, and its users may only read. */
export interface FeatureFlag {
  readonly name: string;
  enabled: boolean;
  customErrorMessage: string | null;
  updatedAt: number | null;
}

export interface OperatorState {
  readonly featureFlags: Map<string, FeatureFlag>;
  readonly stacks: Map<string, StackRow>;
  readonly buildpacks: Map<string, BuildpackRow>;
  readonly isolationSegments: Map<string, IsolationSegmentRow>;
  readonly securityGroups: Map<string, SecurityGroupRow>;
}

export const DEFAULT_STACK = 'cflinuxfs4';

/** As a foundation has them that nobody has changed. */
const FLAGS: readonly (readonly [string, boolean])[] = [
  ['app_bits_upload', true],
  ['app_scaling', true],
  ['diego_cnb', false],
  ['diego_docker', false],
  ['env_var_visibility', true],
  ['hide_marketplace_from_unauthenticated_users', false],
  ['private_domain_creation', true],
  ['resource_matching', true],
  ['route_creation', true],
  ['route_sharing', false],
  ['service_instance_creation', true],
  ['service_instance_sharing', false],
  ['set_roles_by_username', true],
  ['space_developer_env_var_visibility', true],
  ['space_scoped_private_broker_creation', true],
  ['task_creation', true],
  ['unset_roles_by_username', true],
  ['user_org_creation', false],
];

export function createOperatorState(clock: Clock, newId: () => string): OperatorState {
  const row = (): Row & { metadata: Metadata } => ({ ...newRow(clock, newId), metadata: emptyMetadata() });
  const keyed = <T extends Row>(rows: readonly T[]): Map<string, T> =>
    new Map(rows.map((one) => [one.guid, one]));
  return {
    featureFlags: new Map(
      FLAGS.map(([name, enabled]) => [name, { name, enabled, customErrorMessage: null, updatedAt: null }]),
    ),
    stacks: keyed([{ ...row(), name: DEFAULT_STACK, description: 'Whatever this machine runs' }]),
    buildpacks: keyed(
      ['nodejs_buildpack', 'binary_buildpack'].map((name, index) => ({
        ...row(),
        name,
        position: index + 1,
      })),
    ),
    isolationSegments: keyed([{ ...row(), name: 'shared' }]),
    securityGroups: keyed([
      {
        ...newRow(clock, newId),
        name: 'everything',
        rules: [{ protocol: 'tcp', destination: '0.0.0.0/0', ports: '1-65535' }],
      },
    ]),
  };
}
