import type { ApiRequest } from '../api-types.ts';
import { notFound } from '../errors.ts';

/** The row, or the 404 that also stands for "no right to read it". */
export function find<T>(rows: ReadonlyMap<string, T>, guid: string | undefined, resource: string): T {
  const row = rows.get(guid ?? '');
  if (row === undefined) throw notFound(resource);
  return row;
}

/** `find(state.apps, …)` by the `:guid` of the path. */
export function findByPath<T>(rows: ReadonlyMap<string, T>, request: ApiRequest, resource: string): T {
  return find(rows, request.params['guid'], resource);
}
