import { rmSync } from 'node:fs';
import type { CloudBase } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import type { Jobs } from '../jobs.ts';
import type { LastOperation, ServiceBindingRow, ServiceInstanceRow } from '../service-state.ts';
import { volumeFolder } from './volume-folders.ts';

/** The acts a broker needs time for; each answers its job's URL. */
export interface ServiceBroker {
  provision(instance: ServiceInstanceRow): string;
  update(instance: ServiceInstanceRow, change: () => void): string;
  deprovision(instance: ServiceInstanceRow): string;
  bind(binding: ServiceBindingRow): string;
  unbind(binding: ServiceBindingRow): string;
  /** What a binding of a managed instance hands out. */
  fill(binding: ServiceBindingRow, instance: ServiceInstanceRow): void;
}

export function operation(
  type: LastOperation['type'],
  state: LastOperation['state'],
  now: number,
  description = state === 'succeeded' ? 'Operation succeeded' : '',
): LastOperation {
  return { type, state, description, createdAt: now, updatedAt: now };
}

export function createServiceBroker(cloud: CloudBase, jobs: Jobs): ServiceBroker {
  const { state, clock } = cloud;

  /** The broker says at once that it has begun, and is asked again until it is done. */
  function act(
    name: string,
    kind: 'service_instances' | 'service_credential_bindings',
    row: ServiceInstanceRow | ServiceBindingRow,
    type: LastOperation['type'],
    work: () => void,
  ): string {
    const begun = clock.now();
    row.lastOperation = operation(type, 'in progress', begun);
    const end = (how: 'succeeded' | 'failed', why?: string): void => {
      row.lastOperation = { ...operation(type, how, begun, why), updatedAt: clock.now() };
      row.updatedAt = clock.now();
    };
    const href = `${cloud.urls.api}/v3/${kind}/${row.guid}`;
    return jobs.start(
      name,
      async (job) => {
        job.state = 'POLLING';
        await clock.sleep(cloud.delays.service);
        try {
          work();
          end('succeeded');
        } catch (error) {
          end('failed', error instanceof CloudError ? error.reason : String(error));
          throw error;
        }
      },
      { name: kind, href },
    );
  }

  function fill(binding: ServiceBindingRow, instance: ServiceInstanceRow): void {
    const plan = state.servicePlans.get(instance.planGuid ?? '');
    const offering = state.serviceOfferings.get(plan?.offeringGuid ?? '');
    const secret = cloud.newId().replaceAll('-', '');
    const user = `u${binding.guid.slice(0, 8)}`;
    if (offering?.kind === 'volume') {
      const { mount, readonly } = binding.parameters;
      const container_dir = typeof mount === 'string' ? mount : `/var/vcap/data/${instance.guid}`;
      binding.volumeMounts = [{ container_dir, device_type: 'shared', mode: readonly === true ? 'r' : 'rw' }];
      return;
    }
    const [scheme, port] = offering?.kind === 'cache' ? ['redis', 6_379] : ['postgres', 5_432];
    binding.credentials = {
      hostname: '127.0.0.1',
      port,
      name: instance.name,
      username: user,
      password: secret,
      uri: `${scheme}://${user}:${secret}@127.0.0.1:${port}/${encodeURIComponent(instance.name)}`,
    };
  }

  return {
    provision: (instance) =>
      act('service_instance.create', 'service_instances', instance, 'create', () => {
        if (state.servicePlans.get(instance.planGuid ?? '')?.fails) throw refused('create', 'out of stock');
      }),
    update: (instance, change) =>
      act('service_instance.update', 'service_instances', instance, 'update', change),
    deprovision: (instance) =>
      act('service_instance.delete', 'service_instances', instance, 'delete', () => {
        for (const { guid, instanceGuid } of state.serviceBindings.values()) {
          if (instanceGuid === instance.guid) state.serviceBindings.delete(guid);
        }
        state.serviceInstances.delete(instance.guid);
        rmSync(volumeFolder(cloud, instance.guid), { recursive: true, force: true });
      }),
    bind: (binding) =>
      act('service_bindings.create', 'service_credential_bindings', binding, 'create', () => {
        const instance = state.serviceInstances.get(binding.instanceGuid);
        if (instance) fill(binding, instance);
      }),
    unbind: (binding) =>
      act('service_bindings.delete', 'service_credential_bindings', binding, 'delete', () => {
        state.serviceBindings.delete(binding.guid);
      }),
    fill,
  };
}

function refused(what: string, why: string): CloudError {
  return new CloudError(400, 10009, 'CF-UnableToPerform', `${what} could not be completed: ${why}`, why);
}
