import type { ApiRequest } from '../api-types.ts';

/** A row that belongs to the answer although nobody listed it. */
export interface Related {
  /** The key in `included`: `spaces`. */
  readonly as: string;
  readonly guid: string;
  readonly present: () => object;
}

/** `include=space` or `fields[space]=name` → what each listed row is related to. */
export type Includes<T> = Readonly<Record<string, (row: T) => Related | undefined>>;

/** Query parameters the includes of a list take. */
export function includeQuery<T>(includes: Includes<T> | undefined): readonly string[] {
  return includes ? ['include', 'fields'] : [];
}

/** What goes into `included`, each once; `undefined` when nobody asked. */
export function includedIn<T>(
  { query }: ApiRequest,
  rows: readonly T[],
  includes: Includes<T>,
): Record<string, readonly object[]> | undefined {
  const wishes = new Map<string, readonly string[] | undefined>();
  for (const name of query.get('include')?.split(',') ?? []) wishes.set(name, undefined);
  for (const [name, value] of query) {
    const path = /^fields\[([\w.]+)\]$/.exec(name)?.[1];
    if (path !== undefined) wishes.set(path, value.split(','));
  }
  if (wishes.size === 0) return undefined;
  const found = new Map<string, Map<string, object>>();
  for (const [name, fields] of wishes) {
    const relate = includes[name];
    if (!relate) continue;
    for (const row of rows) {
      const related = relate(row);
      if (!related) continue;
      const of = found.get(related.as) ?? new Map<string, object>();
      found.set(related.as, of.set(related.guid, narrowed(related.present(), fields)));
    }
  }
  return Object.fromEntries([...found].map(([as, objects]) => [as, [...objects.values()]]));
}

/** `fields[space]=guid,name,relationships.organization`: only those. */
function narrowed(object: object, fields: readonly string[] | undefined): object {
  if (!fields) return object;
  const narrow: Record<string, unknown> = {};
  for (const field of fields) {
    const [first = '', second] = field.split('.');
    const value: unknown = Reflect.get(object, first);
    if (value === undefined) continue;
    if (second === undefined) narrow[first] = value;
    else if (typeof value === 'object' && value !== null) {
      const before = narrow[first];
      const inner = { [second]: Reflect.get(value, second) };
      narrow[first] = { ...(typeof before === 'object' ? before : {}), ...inner };
    }
  }
  return narrow;
}

/** `row`, presented under `as`; nothing when there is none. */
export function related<T extends { readonly guid: string }>(
  as: string,
  row: T | undefined,
  present: (row: T) => object,
): Related | undefined {
  return row && { as, guid: row.guid, present: () => present(row) };
}
