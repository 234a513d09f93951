import type { ServiceBindingRow } from '../service-state.ts';
import type { AppRow, CloudState } from '../state.ts';

/** `VCAP_SERVICES`: what is bound at this moment, by label; an application sees it when it is next started. */
export function vcapServices(state: CloudState, app: AppRow): Record<string, readonly object[]> {
  const byLabel: Record<string, object[]> = {};
  for (const binding of state.serviceBindings.values()) {
    const usable = binding.lastOperation.type === 'create' && binding.lastOperation.state === 'succeeded';
    if (binding.appGuid !== app.guid || !usable) continue;
    const { label, entry } = present(state, binding);
    byLabel[label] = [...(byLabel[label] ?? []), entry];
  }
  return byLabel;
}

function present(state: CloudState, binding: ServiceBindingRow): { label: string; entry: object } {
  const instance = state.serviceInstances.get(binding.instanceGuid);
  const plan = state.servicePlans.get(instance?.planGuid ?? '');
  const offering = plan && state.serviceOfferings.get(plan.offeringGuid);
  const label = offering?.name ?? 'user-provided';
  return {
    label,
    entry: {
      label,
      provider: null,
      ...(plan ? { plan: plan.name } : {}),
      name: binding.name ?? instance?.name,
      tags: [...(offering?.tags ?? []), ...(instance?.tags ?? [])],
      instance_guid: instance?.guid,
      instance_name: instance?.name,
      binding_guid: binding.guid,
      binding_name: binding.name,
      credentials: binding.credentials,
      syslog_drain_url: instance?.syslogDrainUrl ?? null,
      volume_mounts: binding.volumeMounts,
    },
  };
}
