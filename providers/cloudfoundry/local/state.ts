import type { Clock } from '../../../src/core/ports.ts';
import { type AppState, createAppState } from './app-state.ts';
import { createOperatorState, type OperatorState } from './operator-state.ts';
import { createQuotaState, type QuotaState } from './quota-state.ts';
import { createServiceState, type ServiceState } from './service-state.ts';
import { emptyMetadata, type Metadata, newRow, type Row } from './state-rows.ts';

export interface OrganizationRow extends Row {
  name: string;
  quotaGuid: string;
  metadata: Metadata;
}

export interface SpaceRow extends Row {
  name: string;
  readonly organizationGuid: string;
  quotaGuid: string | null;
  metadata: Metadata;
}

export interface DomainRow extends Row {
  readonly name: string;
  readonly internal: boolean;
  /** `null` for a shared domain. */
  readonly organizationGuid: string | null;
  metadata: Metadata;
}

export type LifecycleType = 'buildpack' | 'docker';

export interface AppRow extends Row {
  name: string;
  readonly spaceGuid: string;
  state: 'STARTED' | 'STOPPED';
  readonly lifecycle: LifecycleType;
  buildpacks: string[];
  /** Of buildpack apps; an image brings its own. */
  stack: string;
  env: Record<string, string>;
  dropletGuid: string | null;
  features: Record<string, boolean>;
  metadata: Metadata;
}

export interface PackageRow extends Row {
  readonly appGuid: string;
  state: 'AWAITING_UPLOAD' | 'PROCESSING_UPLOAD' | 'COPYING' | 'READY' | 'FAILED';
  checksum: string | null;
  error: string | null;
  /** Where the uploaded zip lies. */
  readonly file: string;
  /** What there is instead of bits. */
  readonly docker: DockerImage | null;
  metadata: Metadata;
}

export interface DockerImage {
  readonly image: string;
  username: string | null;
  password: string | null;
}

export interface BuildRow extends Row {
  readonly lifecycle: LifecycleType;
  readonly appGuid: string;
  readonly packageGuid: string;
  readonly createdBy: { guid: string; name: string; email: string };
  state: 'STAGING' | 'STAGED' | 'FAILED';
  error: string | null;
  readonly memoryMb: number;
  readonly diskMb: number;
  readonly buildpacks: readonly string[];
  readonly stack: string;
  dropletGuid: string | null;
  metadata: Metadata;
}

export interface DropletRow extends Row {
  readonly appGuid: string;
  state: 'AWAITING_UPLOAD' | 'PROCESSING_UPLOAD' | 'COPYING' | 'STAGED' | 'FAILED';
  error: string | null;
  /** `null` for one that came as bits and for a copy. */
  readonly packageGuid: string | null;
  /** `null` until a copy is complete. */
  processTypes: Readonly<Record<string, string>> | null;
  /** What staged it; `null` when nobody here knows. */
  buildpack: string | null;
  checksum: string | null;
  stack: string | null;
  /** The reference it was staged from, where it is an image. */
  image: string | null;
  /** The unpacked bundle: every instance runs in it. */
  readonly folder: string;
  metadata: Metadata;
}

export interface HealthCheck {
  type: 'port' | 'http' | 'process';
  /** Seconds a new instance may take; `null` means the platform's 60. */
  timeout: number | null;
  invocationTimeout: number | null;
  /** Seconds. */
  interval: number | null;
  endpoint: string | null;
}

export interface ProcessRow extends Row {
  readonly appGuid: string;
  type: string;
  command: string | null;
  instances: number;
  memoryMb: number;
  diskMb: number;
  logRate: number;
  healthCheck: HealthCheck;
  readiness: HealthCheck;
  metadata: Metadata;
  /** Changes with whatever needs a restart. */
  version: string;
  /** What it runs; `null` where revisions are off and before it is started. */
  revisionGuid: string | null;
}

export type DeploymentReason = 'DEPLOYING' | 'PAUSED' | 'CANCELING' | 'DEPLOYED' | 'CANCELED' | 'SUPERSEDED';

export interface DeploymentRow extends Row {
  readonly appGuid: string;
  readonly strategy: 'rolling' | 'canary';
  status: 'ACTIVE' | 'FINALIZED';
  reason: DeploymentReason;
  /** Where the updater has it; clients see only status and reason. */
  phase: 'PREPAUSED' | 'DEPLOYING' | 'PAUSED' | 'CANCELING' | 'DEPLOYED' | 'CANCELED';
  statusChangedAt: number;
  lastHealthyAt: number;
  error: string | null;
  readonly maxInFlight: number;
  /** Instances the app shall have at the end. */
  readonly target: number;
  /** What it had before, for cancel. */
  readonly originalInstances: number;
  /** As asked for, and shown again. */
  readonly requested: {
    readonly webInstances: number | null;
    readonly memoryMb: number | null;
    readonly diskMb: number | null;
    readonly logRate: number | null;
    readonly canaryWeights: readonly number[] | null;
  };
  canaryStep: number;
  readonly dropletGuid: string;
  readonly revisionGuid: string | null;
  readonly previousDropletGuid: string | null;
  /** The process the deployment brought; `null` when the app was only started. */
  readonly processGuid: string | null;
  readonly newProcesses: readonly { guid: string; type: string }[];
  metadata: Metadata;
}

