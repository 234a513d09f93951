import type { AppRow, CloudState } from '../state.ts';
import { processesOf } from '../state.ts';
import { type ManifestApplication, manifestProcesses } from './manifest-body.ts';

/** One step of a JSON patch from what is to what the manifest wants. */
interface DiffEntry {
  readonly op: 'add' | 'replace';
  readonly path: string;
  readonly was?: unknown;
  readonly value: unknown;
}

/** What the web process and the environment would become; a new app is one addition. */
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
    if (app) entries.push(...appDiff(state, app, wanted, at));
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

function inMb(count: number | undefined): string | undefined {
  return count === undefined ? undefined : `${count}M`;
}
