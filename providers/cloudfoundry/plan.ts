import { type Observation, type PlanChange, SECRET_VALUE, type TargetSpec } from '../../src/core/provider.ts';
import { processChanges, seenProcess, type WantedRoute, wantedProcess } from './translate.ts';
import type { Process } from './wire.ts';

interface Wanted {
  readonly want: TargetSpec;
  readonly routes: readonly WantedRoute[];
}

/** What is there beside the observation; undefined and empty where the application does not exist. */
interface Details {
  readonly process: Process | undefined;
  /** Host names that lead to the application. */
  readonly routes: readonly string[];
}

/** Only differences are listed; no change gives an empty plan. Environment values never appear: any may be secret. */
export function planChanges(
  { want, routes }: Wanted,
  seen: Observation,
  details: Details,
): readonly PlanChange[] {
  if (seen.foreign.length > 0) {
    return seen.foreign.map((what) => ({ action: 'foreign', field: what, destructive: false }));
  }
  if (!seen.exists) return creation(want, routes);
  return [
    ...releaseChange(want, seen),
    ...instanceChange(want, seen),
    ...settings(want, details.process),
    ...environmentChanges(want, seen),
    ...routes
      .filter((route) => !details.routes.includes(route.url))
      .map((route): PlanChange => create(`route ${route.url}`)),
  ];
}

function creation(want: TargetSpec, routes: readonly WantedRoute[]): readonly PlanChange[] {
  const process = wantedProcess(want);
  return [
    create(`application ${want.application}`),
    create('release', want.release.id),
    create('instances', String(want.process.instances)),
    create('memory', `${process.memoryMb}Mi`),
    ...(process.command === null ? [] : [create('command', process.command)]),
    ...Object.keys(want.env).map((name) => create(`env.${name}`, SECRET_VALUE)),
    ...routes.map((route) => create(`route ${route.url}`)),
  ];
}

function create(field: string, to?: string): PlanChange {
  return { action: 'create', field, ...(to === undefined ? {} : { to }), destructive: false };
}

function releaseChange(want: TargetSpec, seen: Observation): readonly PlanChange[] {
  const from = seen.serving ?? seen.standing;
  if (from === want.release.id) return [];
  return [
    {
      action: 'change',
      field: 'release',
      ...(from === undefined ? {} : { from }),
      to: want.release.id,
      destructive: false,
    },
  ];
}

function instanceChange(want: TargetSpec, seen: Observation): readonly PlanChange[] {
  const { instances } = want.process;
  if (seen.desired === instances) return [];
  const destructive = instances < seen.desired;
  return [
    { action: 'change', field: 'instances', from: String(seen.desired), to: String(instances), destructive },
  ];
}

function settings(want: TargetSpec, process: Process | undefined): readonly PlanChange[] {
  if (!process) return [];
  return processChanges(seenProcess(process), wantedProcess(want)).map((change) => ({
    action: 'change',
    ...change,
    destructive: false,
  }));
}

function environmentChanges(want: TargetSpec, seen: Observation): readonly PlanChange[] {
  const changes: PlanChange[] = [];
  for (const [name, value] of Object.entries(want.env)) {
    // It is the release's own name: the line above says it.
    if (name === 'SLUICE_RELEASE' || seen.env[name] === value) continue;
    const field = `env.${name}`;
    if (seen.env[name] === undefined) changes.push(create(field, SECRET_VALUE));
    else changes.push({ action: 'change', field, from: SECRET_VALUE, to: SECRET_VALUE, destructive: false });
  }
  for (const name of Object.keys(seen.env)) {
    if (want.env[name] !== undefined) continue;
    changes.push({ action: 'change', field: `env.${name}`, from: SECRET_VALUE, destructive: false });
  }
  return changes;
}
