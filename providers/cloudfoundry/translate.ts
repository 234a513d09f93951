import type { InstanceState, ObservedOrigin, TargetSpec } from '../../src/core/provider.ts';
import type { App, Deployment, Domain, Droplet, PackageBits, Process, Route } from './wire.ts';

/** Our stamps: on applications, packages, droplets and routes. */
export const MANAGED_BY = 'sluice.dev/managed-by';
export const APPLICATION = 'sluice.dev/application';
export const RELEASE = 'sluice.dev/release';
/** On what is tried beside the application, with its release. */
export const TRIAL = 'sluice.dev/trial';
/** On an application made for one run of a task, with its release. */
export const TASK_OF = 'sluice.dev/task-of';
/** On tasks: tells one run from another. */
export const RUN = 'sluice.dev/run';
/** On deployments: tells one act of applying a release from another. */
export const ATTEMPT = 'sluice.dev/attempt';

const MIB = 1024 * 1024;
/** The longest start allowance most foundations permit. */
const LONGEST_START_SECONDS = 180;

interface Stamped {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string | null>> | undefined } | undefined;
}

export function stamps(application: string): Record<string, string> {
  return { [MANAGED_BY]: 'sluice', [APPLICATION]: application };
}

export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** A host name's label holds 63 characters, and the trial's name becomes one. */
const LONGEST_NAME = 63;

/** For people, and for its route; we find it by its labels. */
export function trialName(application: string, release: string): string {
  const end = `--${release}`;
  return `${application.slice(0, LONGEST_NAME - end.length).replace(/[-_]+$/, '')}${end}`;
}

export function trialLabels({ application, release }: TargetSpec): Record<string, string> {
  return { ...stamps(application), [TRIAL]: release.id };
}

export function trialOf(thing: Stamped): string | undefined {
  return thing.metadata?.labels?.[TRIAL] ?? undefined;
}

export function isOurs(thing: Stamped): boolean {
  return thing.metadata?.labels?.[MANAGED_BY] === 'sluice';
}

export function releaseOf(thing: Stamped): string | undefined {
  return thing.metadata?.labels?.[RELEASE] ?? undefined;
}

export function runOf(thing: Stamped): string | undefined {
  return thing.metadata?.labels?.[RUN] ?? undefined;
}

export function attemptOf(thing: Stamped): string | undefined {
  return thing.metadata?.labels?.[ATTEMPT] ?? undefined;
}

/** The droplet's own stamp, or that of the package it was built from when we ended before stamping it. */
export function dropletRelease(droplet: Droplet, packages: readonly PackageBits[]): string | undefined {
  const own = releaseOf(droplet);
  if (own !== undefined) return own;
  const packageGuid = packageOf(droplet);
  const from = packages.find((one) => one.guid === packageGuid);
  return from && releaseOf(from);
}

function packageOf(droplet: Droplet): string | undefined {
  return droplet.links?.package?.href.split('/').pop();
}

export function currentDroplet(app: App): string | undefined {
  return app.relationships?.current_droplet?.data?.guid;
}

const STATES: Readonly<Record<string, InstanceState>> = {
  RUNNING: 'running',
  STARTING: 'starting',
  CLAIMED: 'starting',
  UNCLAIMED: 'pending',
  DOWN: 'pending',
  CRASHED: 'crashed',
  STOPPING: 'stopping',
};

export function instanceState(state: string): InstanceState {
  return STATES[state] ?? 'unknown';
}

/** Which droplet a web process runs: the API tells it only by way of a deployment that is under way. */
export function dropletOfProcess(
  app: App,
  process: Pick<Process, 'guid'>,
  active: Deployment | undefined,
): string | undefined {
  if (!active) return currentDroplet(app);
  const isNew = active.new_processes.some((one) => one.guid === process.guid);
  return (isNew ? active.droplet?.guid : active.previous_droplet?.guid) ?? undefined;
}

/** How many instances are wanted; during a deployment the processes overlap by `max_in_flight`. */
export function desiredInstances(web: readonly Process[], active: Deployment | undefined): number {
  const sum = web.reduce((total, process) => total + process.instances, 0);
  if (!active || web.length < 2) return sum;
  return active.options?.web_instances ?? Math.max(1, sum - (active.options?.max_in_flight ?? 1));
}

/** The settings of the web process that a release brings along. */
export interface ProcessSettings {
  readonly command: string | null;
  readonly memoryMb: number;
  readonly check: {
    readonly type: string;
    readonly endpoint: string | null;
    readonly timeout: number | null;
  };
}

