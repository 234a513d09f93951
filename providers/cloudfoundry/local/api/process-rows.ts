import type { CloudBase } from '../cloud.ts';
import type { AppRow, HealthCheck, ProcessRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';

const DEFAULT_MB = 1024;

/** The first web process bears the guid of its app; those that deployments bring have their own. */
export function newProcess(cloud: CloudBase, app: AppRow, type: string): ProcessRow {
  const web = type === 'web';
  return {
    ...newRow(cloud.clock, cloud.newId, web ? app.guid : cloud.newId()),
    appGuid: app.guid,
    type,
    command: null,
    instances: web ? 1 : 0,
    memoryMb: DEFAULT_MB,
    diskMb: DEFAULT_MB,
    logRate: -1,
    healthCheck: newCheck(web ? 'port' : 'process'),
    readiness: newCheck('process'),
    metadata: emptyMetadata(),
    version: cloud.newId(),
    revisionGuid: null,
  };
}

function newCheck(type: HealthCheck['type']): HealthCheck {
  return { type, timeout: null, invocationTimeout: null, interval: null, endpoint: null };
}
