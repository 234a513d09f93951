import { type Includes, includedIn, includeQuery } from './api/include.ts';
import type { ApiRequest } from './api-types.ts';
import { badQuery } from './errors.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { Metadata, Row } from './state-rows.ts';
import { timestamp } from './time.ts';

/** Parameters every list takes. `created_ats[gt]` and its like are recognised by their stem. */
export const LIST_QUERY = ['page', 'per_page', 'order_by', 'created_ats', 'updated_ats'] as const;

const DEFAULT_PER_PAGE = 50;
const MAX_PER_PAGE = 5_000;

export interface ListOptions<T extends Row> {
  /** Query parameter → does the row have one of the values. */
  readonly filters: Readonly<Record<string, (row: T, values: readonly string[]) => boolean>>;
  readonly present: (row: T) => unknown;
  /** Beside created_at and updated_at. */
  readonly orders?: Readonly<Record<string, (row: T) => string>>;
  readonly metadata?: (row: T) => Metadata;
  readonly includes?: Includes<T>;
}

/** Query parameters a list with these options takes. */
export function listQuery<T extends Row>(options: ListOptions<T>): readonly string[] {
  return [
    ...LIST_QUERY,
    ...Object.keys(options.filters),
    ...(options.metadata ? ['label_selector'] : []),
    ...includeQuery(options.includes),
  ];
}

/** The page asked for, in Cloud Controller's envelope. Rows come in creation order. */
export function listPage<T extends Row>(
  request: ApiRequest,
  apiUrl: string,
  rows: Iterable<T>,
  options: ListOptions<T>,
): { pagination: object; resources: unknown[]; included?: object } {
  const { query } = request;
  const page = positive(query.get('page'), 'Page', 1, Number.MAX_SAFE_INTEGER);
  const perPage = positive(query.get('per_page'), 'Per page', DEFAULT_PER_PAGE, MAX_PER_PAGE);
  const matching = ordered(filtered([...rows], query, options), query.get('order_by'), options);
  const pages = Math.max(1, Math.ceil(matching.length / perPage));

  function link(to: number): { href: string } {
    const parameters = new URLSearchParams(query);
    parameters.delete('page');
    parameters.delete('per_page');
    parameters.append('page', String(to));
    parameters.append('per_page', String(perPage));
    return { href: `${apiUrl}${request.path}?${parameters.toString()}` };
  }

  const shown = matching.slice((page - 1) * perPage, page * perPage);
  const included = options.includes && includedIn(request, shown, options.includes);
  return {
    pagination: {
      total_results: matching.length,
      total_pages: pages,
      first: link(1),
      last: link(pages),
      next: page < pages ? link(page + 1) : null,
      previous: page > 1 ? link(page - 1) : null,
    },
    resources: shown.map(options.present),
    ...(included ? { included } : {}),
  };
}

function positive(text: string | null, name: string, otherwise: number, most: number): number {
  if (text === null) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw badQuery(`${name} must be a positive integer`);
  if (value > most) throw badQuery(`${name} must be between 1 and ${most}`);
  return value;
}

function filtered<T extends Row>(rows: T[], query: URLSearchParams, options: ListOptions<T>): T[] {
  let left = rows;
  for (const [name, matches] of Object.entries(options.filters)) {
    const value = query.get(name);
    if (value === null) continue;
    // A comma inside a value is sent as %2C on top of the usual encoding.
    const values = value.split(',').map((part) => part.replace(/%2C/gi, ','));
    left = left.filter((row) => matches(row, values));
  }
  const selector = query.get('label_selector');
  const { metadata } = options;
  if (selector !== null && metadata) {
    const fits = parseLabelSelector(selector);
    if (!fits) throw badQuery('Missing label_selector value or it is invalid');
    left = left.filter((row) => fits(metadata(row).labels));
  }
  return byTimes(
    byTimes(left, query, 'created_ats', (row) => row.createdAt),
    query,
    'updated_ats',
    (row) => row.updatedAt,
  );
}

const RELATIONS: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

function byTimes<T extends Row>(
  rows: T[],
  query: URLSearchParams,
  name: string,
  at: (row: T) => number,
): T[] {
  let left = rows;
  const exact = query.get(name)?.split(',');
  // ISO times to the second compare as text.
  if (exact) left = left.filter((row) => exact.includes(timestamp(at(row))));
  for (const [relation, holds] of Object.entries(RELATIONS)) {
    const bound = query.get(`${name}[${relation}]`);
    if (bound !== null) left = left.filter((row) => holds(timestamp(at(row)), bound));
  }
  return left;
}

function ordered<T extends Row>(rows: T[], orderBy: string | null, options: ListOptions<T>): T[] {
  if (orderBy === null) return rows;
  const down = orderBy.startsWith('-');
  const field = orderBy.replace(/^[+-]/, '');
  const own = options.orders?.[field];
  const known = ['created_at', 'updated_at', ...Object.keys(options.orders ?? {})];
  if (!known.includes(field)) {
    throw badQuery(`Order by can only be: ${known.map((name) => `'${name}'`).join(', ')}`);
  }
  // Rows come oldest first, so equal times keep their order, both ways.
  const sorted = rows.map((row, index) => ({ row, index }));
  sorted.sort((a, b) => compare(a.row, b.row) || a.index - b.index);
  if (down) sorted.reverse();
  return sorted.map((entry) => entry.row);

  function compare(a: T, b: T): number {
    if (own) return own(a) < own(b) ? -1 : own(a) > own(b) ? 1 : 0;
    return field === 'updated_at' ? a.updatedAt - b.updatedAt : a.createdAt - b.createdAt;
  }
}
