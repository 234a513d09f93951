import { badRequest, StatusError } from './errors.ts';
import { clone, equal, isObject, type Json, type JsonObject } from './json.ts';
import { listKeys } from './list-keys.ts';

/** RFC 7386. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/**
 * Merge patch that knows which lists are maps by key (containers by name …) and the `$patch` directives kubectl
 * sends. Lists without a key are replaced.
 */
export function strategicMergePatch(
  target: Json | undefined,
  patch: Json,
  path: readonly string[] = [],
): Json {
  if (Array.isArray(patch)) return mergeList(Array.isArray(target) ? target : [], patch, path);
  if (!isObject(patch)) return patch;
  if (patch['$patch'] === 'replace') return without(patch, '$patch');
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$setElementOrder/') || key === '$retainKeys' || key === '$patch') continue;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const field = key.slice('$deleteFromPrimitiveList/'.length);
      const list = merged[field];
      if (Array.isArray(list) && Array.isArray(value)) {
        merged[field] = list.filter((item) => !value.includes(item));
      }
      continue;
    }
    if (value === null || value === undefined) delete merged[key];
    else merged[key] = strategicMergePatch(merged[key], value, [...path, key]);
  }
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) {
    for (const key of Object.keys(merged)) if (!retained.includes(key)) delete merged[key];
  }
  return merged;
}

function mergeList(target: readonly Json[], patch: readonly Json[], path: readonly string[]): Json[] {
  // The backends of a route are keyed for those who own fields, but a patch replaces them as a whole.
  const keys = path.at(-1) === 'alternateBackends' ? undefined : listKeys(path);
  if (!keys) return [...patch];
  const first = keys[0] ?? 'name';
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => !(isObject(item) && item['$patch'] === 'replace'));
  }
  const merged = [...target];
  for (const item of patch) {
    if (!isObject(item)) continue;
    const index = merged.findIndex((other) => isObject(other) && equal(other[first], item[first]));
    if (item['$patch'] === 'delete') {
      if (index >= 0) merged.splice(index, 1);
    } else if (index >= 0) merged[index] = strategicMergePatch(merged[index], item, [...path, '*']);
    else merged.push(strategicMergePatch({}, item, [...path, '*']));
  }
  return merged;
}

function without(object: JsonObject, key: string): JsonObject {
  const copy = { ...object };
  delete copy[key];
  return copy;
}

/** RFC 6902; a failed test or a missing path is the 422 the real server answers. */
export function jsonPatch(target: JsonObject, operations: Json): JsonObject {
  if (!Array.isArray(operations)) throw badRequest('json patch must be a list of operations');
  // A holder, so that the root itself can be replaced like any other member.
  const holder: JsonObject = { root: clone(target) };
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest('each json patch operation must be an object');
    applyOperation(holder, operation);
  }
  const root = holder['root'];
  if (!isObject(root)) throw badRequest('the patch left no object');
  return root;
}

function applyOperation(holder: JsonObject, operation: JsonObject): void {
  const path = pointer(operation['path']);
  const { op } = operation;
  if (op === 'add' || op === 'replace') put(holder, path, operation['value'] ?? null, op);
  else if (op === 'remove') take(holder, path);
  else if (op === 'test') {
    if (!equal(look(holder, path), operation['value'] ?? null)) {
      throw unprocessable(`testing path ${String(operation['path'])} failed`);
    }
  } else if (op === 'move' || op === 'copy') {
    const from = pointer(operation['from']);
    const value = clone(look(holder, from) ?? null);
    if (op === 'move') take(holder, from);
    put(holder, path, value, 'add');
  } else throw badRequest(`unexpected json patch operation ${JSON.stringify(op)}`);
}

function pointer(value: Json | undefined): string[] {
  if (typeof value !== 'string') throw badRequest('a json patch operation needs a path');
  return ['root', ...value.split('/').slice(1)].map((part) =>
    part.replaceAll('~1', '/').replaceAll('~0', '~'),
  );
}

function look(from: Json, path: readonly string[]): Json | undefined {
  let current: Json | undefined = from;
  for (const key of path) {
    if (Array.isArray(current)) current = current[Number(key)];
    else if (isObject(current)) current = current[key];
    else return undefined;
  }
  return current;
}

function parentOf(holder: JsonObject, path: readonly string[]): Json[] | JsonObject {
  const parent = look(holder, path.slice(0, -1));
  if (Array.isArray(parent) || isObject(parent)) return parent;
  throw unprocessable(`the path /${path.slice(1).join('/')} does not exist`);
}

function put(holder: JsonObject, path: readonly string[], value: Json, op: 'add' | 'replace'): void {
  const parent = parentOf(holder, path);
  const key = path.at(-1) ?? '';
  if (!Array.isArray(parent)) {
    if (op === 'replace' && parent[key] === undefined) {
      throw unprocessable(
        `replace operation does not apply: doc is missing key: /${path.slice(1).join('/')}`,
      );
    }
    parent[key] = value;
  } else if (op === 'replace') parent[Number(key)] = value;
  else parent.splice(key === '-' ? parent.length : Number(key), 0, value);
}

function take(holder: JsonObject, path: readonly string[]): void {
  const parent = parentOf(holder, path);
  const key = path.at(-1) ?? '';
  if (look(holder, path) === undefined) {
    throw unprocessable(`remove operation does not apply: doc is missing path: /${path.slice(1).join('/')}`);
  }
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function unprocessable(message: string): StatusError {
  return new StatusError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${message}`,
    {},
  );
}
