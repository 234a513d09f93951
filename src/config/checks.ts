import { checkDeploy } from './deploy-checks.ts';
import { remedyFor } from './did-you-mean.ts';
import { checkDrills } from './drill-checks.ts';
import { type Fault, keyFault, valueFault, warning } from './fault.ts';
import { isMap, mapAt, type Path, valueAt } from './path.ts';
import { checkProcesses } from './process-checks.ts';
import { checkServices } from './service-checks.ts';
import { checkTasks } from './task-checks.ts';
import { checkSingleVolumes } from './volume-checks.ts';
import { checkData, checkGrowth } from './writer-checks.ts';

/**
 * What no schema can see: one part of the file against another. Works on what was written, so that these faults
 * come together with those of the schema; whatever has the wrong shape is left to the schema.
 */
export function checkReferences(
  root: unknown,
  /** Undefined for a provider nobody knows. */
  deploys: (provider: string) => boolean | undefined,
): readonly Fault[] {
  const platforms = mapAt(root, ['platforms']);
  const applications = mapAt(root, ['applications']);
  const facts: Facts = {
    root,
    platforms: Object.keys(platforms),
    deploys: (name) => {
      const provider = valueAt(platforms, [name, 'provider']);
      return typeof provider === 'string' ? deploys(provider) : undefined;
    },
  };
  const faults: Fault[] = [
    ...checkEmpty(root),
    ...checkRoutes(applications),
    ...checkGateway(mapAt(root, ['gateway'])),
  ];
  for (const name of Object.keys(applications)) {
    const path = ['applications', name];
    faults.push(
      ...checkTargets(path, facts),
      ...checkProcesses(path, root),
      ...checkServices(path, root),
      ...checkSingleVolumes(path, root),
      ...checkHealth(path, facts),
    );
    faults.push(...checkData(path, root), ...checkGrowth(path, root));
    faults.push(...checkAffinity(path, facts), ...checkDrills(path, root));
    faults.push(...checkDeploy(path, root, facts.deploys), ...checkTasks(path, root, facts.deploys));
  }
  return [...faults, ...checkUnused(applications, facts)];
}

interface Facts {
  readonly root: unknown;
  readonly platforms: readonly string[];
  readonly deploys: (platform: string) => boolean | undefined;
}

function checkEmpty(root: unknown): readonly Fault[] {
  const faults: Fault[] = [];
  for (const key of ['platforms', 'applications'] as const) {
    const value = valueAt(root, [key]);
    if (isMap(value) && Object.keys(value).length === 0) {
      faults.push(valueFault([key], `no ${key}`, `name at least one ${key.slice(0, -1)}`));
    }
  }
  return faults;
}

function checkTargets(path: Path, { root, platforms, deploys }: Facts): readonly Fault[] {
  const targets = valueAt(root, [...path, 'targets']);
  if (!isMap(targets)) return [];
  const at = [...path, 'targets'];
  const names = Object.keys(targets);
  if (names.length === 0) {
    return [valueFault(at, 'the application runs nowhere', `name a platform: ${platforms.join(', ')}`)];
  }
  const faults: Fault[] = [];
  for (const name of names) {
    const target = [...at, name];
    if (!platforms.includes(name)) {
      faults.push(keyFault(target, 'no platform has this name', remedyFor(name, platforms)));
    } else if (deploys(name) === false) {
      faults.push(...checkStaticTarget(target, root));
    }
  }
  const known = names.filter((name) => platforms.includes(name));
  const application = mapAt(root, path);
  const hasSource = ['source', 'image', 'git'].some((key) => Object.hasOwn(application, key));
  const deployed = known.filter((name) => deploys(name) === true);
  if (!hasSource && deployed.length > 0) {
    faults.push(
      keyFault(
        path,
        `nothing to deploy to ${deployed.join(', ')}`,
        'add `source:` with the folder of the application, `git:` or `image:`',
      ),
    );
  }
  return [...faults, ...checkWeights(at, targets)];
}

function checkStaticTarget(path: Path, root: unknown): readonly Fault[] {
  const faults: Fault[] = [];
  for (const key of ['instances', 'command', 'memory', 'env', 'maxInstances']) {
    if (valueAt(root, [...path, key]) === undefined) continue;
    faults.push(
      warning([...path, key], 'has no effect: nothing is deployed to a static platform', 'remove it'),
    );
  }
  const standby = valueAt(root, [...path, 'standby']);
  if (standby === 'cold' || standby === 'pilot-light') {
    faults.push(
      valueFault(
        [...path, 'standby'],
        'nothing is started on a static platform',
        'use `warm`: it runs and waits',
      ),
    );
  }
  const capacity = valueAt(root, [...path, 'capacity']);
  if (typeof capacity === 'string' && capacity.endsWith('/instance')) {
    faults.push(
      valueFault(
        [...path, 'capacity'],
        'a static platform has no instances',
        'write what all of it carries: 900rps',
      ),
    );
  }
  return faults;
}

function checkWeights(path: Path, targets: Readonly<Record<string, unknown>>): readonly Fault[] {
  const byTier = new Map<number, { total: number; first: string }>();
  for (const [name, target] of Object.entries(targets)) {
    const tier = numberOr(valueAt(target, ['tier']), 1);
    const sum = byTier.get(tier) ?? { total: 0, first: name };
    byTier.set(tier, { ...sum, total: sum.total + numberOr(valueAt(target, ['weight']), 1) });
  }
  return [...byTier]
    .filter(([, sum]) => sum.total === 0)
    .map(([tier, sum]) =>
      valueFault(
        [...path, sum.first, 'weight'],
        `all weights of tier ${tier} are 0`,
        'give at least one target of the tier a weight',
      ),
    );
}

