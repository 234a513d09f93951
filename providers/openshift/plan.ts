import { type Observation, type PlanChange, SECRET_VALUE, type TargetSpec } from '../../src/core/provider.ts';
import { nameOf } from './autoscaler.ts';
import { commandOf } from './manifests.ts';
import * as names from './names.ts';
import { registryChanges } from './registry.ts';
import type { Autoscaler, Deployment, Route, Secret } from './wire.ts';

/** What the platform holds now, beyond the observation. */
export interface Held {
  readonly deployment: Deployment | undefined;
  readonly routes: readonly Route[];
  /** Who may pull the image. */
  readonly pullSecret?: Secret | undefined;
  /** Whose the number of instances is, if it is an autoscaler's. */
  readonly autoscaler?: Autoscaler | undefined;
}

/** Pure: wanted against held, field by field. Values of the environment are compared and never shown. */
export function planChanges(want: TargetSpec, seen: Observation, held: Held): readonly PlanChange[] {
  if (seen.foreign.length > 0) {
    return seen.foreign.map((field) => ({ action: 'foreign', field, destructive: false }));
  }
  const { deployment } = held;
  const changes = deployment ? templateChanges(want, deployment, held.autoscaler) : [created(want)];
  const env = envChanges(want, deployment ? seen.env : {}, deployment === undefined);
  return [...changes, ...env, ...registryChanges(want, held.pullSecret), ...routeChanges(want, held.routes)];
}

function created(want: TargetSpec): PlanChange {
  const { instances } = want.process;
  return {
    action: 'create',
    field: `application ${want.application}`,
    to: `${want.release.id}, ${instances} ${instances === 1 ? 'instance' : 'instances'} of ${mebibytes(want)}`,
    destructive: false,
  };
}

function templateChanges(
  want: TargetSpec,
  deployment: Deployment,
  autoscaler: Autoscaler | undefined,
): readonly PlanChange[] {
  const { labels } = deployment.spec.template.metadata;
  const container = deployment.spec.template.spec.containers[0];
  const command = commandOf(container?.command ?? []);
  const path = container?.readinessProbe?.httpGet?.path;
  return [
    change('release', labels[names.RELEASE], want.release.id, true),
    autoscaler ? autoscaled(deployment, autoscaler) : instances(want, deployment),
    change('memory', container?.resources.limits['memory'], mebibytes(want), true),
    change('command', command, want.process.command, true),
    change('health', path ?? 'port', want.health.path ?? 'port', true),
    change(
      'start timeout',
      `${deployment.spec.progressDeadlineSeconds} s`,
      `${Math.max(1, Math.ceil(want.health.startTimeoutMs / 1_000))} s`,
      false,
    ),
  ];
}

function instances(want: TargetSpec, deployment: Deployment): PlanChange {
  const { replicas } = deployment.spec;
  return change('instances', String(replicas), String(want.process.instances), fewer(deployment, want));
}

/** Whatever is wanted, the number stays what the autoscaler makes it. */
function autoscaled(deployment: Deployment, autoscaler: Autoscaler): PlanChange {
  const to = `${deployment.spec.replicas}, by ${nameOf(autoscaler)}`;
  return { action: 'none', field: 'instances', to, destructive: false };
}

function change(field: string, from: string | undefined, to: string, destructive: boolean): PlanChange {
  if (from === to) return { action: 'none', field, to, destructive: false };
  return { action: 'change', field, to, destructive, ...(from === undefined ? {} : { from }) };
}

function fewer(deployment: Deployment, want: TargetSpec): boolean {
  return want.process.instances < deployment.spec.replicas;
}

/** Stamps of our own follow the release and are no news of their own. */
const STAMPS: ReadonlySet<string> = new Set(['SLUICE_RELEASE', 'SLUICE_APPLICATION', 'SLUICE_PLATFORM']);

function envChanges(
  want: TargetSpec,
  held: Readonly<Record<string, string>>,
  fresh: boolean,
): readonly PlanChange[] {
  const changes: PlanChange[] = [];
  for (const key of [...new Set([...Object.keys(held), ...Object.keys(want.env)])].sort()) {
    if (STAMPS.has(key)) continue;
    const from = held[key] === undefined ? {} : { from: SECRET_VALUE };
    const to = want.env[key] === undefined ? {} : { to: SECRET_VALUE };
    const field = `env.${key}`;
    if (held[key] === want.env[key]) changes.push({ action: 'none', field, destructive: false });
    else if (held[key] === undefined) changes.push({ action: 'create', field, ...to, destructive: !fresh });
    else changes.push({ action: 'change', field, ...from, ...to, destructive: true });
  }
  return changes;
}

function routeChanges(want: TargetSpec, routes: readonly Route[]): readonly PlanChange[] {
  const changes: PlanChange[] = [];
  const hosts = want.hosts.filter((host) => !host.includes('*'));
  const wanted = new Set([
    want.application,
    ...hosts.map((host) => names.hostRouteName(want.application, host)),
  ]);
  const held = new Set(routes.map((route) => route.metadata.name));
  if (!held.has(want.application)) changes.push({ action: 'create', field: 'route', destructive: false });
  for (const host of hosts) {
    const there = held.has(names.hostRouteName(want.application, host));
    changes.push({ action: there ? 'none' : 'create', field: `route ${host}`, to: host, destructive: false });
  }
  for (const route of routes) {
    if (wanted.has(route.metadata.name)) continue;
    changes.push({
      action: 'change',
      field: `route ${route.spec.host}`,
      from: route.spec.host,
      destructive: true,
    });
  }
  return changes;
}

function mebibytes(want: TargetSpec): string {
  return `${Math.max(1, Math.round(want.process.memoryBytes / 1_048_576))}Mi`;
}
