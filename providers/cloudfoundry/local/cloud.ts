import type { Clock, Logger, Random } from '../../../src/core/ports.ts';
import type { Runner } from '../../../src/core/runner.ts';
import type { ImageShelf } from '../../../src/lib/image-shelf.ts';
import type { AuditLog } from './audit.ts';
import type { Blobs } from './blobs.ts';
import type { Delays } from './delays.ts';
import type { Deployments } from './engine/deployments.ts';
import type { Instances } from './engine/instances.ts';
import type { Lifecycle } from './engine/lifecycle.ts';
import type { Revisions } from './engine/revisions.ts';
import type { ServiceBroker } from './engine/service-broker.ts';
import type { Staging } from './engine/staging.ts';
import type { Tasks } from './engine/tasks.ts';
import type { FaultSwitches } from './faults.ts';
import type { Jobs } from './jobs.ts';
import type { AppLogs } from './logs.ts';
import type { Quotas } from './quota.ts';
import type { RouteTable } from './route-table.ts';
import type { CloudState } from './state.ts';

/** What the parts of the foundation are made of. */
export interface CloudBase {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly runner: Runner;
  readonly delays: Delays;
  readonly state: CloudState;
  readonly faults: FaultSwitches;
  readonly logs: AppLogs;
  readonly audit: AuditLog;
  /** Registries that images are staged from. */
  readonly images: ImageShelf;
  /** Of the one user there is. */
  readonly userGuid: string;
  /** Known once the listeners are open. */
  readonly urls: CloudUrls;
  /** Absolute; bundles and droplets live below it. */
  readonly dir: string;
}

interface CloudUrls {
  api: string;
  uaa: string;
  logCache: string;
  router: string;
  control: string;
}

/** What API handlers work with. */
export interface Cloud extends CloudBase {
  readonly jobs: Jobs;
  readonly blobs: Blobs;
  readonly broker: ServiceBroker;
  readonly quotas: Quotas;
  readonly staging: Staging;
  readonly revisions: Revisions;
  readonly tasks: Tasks;
  readonly instances: Instances;
  readonly lifecycle: Lifecycle;
  readonly deployments: Deployments;
  readonly routeTable: RouteTable;
}
