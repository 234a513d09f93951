import { DEFAULT_DRIFT, type DriftField, type DriftSettings } from '../core/drift.ts';
import type { Observation, PlanChange, TargetSpec } from '../core/provider.ts';

export interface Drift {
  readonly fields: readonly DriftField[];
  readonly foreign: readonly string[];
}

type Owner = 'us' | 'seeded' | 'ignored';

/** Who has the say over a field, by the names that the file and `sluice plan` have for it. */
export function ownerOf(field: string, { ignore, seed }: DriftSettings = DEFAULT_DRIFT): Owner {
  if (ignore.some((pattern) => names(pattern, field))) return 'ignored';
  return seed.some((pattern) => names(pattern, field)) ? 'seeded' : 'us';
}

function names(pattern: string, field: string): boolean {
  if (pattern === 'routes') return field === 'route' || field.startsWith('route ');
  if (pattern === 'startTimeout') return field === 'start timeout';
  return pattern.endsWith('*') ? field.startsWith(pattern.slice(0, -1)) : field === pattern;
}

/** What of a plan towards the release that is live already is drift: it was there, and somebody changed it. */
export function driftOf(
  changes: readonly PlanChange[],
  seen: Observation,
  settings: DriftSettings = DEFAULT_DRIFT,
): Drift {
  const foreign = new Set(seen.foreign);
  const fields: DriftField[] = [];
  for (const { action, field, from, to } of changes) {
    if (action === 'foreign') foreign.add(field);
    if (action === 'none' || action === 'foreign' || ownerOf(field, settings) !== 'us') continue;
    if (field === 'release' && isAsleep(from, to, seen)) continue;
    fields.push({ field, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
  }
  return { fields, foreign: [...foreign] };
}

/** It is there, none of its instances serve and nobody else's do: that is for health to say. */
function isAsleep(from: string | undefined, to: string | undefined, seen: Observation): boolean {
  if (from !== undefined || !seen.releases.some(({ id, state }) => id === to && state !== 'retired'))
    return false;
  return !seen.instances.some(({ state, release }) => state === 'running' && release !== to);
}

/** What others keep stays as they left it, whatever we write beside it. */
export function leavingTheirs(
  want: TargetSpec,
  seen: Observation,
  settings: DriftSettings = DEFAULT_DRIFT,
): TargetSpec {
  if (!seen.exists || (settings.ignore.length === 0 && settings.seed.length === 0)) return want;
  const env: Record<string, string> = { ...want.env };
  for (const [name, value] of Object.entries(seen.env)) {
    // What names the release is never somebody else's.
    if (!name.startsWith('SLUICE_') && ownerOf(`env.${name}`, settings) !== 'us') env[name] = value;
  }
  const instances =
    ownerOf('instances', settings) === 'us' || seen.desired === 0 ? want.process.instances : seen.desired;
  return { ...want, env, process: { ...want.process, instances } };
}
