import type { AppRow, CloudState, HealthCheck } from '../state.ts';
import { processesOf, routesOf, routeUrl } from '../state.ts';
import { type ManifestApplication, manifestProcesses } from './manifest-body.ts';

/** One step of a JSON patch from what is to what the manifest wants. */
interface DiffEntry {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly was?: unknown;
  readonly value?: unknown;
}

/** Of what the manifest names, what would become another; a new app is one addition. */
export function manifestDiff(
  state: CloudState,
  spaceGuid: string,
  applications: readonly ManifestApplication[],
): readonly DiffEntry[] {
  const entries: DiffEntry[] = [];
  for (const [index, wanted] of applications.entries()) {
    const app = [...state.apps.values()].find(
      (one) => one.spaceGuid === spaceGuid && one.name === wanted.name,
    );
    const at = `/applications/${index}`;
    if (app) entries.push(...appDiff(state, app, wanted, at), ...listDiffs(state, app, wanted, at));
    else entries.push({ op: 'add', path: `${at}/name`, value: wanted.name });
  }
  return entries;
}

function appDiff(
  state: CloudState,
  app: AppRow,
  wanted: ManifestApplication,
  at: string,
): readonly DiffEntry[] {
  const [web] = manifestProcesses(wanted);
  const process = processesOf(state, app.guid).findLast((one) => one.type === 'web');
  const compared: readonly (readonly [string, unknown, unknown])[] = [
    ['instances', process?.instances, web?.instances],
    ['memory', inMb(process?.memoryMb), inMb(web?.memory)],
    ['command', process?.command ?? undefined, web?.command ?? undefined],
    ['timeout', process?.healthCheck.timeout ?? undefined, web?.timeout],
    ...checked(
      'health-check',
      process?.healthCheck,
      web?.['health-check-type'],
      web?.['health-check-http-endpoint'],
    ),
    ...checked(
      'readiness-health-check',
      process?.readiness,
      web?.['readiness-health-check-type'],
      web?.['readiness-health-check-http-endpoint'],
    ),
    ...Object.entries(wanted.env ?? {}).map(
      ([name, value]) => [`env/${name}`, app.env[name], value] as const,
    ),
  ];
  const entries: DiffEntry[] = [];
  for (const [name, was, value] of compared) {
    if (value === undefined || value === was) continue;
    const path = `${at}/${name}`;
    entries.push(was === undefined ? { op: 'add', path, value } : { op: 'replace', path, was, value });
  }
  return entries;
}

function checked(
  name: string,
  check: HealthCheck | undefined,
  type: string | undefined,
  endpoint: string | undefined,
): readonly (readonly [string, unknown, unknown])[] {
  return [
    [`${name}-type`, check?.type, type],
    [`${name}-http-endpoint`, check?.endpoint ?? undefined, endpoint],
  ];
}

/** Lists are compared by what names their members; what the manifest lacks would be gone. */
function listDiffs(
  state: CloudState,
  app: AppRow,
  wanted: ManifestApplication,
  at: string,
): readonly DiffEntry[] {
  const bound = [...state.serviceBindings.values()].filter(
    (row) => row.appGuid === app.guid && row.type === 'app',
  );
  const own = [...state.sidecars.values()].filter((row) => row.appGuid === app.guid);
  return [
    ...listDiff(
      `${at}/routes`,
      'route',
      routesOf(state, app.guid).map((row) => routeUrl(state, row)),
      wanted.routes?.map(({ route }) => route),
    ),
    ...listDiff(
      `${at}/services`,
      'name',
      bound.map((row) => state.serviceInstances.get(row.instanceGuid)?.name ?? ''),
      wanted.services?.map(({ name }) => name),
    ),
    ...listDiff(
      `${at}/sidecars`,
      'name',
      own.map(({ name }) => name),
      wanted.sidecars?.map(({ name }) => name),
    ),
  ];
}

function listDiff(
  at: string,
  key: string,
  there: readonly string[],
  wanted: readonly string[] | undefined,
): readonly DiffEntry[] {
  if (wanted === undefined) return [];
  const gone = there.flatMap((one, i): DiffEntry[] =>
    wanted.includes(one) ? [] : [{ op: 'remove', path: `${at}/${i}`, was: { [key]: one } }],
  );
  const come = wanted.flatMap((one, i): DiffEntry[] =>
    there.includes(one) ? [] : [{ op: 'add', path: `${at}/${i}`, value: { [key]: one } }],
  );
  return [...gone, ...come];
}

function inMb(count: number | undefined): string | undefined {
  return count === undefined ? undefined : `${count}M`;
}
