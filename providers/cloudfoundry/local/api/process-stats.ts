import type { Cloud } from '../cloud.ts';
import type { InstanceView } from '../engine/instances.ts';
import type { ProcessRow } from '../state.ts';
import { timestamp } from '../time.ts';
import { actualInstances } from './process-view.ts';

const MIB = 1_048_576;
const FILE_DESCRIPTORS = 16_384;

export function presentStats(cloud: Cloud, process: ProcessRow): readonly object[] {
  return actualInstances(cloud, process).map((instance, index) =>
    instance === undefined || instance.state === 'DOWN'
      ? presentDown(process, index, instance)
      : presentActual(cloud, process, instance),
  );
}

/** No instance, no numbers. */
function presentDown(process: ProcessRow, index: number, instance: InstanceView | undefined): object {
  return {
    type: process.type,
    index,
    state: 'DOWN',
    routable: false,
    uptime: 0,
    isolation_segment: null,
    details: instance?.details ?? null,
  };
}

function presentActual(cloud: Cloud, process: ProcessRow, instance: InstanceView): object {
  const { clock } = cloud;
  const runs = instance.state === 'RUNNING';
  const { cpu, memoryBytes } = instance.usage;
  // What an instance may use grows with its memory, as the cells share out processor time.
  const entitled = Math.max(0.01, instance.memoryMb / 1_024);
  return {
    type: process.type,
    index: instance.index,
    instance_guid: instance.guid,
    state: instance.state,
    routable: instance.routable,
    usage: {
      time: timestamp(clock.now()),
      cpu: runs ? cpu : 0,
      cpu_entitlement: runs ? cpu / entitled : 0,
      mem: runs ? memoryBytes : 0,
      disk: 0,
      log_rate: 0,
    },
    host: runs ? '127.0.0.1' : '',
    instance_internal_ip: runs ? '127.0.0.1' : '',
    instance_ports: runs
      ? [
          {
            external: instance.port,
            internal: 8080,
            external_tls_proxy_port: null,
            internal_tls_proxy_port: null,
          },
        ]
      : null,
    uptime: runs ? Math.floor((clock.now() - instance.since) / 1_000) : 0,
    mem_quota: instance.memoryMb * MIB,
    disk_quota: instance.diskMb * MIB,
    log_rate_limit: process.logRate,
    fds_quota: FILE_DESCRIPTORS,
    isolation_segment: null,
    details: instance.details,
  };
}
