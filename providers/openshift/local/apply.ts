import { StatusError } from './errors.ts';
import { clone, equal, isObject, type Json, type JsonObject } from './json.ts';
import { isAtomic, listKeys } from './list-keys.ts';
import {
  fieldPaths,
  fromFieldsV1,
  printPath,
  removePaths,
  sameManager,
  toFieldsV1,
} from './managed-fields.ts';
import type { KubeObject, ManagedFields } from './types.ts';

interface ApplyOptions {
  readonly manager: string;
  readonly force: boolean;
  /** RFC 3339, stamped on the manager's entry. */
  readonly time: string;
}

/**
 * Server-side apply: the fields of `config` become `manager`'s, values others own are refused (409, one cause a
 * field) unless forced, and what the manager applied before and now leaves out goes, unless somebody else owns it.
 */
export function applyConfiguration(live: KubeObject, config: KubeObject, options: ApplyOptions): KubeObject {
  const wanted = fieldPaths(config);
  const present = fieldPaths(live);
  const entries = live.metadata.managedFields ?? [];
  const own = entries.find((entry) => sameManager(entry, options.manager, 'Apply'));
  const others = entries.filter((entry) => entry !== own);

  const conflicts: { entry: ManagedFields; path: string }[] = [];
  for (const entry of others) {
    const owned = fromFieldsV1(entry.fieldsV1);
    for (const [path, value] of wanted) {
      if (owned.has(path) && !equal(present.get(path), value)) conflicts.push({ entry, path });
    }
  }
  if (conflicts.length > 0 && !options.force) throw conflictError(conflicts);

  const merged = mergeApplied(live, config, []);
  if (!isKubeObject(merged)) throw new Error('merging two objects gave something else');
  const result = clone(merged);
  const kept = others.map((entry) =>
    withoutPaths(
      entry,
      conflicts.filter((c) => c.entry === entry).map((c) => c.path),
    ),
  );
  const heldByOthers = new Set(kept.flatMap((entry) => [...fromFieldsV1(entry.fieldsV1)]));
  const before = own ? fromFieldsV1(own.fieldsV1) : new Set<string>();
  removePaths(
    result,
    [...before].filter((path) => !wanted.has(path) && !isHeld(path, heldByOthers)),
  );

  const fieldsV1 = toFieldsV1(wanted.keys());
  // Applying the same again is no change: even the time stays.
  const time = own && equal(own.fieldsV1, fieldsV1) && conflicts.length === 0 ? own.time : options.time;
  const entry: ManagedFields = {
    manager: options.manager,
    operation: 'Apply',
    apiVersion: config.apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
  };
  result.metadata.managedFields = [entry, ...kept.filter((other) => Object.keys(other.fieldsV1).length > 0)];
  return result;
}

/** What a create, PUT or patch changed becomes its manager's and leaves everybody else's. */
export function recordUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  options: {
    readonly manager: string;
    readonly time: string;
    readonly subresource?: string;
    /** For kinds whose status is written like everything else. */
    readonly withStatus?: boolean;
  },
): void {
  const was = before ? fieldPaths(before, options.withStatus) : new Map<string, Json>();
  const is = fieldPaths(after, options.withStatus);
  const changed = [...is].filter(([path, value]) => !equal(was.get(path), value)).map(([path]) => path);
  const gone = [...was.keys()].filter((path) => !is.has(path));
  const entries = before?.metadata.managedFields ?? [];
  if (changed.length === 0 && gone.length === 0) {
    if (entries.length > 0) after.metadata.managedFields = entries;
    else delete after.metadata.managedFields;
    return;
  }
  const isOwn = (entry: ManagedFields): boolean =>
    sameManager(entry, options.manager, 'Update', options.subresource);
  const own = entries.find(isOwn);
  const owned = new Set(own ? fromFieldsV1(own.fieldsV1) : []);
  for (const path of gone) owned.delete(path);
  for (const path of changed) owned.add(path);
  const kept = entries
    .filter((entry) => !isOwn(entry))
    .map((entry) => withoutPaths(entry, [...changed, ...gone]))
    .filter((entry) => Object.keys(entry.fieldsV1).length > 0);
  const entry: ManagedFields = {
    manager: options.manager,
    operation: 'Update',
    apiVersion: after.apiVersion,
    time: options.time,
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(owned),
    ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
  };
  after.metadata.managedFields = owned.size > 0 ? [...kept, entry] : kept;
}

/** A list item is held as long as anybody owns anything within it. */
function isHeld(path: string, held: ReadonlySet<string>): boolean {
  if (held.has(path)) return true;
  if (!path.endsWith('\u0000.')) return false;
  const within = path.slice(0, -1);
  return [...held].some((other) => other.startsWith(within));
}

function withoutPaths(entry: ManagedFields, paths: readonly string[]): ManagedFields {
  if (paths.length === 0) return entry;
  const owned = fromFieldsV1(entry.fieldsV1);
  for (const path of paths) owned.delete(path);
  return { ...entry, fieldsV1: toFieldsV1(owned) };
}

function mergeApplied(live: Json | undefined, config: Json, path: readonly string[]): Json {
  if (Array.isArray(config)) {
    const keys = listKeys(path);
    if (!keys || !Array.isArray(live)) return config;
    const merged = [...live];
    for (const item of config) {
      const index = merged.findIndex((other) => sameItem(other, item, keys));
      if (index >= 0) merged[index] = mergeApplied(merged[index], item, [...path, '*']);
      else merged.push(item);
    }
    return merged;
  }
  if (!isObject(config) || !isObject(live) || isAtomic(path)) return config;
  const merged: JsonObject = { ...live };
  for (const [key, value] of Object.entries(config)) {
    if (value === undefined || (path.length === 0 && key === 'status')) continue;
    merged[key] = mergeApplied(merged[key], value, [...path, key]);
  }
  return merged;
}

function sameItem(a: Json, b: Json, keys: readonly string[]): boolean {
  if (!isObject(a) || !isObject(b)) return false;
  return keys.every((key) =>
    equal(a[key] ?? (key === 'protocol' ? 'TCP' : null), b[key] ?? (key === 'protocol' ? 'TCP' : null)),
  );
}

function isKubeObject(value: Json): value is KubeObject {
  return isObject(value) && isObject(value['metadata']);
}

function conflictError(conflicts: readonly { entry: ManagedFields; path: string }[]): StatusError {
  const causes = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(entry)}`,
    field: printPath(path),
  }));
  const groups = new Map<string, string[]>();
  for (const { entry, path } of conflicts) {
    const fields = groups.get(describe(entry)) ?? [];
    fields.push(printPath(path));
    groups.set(describe(entry), fields);
  }
  const lines = [...groups].map(([who, fields]) =>
    fields.length === 1
      ? `conflict with ${who}: ${fields[0]}`
      : `conflicts with ${who}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
  );
  const count = `${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  return new StatusError(409, 'Conflict', `Apply failed with ${count}: ${lines.join('\n')}`, { causes });
}

function describe(entry: ManagedFields): string {
  const subresource = entry.subresource === undefined ? '' : ` with subresource "${entry.subresource}"`;
  return `"${entry.manager}"${subresource} using ${entry.apiVersion}`;
}