function checkHealth(path: Path, { root }: Facts): readonly Fault[] {
  const health = [...path, 'health'];
  if (valueAt(root, [...health, 'probe']) !== 'tcp') return [];
  return ['path', 'status', 'release', 'body', 'headers', 'deep']
    .filter((key) => valueAt(root, [...health, key]) !== undefined)
    .map((key) => keyFault([...health, key], 'a tcp probe only connects', 'remove it, or use `probe: http`'));
}

function checkAffinity(path: Path, { root }: Facts): readonly Fault[] {
  const routes = valueAt(root, [...path, 'routes']);
  const only = Object.keys(mapAt(root, [...path, 'targets'])).length === 1;
  if (!only) return [];
  const places: Path[] = [
    [...path, 'affinity'],
    ...(Array.isArray(routes) ? routes.map((_, i) => [...path, 'routes', i, 'affinity']) : []),
  ];
  return places.flatMap((place) =>
    valueAt(root, place) === true
      ? [warning(place, 'has no effect: there is one platform only', 'remove it, or add a target')]
      : [],
  );
}

function checkRoutes(applications: Readonly<Record<string, unknown>>): readonly Fault[] {
  const faults: Fault[] = [];
  const taken = new Map<string, string>();
  for (const [name, application] of Object.entries(applications)) {
    const given = valueAt(application, ['routes']);
    const routes: readonly unknown[] = Array.isArray(given) ? given : given === undefined ? [undefined] : [];
    for (const [i, route] of routes.entries()) {
      const path = ['applications', name, ...(given === undefined ? [] : ['routes', i])];
      const host = textOr(valueAt(route, ['host']), '*').toLowerCase();
      const prefix = normalPath(textOr(valueAt(route, ['path']), '/'));
      if (host === '*' && valueAt(route, ['publicHost']) === 'map') {
        faults.push(
          valueFault([...path, 'publicHost'], 'map needs a host name', 'name the `host`, or use `rewrite`'),
        );
      }
      const owner = taken.get(`${host} ${prefix}`);
      taken.set(`${host} ${prefix}`, owner ?? name);
      if (owner === undefined) continue;
      const who = owner === name ? 'this application has' : `application ${owner} has`;
      const what = host === '*' ? `every host at ${prefix}` : `${host}${prefix}`;
      const clash = given === undefined ? keyFault : valueFault;
      faults.push(clash(path, `${who} ${what} already`, 'give it another host or path'));
    }
  }
  return faults;
}

function checkGateway(gateway: Readonly<Record<string, unknown>>): readonly Fault[] {
  const faults: Fault[] = [];
  const tokens = mapAt(gateway, ['admin', 'tokens']);
  const adminHost = textOr(valueAt(gateway, ['admin', 'host']), '127.0.0.1');
  if (!isLoopback(adminHost) && Object.keys(tokens).length === 0) {
    faults.push(
      valueFault(
        ['gateway', 'admin', 'host'],
        'without tokens the admin API answers on loopback only',
        'add `tokens`, or use 127.0.0.1',
      ),
    );
  }
  const seen = new Map<unknown, string>();
  for (const name of Object.keys(tokens)) {
    const token = valueAt(tokens, [name, 'token']);
    const other = seen.get(token);
    if (typeof token === 'string' && other !== undefined) {
      faults.push(
        valueFault(
          ['gateway', 'admin', 'tokens', name, 'token'],
          `the same token as ${other}`,
          'give everybody their own',
        ),
      );
    }
    seen.set(token, name);
  }
  const listeners = valueAt(gateway, ['listen']);
  const ports = new Map<unknown, string>([
    [numberOr(valueAt(gateway, ['admin', 'port']), 9901), 'the admin API'],
  ]);
  for (const [i, listener] of (Array.isArray(listeners) ? listeners : []).entries()) {
    const port = valueAt(listener, ['port']);
    const owner = ports.get(port);
    if (typeof port !== 'number' || port === 0) continue;
    if (owner === undefined) ports.set(port, `listen[${i}]`);
    else if (owner === 'the admin API' || sameAddress(listeners, owner, listener)) {
      faults.push(
        valueFault(['gateway', 'listen', i, 'port'], `${owner} has this port already`, 'take another port'),
      );
    }
  }
  return faults;
}

function sameAddress(listeners: unknown, owner: string, listener: unknown): boolean {
  const index = Number(/\d+/.exec(owner)?.[0]);
  const any = '0.0.0.0';
  const hosts = [valueAt(listeners, [index, 'host']), valueAt(listener, ['host'])].map((host) =>
    textOr(host, any),
  );
  return hosts[0] === hosts[1] || hosts.includes(any) || hosts.includes('::');
}

function checkUnused(
  applications: Readonly<Record<string, unknown>>,
  { platforms }: Facts,
): readonly Fault[] {
  const used = new Set(
    Object.values(applications).flatMap((application) => Object.keys(mapAt(application, ['targets']))),
  );
  return platforms
    .filter((name) => !used.has(name) && Object.keys(applications).length > 0)
    .map((name) =>
      warning(['platforms', name], 'no application runs here', 'name it in `targets`, or remove it'),
    );
}

/** `/shop/` and `/shop` match the same requests. */
export function normalPath(path: string): string {
  return path === '/' ? path : path.replace(/\/+$/, '') || '/';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