export interface Destination {
  readonly guid: string;
  readonly appGuid: string;
  readonly processType: string;
  readonly port: number | null;
  readonly protocol: 'http1' | 'http2';
  readonly weight: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface RouteRow extends Row {
  readonly spaceGuid: string;
  readonly domainGuid: string;
  readonly host: string;
  readonly path: string;
  options: { loadbalancing?: string };
  destinations: Destination[];
  metadata: Metadata;
}

export interface JobRow extends Row {
  readonly operation: string;
  state: 'PROCESSING' | 'POLLING' | 'COMPLETE' | 'FAILED';
  errors: { code: number; title: string; detail: string }[];
  readonly warnings: { detail: string }[];
  readonly resource: { readonly name: string; readonly href: string } | undefined;
}

export interface AuditEventRow extends Row {
  readonly type: string;
  readonly actor: { guid: string; type: string; name: string };
  readonly target: { guid: string; type: string; name: string };
  readonly spaceGuid: string | null;
  readonly organizationGuid: string | null;
  readonly data: Record<string, unknown>;
}

/** Everything the Cloud Controller would keep in its database; insertion order is creation order. */
export interface CloudState extends ServiceState, AppState, QuotaState, OperatorState {
  readonly organizations: Map<string, OrganizationRow>;
  readonly spaces: Map<string, SpaceRow>;
  readonly domains: Map<string, DomainRow>;
  readonly apps: Map<string, AppRow>;
  readonly packages: Map<string, PackageRow>;
  readonly builds: Map<string, BuildRow>;
  readonly droplets: Map<string, DropletRow>;
  readonly processes: Map<string, ProcessRow>;
  readonly deployments: Map<string, DeploymentRow>;
  readonly routes: Map<string, RouteRow>;
  readonly jobs: Map<string, JobRow>;
  readonly auditEvents: Map<string, AuditEventRow>;
}

/** A new foundation as its operator hands it over: one organization, one space, one shared domain. */
export function createState(clock: Clock, newId: () => string, domain: string): CloudState {
  const quotas = createQuotaState(clock, newId);
  const [defaultQuota = ''] = quotas.organizationQuotas.keys();
  const state: CloudState = {
    ...createServiceState(clock, newId),
    ...createAppState(),
    ...quotas,
    ...createOperatorState(clock, newId),
    organizations: new Map(),
    spaces: new Map(),
    domains: new Map(),
    apps: new Map(),
    packages: new Map(),
    builds: new Map(),
    droplets: new Map(),
    processes: new Map(),
    deployments: new Map(),
    routes: new Map(),
    jobs: new Map(),
    auditEvents: new Map(),
  };
  const org: OrganizationRow = {
    ...newRow(clock, newId),
    name: 'demo',
    quotaGuid: defaultQuota,
    metadata: emptyMetadata(),
  };
  const space: SpaceRow = {
    ...newRow(clock, newId),
    name: 'dev',
    organizationGuid: org.guid,
    quotaGuid: null,
    metadata: emptyMetadata(),
  };
  const shared: DomainRow = {
    ...newRow(clock, newId),
    name: domain,
    internal: false,
    organizationGuid: null,
    metadata: emptyMetadata(),
  };
  state.organizations.set(org.guid, org);
  state.spaces.set(space.guid, space);
  state.domains.set(shared.guid, shared);
  return state;
}

/** Oldest first; during a deployment an app has two or more. */
export function webProcesses(state: CloudState, appGuid: string): ProcessRow[] {
  return processesOf(state, appGuid).filter((process) => process.type === 'web');
}

export function processesOf(state: CloudState, appGuid: string): ProcessRow[] {
  return [...state.processes.values()].filter((process) => process.appGuid === appGuid);
}

export function activeDeployment(state: CloudState, appGuid: string): DeploymentRow | undefined {
  for (const deployment of state.deployments.values()) {
    if (deployment.appGuid === appGuid && deployment.status === 'ACTIVE') return deployment;
  }
  return undefined;
}

/** `shop.apps.cf.localhost/admin`, as the router matches it. */
export function routeUrl(state: CloudState, route: RouteRow): string {
  const domain = state.domains.get(route.domainGuid)?.name ?? '';
  return `${route.host === '' ? '' : `${route.host}.`}${domain}${route.path}`;
}

export function routesOf(state: CloudState, appGuid: string): RouteRow[] {
  return [...state.routes.values()].filter((route) =>
    route.destinations.some((destination) => destination.appGuid === appGuid),
  );
}
