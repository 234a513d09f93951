import { type Observation, type PlanChange, SECRET_VALUE, type TargetSpec } from '../../src/core/provider.ts';

/** The difference in the fields that the host shows. Values of the environment never appear. */
export function planChanges(want: TargetSpec, seen: Observation): readonly PlanChange[] {
  const release = want.release.id;
  const instances = String(want.process.instances);
  if (seen.serving === undefined) {
    return [
      { action: 'create', field: 'release', to: release, destructive: false },
      { action: 'create', field: 'instances', to: instances, destructive: false },
    ];
  }
  const changes: PlanChange[] = [
    change('release', seen.serving, release),
    change('instances', String(seen.desired), instances),
  ];
  for (const name of new Set([...Object.keys(seen.env), ...Object.keys(want.env)])) {
    // Follows from the release and is on the first line already.
    if (name.startsWith('SLUICE_')) continue;
    const from = seen.env[name];
    const to = want.env[name];
    if (from === to) continue;
    changes.push({
      action: from === undefined ? 'create' : 'change',
      field: `env.${name}`,
      ...(from === undefined ? {} : { from: SECRET_VALUE }),
      ...(to === undefined ? {} : { to: SECRET_VALUE }),
      destructive: false,
    });
  }
  return changes;
}

/** Nothing is destructive: new instances start beside the old ones. */
function change(field: string, from: string, to: string): PlanChange {
  return { action: from === to ? 'none' : 'change', field, from, to, destructive: false };
}