export function wantedProcess(want: TargetSpec): ProcessSettings {
  const { path, startTimeoutMs } = want.health;
  return {
    command: want.process.command === '' ? null : want.process.command,
    memoryMb: Math.max(1, Math.ceil(want.process.memoryBytes / MIB)),
    check: {
      type: path === undefined ? 'port' : 'http',
      endpoint: path ?? null,
      timeout: Math.min(LONGEST_START_SECONDS, Math.max(1, Math.ceil(startTimeoutMs / 1000))),
    },
  };
}

export function seenProcess(process: Process): ProcessSettings {
  const { type, data } = process.health_check;
  return {
    command: process.command ?? null,
    memoryMb: process.memory_in_mb,
    check: { type, endpoint: data?.endpoint ?? null, timeout: data?.timeout ?? null },
  };
}

/** What differs, in the words of `sluice plan`; an undefined command leaves the choice to the buildpack. */
export function processChanges(
  seen: ProcessSettings,
  want: ProcessSettings,
): readonly { field: string; from: string; to: string }[] {
  const changes: { field: string; from: string; to: string }[] = [];
  if (want.command !== null && want.command !== seen.command) {
    changes.push({ field: 'command', from: seen.command ?? '', to: want.command });
  }
  if (want.memoryMb !== seen.memoryMb) {
    changes.push({ field: 'memory', from: `${seen.memoryMb}Mi`, to: `${want.memoryMb}Mi` });
  }
  const [from, to] = [describeCheck(seen), describeCheck(want)];
  if (from !== to) changes.push({ field: 'health', from, to });
  return changes;
}

function describeCheck({ check }: ProcessSettings): string {
  const where = check.type === 'http' ? `http ${check.endpoint ?? '/'}` : check.type;
  return check.timeout === null ? where : `${where} within ${check.timeout}s`;
}

/** The body of `PATCH /v3/processes/:guid`; memory goes through the scale action instead. */
export function processPatch(settings: ProcessSettings): Record<string, unknown> {
  const { type, endpoint, timeout } = settings.check;
  return {
    command: settings.command,
    health_check: {
      type,
      data: { timeout, ...(type === 'http' ? { endpoint: endpoint ?? '/' } : {}) },
    },
  };
}

export interface WantedRoute {
  /** The full host name. */
  readonly url: string;
  readonly domainGuid: string;
  /** Undefined for the domain itself. */
  readonly host: string | undefined;
}

/** The default route and those public hosts whose domain exists there; `unknown` are the hosts that have none. */
export function wantedRoutes(
  want: Pick<TargetSpec, 'application' | 'hosts'>,
  defaultDomain: string,
  domains: readonly Domain[],
): { readonly routes: readonly WantedRoute[]; readonly unknown: readonly string[] } {
  const routes = new Map<string, WantedRoute>();
  const unknown: string[] = [];
  for (const url of [
    routeHost(want.application, defaultDomain),
    ...want.hosts.map((host) => host.toLowerCase()),
  ]) {
    const route = routeFor(url, domains);
    if (route) routes.set(url, route);
    else if (url !== '*') unknown.push(url);
  }
  return { routes: [...routes.values()], unknown };
}

function routeFor(url: string, domains: readonly Domain[]): WantedRoute | undefined {
  let best: { domain: Domain; host: string } | undefined;
  for (const domain of domains) {
    if (domain.internal || (url !== domain.name && !url.endsWith(`.${domain.name}`))) continue;
    const host = url.slice(0, -domain.name.length).replace(/\.$/, '');
    // A route's host is one label: `a.b` of `a.b.example.com` needs a domain of its own.
    if (host.includes('.')) continue;
    if (!best || domain.name.length > best.domain.name.length) best = { domain, host };
  }
  if (!best) return undefined;
  return { url, domainGuid: best.domain.guid, host: best.host === '' ? undefined : best.host };
}

export function routeHost(application: string, domain: string): string {
  return `${application.toLowerCase().replaceAll('_', '-')}.${domain}`;
}

/** One origin: the platform's router, by the default route's name, or by another of ours if that is not mapped. */
export function originsOf(
  application: string,
  options: {
    readonly domain: string;
    readonly router?: string | undefined;
    readonly ca?: string | undefined;
  },
  routes: readonly Route[],
): readonly ObservedOrigin[] {
  const hosts = routes.map((route) => route.url).filter((url) => !url.includes('/'));
  const preferred = routeHost(application, options.domain);
  const host = hosts.includes(preferred) ? preferred : hosts[0];
  if (host === undefined) return [];
  const url = (options.router ?? `https://${host}`).replace(/\/+$/, '');
  if (!url.startsWith('https:')) return [{ url, hostHeader: host }];
  // Who signed for the API has as a rule signed for the router too.
  const trust = options.ca === undefined ? {} : { ca: options.ca };
  return [{ url, hostHeader: host, sni: host, ...trust }];
}
