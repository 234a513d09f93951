import { isObject, type Json, type JsonObject } from './json.ts';
import { isAtomic, listKeys } from './list-keys.ts';
import type { KubeObject, ManagedFields } from './types.ts';

/**
 * Fields as flat paths: `f:spec␀f:replicas`, items of keyed lists as `k:{"name":"app"}`, their existence as `.`. The
 * value is what the object holds there.
 */
type FieldPaths = Map<string, Json>;

const SEPARATOR = '\u0000';
/** Identity and bookkeeping belong to nobody. */
const UNOWNED_METADATA = new Set([
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
]);

export function fieldPaths(object: JsonObject, withStatus = false): FieldPaths {
  const paths: FieldPaths = new Map();
  for (const [key, value] of Object.entries(object)) {
    if (key === 'kind' || key === 'apiVersion' || value === undefined) continue;
    if (key === 'status' && !withStatus) continue;
    if (key === 'metadata' && isObject(value)) {
      for (const [field, inner] of Object.entries(value)) {
        if (!UNOWNED_METADATA.has(field) && inner !== undefined) {
          collect(inner, ['f:metadata', `f:${field}`], ['metadata', field], paths);
        }
      }
    } else collect(value, [`f:${key}`], [key], paths);
  }
  return paths;
}

function collect(value: Json, segments: readonly string[], path: readonly string[], into: FieldPaths): void {
  // What the server's own types print as null nobody ever set.
  if (value === null) return;
  const keys = Array.isArray(value) ? listKeys(path) : undefined;
  if (Array.isArray(value) && keys) {
    for (const item of value) {
      if (!isObject(item)) continue;
      const here = [...segments, itemSegment(item, keys)];
      into.set([...here, '.'].join(SEPARATOR), true);
      for (const [key, inner] of Object.entries(item)) {
        if (inner !== undefined) collect(inner, [...here, `f:${key}`], [...path, '*', key], into);
      }
    }
    return;
  }
  if (isObject(value) && !isAtomic(path) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) {
      if (inner !== undefined) collect(inner, [...segments, `f:${key}`], [...path, key], into);
    }
    return;
  }
  into.set(segments.join(SEPARATOR), value);
}

function itemSegment(item: JsonObject, keys: readonly string[]): string {
  const id: JsonObject = {};
  // The protocol of a port is part of its key and TCP unless said otherwise.
  for (const key of keys) id[key] = item[key] ?? (key === 'protocol' ? 'TCP' : null);
  return `k:${JSON.stringify(id)}`;
}

/** The wire form: paths folded into nested objects. */
export function toFieldsV1(paths: Iterable<string>): JsonObject {
  const root: JsonObject = {};
  for (const path of [...paths].sort()) {
    let node = root;
    for (const segment of path.split(SEPARATOR)) {
      const next = node[segment];
      const child: JsonObject = isObject(next) ? next : {};
      node[segment] = child;
      node = child;
    }
  }
  return root;
}

export function fromFieldsV1(fields: JsonObject): Set<string> {
  const paths = new Set<string>();
  function walk(node: JsonObject, prefix: readonly string[]): void {
    const entries = Object.entries(node);
    if (entries.length === 0 && prefix.length > 0) paths.add(prefix.join(SEPARATOR));
    for (const [segment, child] of entries) if (isObject(child)) walk(child, [...prefix, segment]);
  }
  walk(fields, []);
  return paths;
}

/** `.spec.template.spec.containers[name="app"].image`, as conflicts print it. */
export function printPath(path: string): string {
  let text = '';
  for (const segment of path.split(SEPARATOR)) {
    if (segment.startsWith('f:')) text += `.${segment.slice(2)}`;
    else if (segment.startsWith('k:')) {
      const id: unknown = JSON.parse(segment.slice(2));
      const pairs = isObject(id) ? Object.entries(id) : [];
      text += `[${pairs.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    }
  }
  return text;
}

/** Takes the fields at these paths out of a draft, list items last so that nothing is looked up in a removed one. */
export function removePaths(draft: KubeObject, paths: readonly string[]): void {
  const byDepth = paths.map((path) => path.split(SEPARATOR)).sort((a, b) => b.length - a.length);
  for (const segments of byDepth) removePath(draft, segments);
}

function removePath(root: Json, segments: readonly string[]): void {
  const target = segments.at(-1) === '.' ? segments.slice(0, -1) : segments;
  const parents: (Json | undefined)[] = [root];
  for (const segment of target.slice(0, -1)) parents.push(child(parents.at(-1), segment));
  for (let depth = target.length - 1; depth >= 0; depth--) {
    const parent = parents[depth];
    take(parent, target[depth] ?? '');
    // What this left empty goes too, but not the object's own parts.
    const isEmpty = Array.isArray(parent)
      ? parent.length === 0
      : isObject(parent) && Object.keys(parent).length === 0;
    if (!isEmpty || depth <= 1) return;
  }
}

function take(parent: Json | undefined, segment: string): void {
  if (Array.isArray(parent)) {
    const index = parent.findIndex((item) => child([item], segment) !== undefined);
    if (index >= 0) parent.splice(index, 1);
  } else if (isObject(parent) && segment.startsWith('f:')) delete parent[segment.slice(2)];
}

function child(value: Json | undefined, segment: string): Json | undefined {
  if (isObject(value) && segment.startsWith('f:')) return value[segment.slice(2)];
  if (!Array.isArray(value) || !segment.startsWith('k:')) return undefined;
  return value.find((item) => {
    if (!isObject(item)) return false;
    const id: unknown = JSON.parse(segment.slice(2));
    if (!isObject(id)) return false;
    return Object.entries(id).every(
      ([key, wanted]) => (item[key] ?? (key === 'protocol' ? 'TCP' : null)) === wanted,
    );
  });
}

export function sameManager(
  entry: ManagedFields,
  manager: string,
  operation: 'Apply' | 'Update',
  subresource?: string,
): boolean {
  return entry.manager === manager && entry.operation === operation && entry.subresource === subresource;
}
