import type { Cloud } from '../cloud.ts';
import type { InstanceView } from '../engine/instances.ts';
import { commandOf } from '../engine/start-command.ts';
import type { HealthCheck, ProcessRow } from '../state.ts';
import { timestamp } from '../time.ts';

/** Lists hide what may hold secrets. */
const HIDDEN = '[PRIVATE DATA HIDDEN IN LISTS]';

export function presentProcess(cloud: Cloud, process: ProcessRow, as: 'single' | 'list'): object {
  const { state, urls } = cloud;
  const app = state.apps.get(process.appGuid);
  const droplet = app?.dropletGuid ? state.droplets.get(app.dropletGuid) : undefined;
  const command = droplet ? commandOf(process, droplet) : process.command;
  const self = `${urls.api}/v3/processes/${process.guid}`;
  return {
    guid: process.guid,
    created_at: timestamp(process.createdAt),
    updated_at: timestamp(process.updatedAt),
    version: process.version,
    type: process.type,
    command: command == null ? null : as === 'list' ? HIDDEN : command,
    user: 'vcap',
    instances: process.instances,
    memory_in_mb: process.memoryMb,
    disk_in_mb: process.diskMb,
    log_rate_limit_in_bytes_per_second: process.logRate,
    health_check: presentLiveness(process.healthCheck),
    readiness_health_check: presentReadiness(process.readiness),
    relationships: {
      app: { data: { guid: process.appGuid } },
      revision: process.revisionGuid === null ? null : { data: { guid: process.revisionGuid } },
    },
    metadata: process.metadata,
    links: {
      self: { href: self },
      scale: { href: `${self}/actions/scale`, method: 'POST' },
      app: { href: `${urls.api}/v3/apps/${process.appGuid}` },
      space: { href: `${urls.api}/v3/spaces/${app?.spaceGuid ?? ''}` },
      stats: { href: `${self}/stats` },
      process_instances: { href: `${self}/process_instances` },
    },
  };
}

function presentLiveness(health: HealthCheck): object {
  const { type, timeout, invocationTimeout, interval, endpoint } = health;
  const data = { timeout, invocation_timeout: invocationTimeout, interval };
  return { type, data: type === 'http' ? { ...data, endpoint } : data };
}

function presentReadiness(health: HealthCheck): object {
  const { type, invocationTimeout, interval, endpoint } = health;
  const data = { invocation_timeout: invocationTimeout, interval };
  return { type, data: type === 'http' ? { ...data, endpoint } : data };
}

/** One entry per wanted instance; those without an actual one are `undefined` and shown as DOWN. */
export function actualInstances(cloud: Cloud, process: ProcessRow): readonly (InstanceView | undefined)[] {
  const views = cloud.instances.views(process.guid);
  const length = Math.max(process.instances, views.length);
  return Array.from({ length }, (_, index) => views[index]);
}

/** The light view: no metrics, so it works when log-cache does not. */
export function presentInstances(cloud: Cloud, process: ProcessRow): readonly object[] {
  return actualInstances(cloud, process).map((instance, index) => ({
    index,
    state: instance?.state ?? 'DOWN',
    since: Math.floor((instance?.since ?? process.updatedAt) / 1_000),
  }));
}
