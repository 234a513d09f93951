import { type ZodType, z } from 'zod';
import { decode, mergeMetadata, metadataBody } from '../api-body.ts';
import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import type { Metadata, Row } from '../state-rows.ts';
import { findByPath } from './find.ts';
import { includedIn, includeQuery } from './include.ts';

type Labelled = Row & { readonly metadata: Metadata };
type SentMetadata = z.infer<typeof metadataBody>;

/** One kind of thing the API keeps, in the ways that all of them are read and relabelled. */
export interface Collection<T extends Row> {
  /** `/v3/builds`. */
  readonly path: string;
  /** As refusals call it: `Build not found`. */
  readonly resource: string;
  readonly rows: ReadonlyMap<string, T>;
  readonly list: ListOptions<T>;
  /** One alone, where lists hide a part of it. */
  readonly presentOne?: (row: T) => unknown;
}

/** `GET /v3/builds` and `GET /v3/builds/:guid`. */
export function readRoutes<T extends Row>(cloud: Cloud, collection: Collection<T>): readonly ApiRoute[] {
  const { path, rows, list } = collection;
  return [
    {
      method: 'GET',
      pattern: path,
      query: listQuery(list),
      handler: (request) => ok(listPage(request, cloud.urls.api, rows.values(), list)),
    },
    readOneRoute(collection),
  ];
}

/** `GET /v3/builds/:guid`. */
export function readOneRoute<T extends Row>(collection: Collection<T>): ApiRoute {
  const { path, resource, rows, list, presentOne = list.present } = collection;
  return {
    method: 'GET',
    pattern: `${path}/:guid`,
    query: includeQuery(list.includes),
    handler(request) {
      const row = findByPath(rows, request, resource);
      const included = list.includes && includedIn(request, [row], list.includes);
      const one = presentOne(row);
      return ok(included ? { ...Object(one), included } : one);
    },
  };
}

/** `GET /v3/apps/:guid/builds`: those of one application. */
export function readOfAppRoute<T extends Row & { readonly appGuid: string }>(
  cloud: Cloud,
  { path, rows, list }: Collection<T>,
): ApiRoute {
  return {
    method: 'GET',
    pattern: path.replace('/v3/', '/v3/apps/:guid/'),
    query: listQuery(list),
    handler(request) {
      const app = findByPath(cloud.state.apps, request, 'App');
      const own = [...rows.values()].filter((row) => row.appGuid === app.guid);
      return ok(listPage(request, cloud.urls.api, own, list));
    },
  };
}

/** `PATCH` of one: its labels as sent, and what else `change` makes of the body. */
export function updateRoute<
  T extends Labelled,
  Body extends { readonly metadata?: SentMetadata | undefined },
>(
  cloud: Cloud,
  { path, resource, rows, list, presentOne = list.present }: Collection<T>,
  schema: ZodType<Body>,
  change: (row: T, sent: Body) => void,
): ApiRoute {
  return {
    method: 'PATCH',
    pattern: `${path}/:guid`,
    handler(request) {
      const row = findByPath(rows, request, resource);
      const body = decode(schema, request.body);
      mergeMetadata(row.metadata, body.metadata);
      change(row, body);
      row.updatedAt = cloud.clock.now();
      return ok(presentOne(row));
    },
  };
}

const labelsBody = z.strictObject({ metadata: metadataBody.optional() });

/** For what can be given other labels and nothing else. */
export function relabelRoute<T extends Labelled>(cloud: Cloud, collection: Collection<T>): ApiRoute {
  return updateRoute(cloud, collection, labelsBody, () => undefined);
}

const nameBody = labelsBody.extend({ name: z.string().min(1).optional() });

/** For what can be given another name besides. */
export function renameRoute<T extends Labelled & { name: string }>(
  cloud: Cloud,
  collection: Collection<T>,
): ApiRoute {
  return updateRoute(cloud, collection, nameBody, (row, { name }) => {
    row.name = name ?? row.name;
  });
}

/** Keeps a new row, unless the labels sent for it are refused. */
export function keepRow<T extends Labelled>(
  rows: Map<string, T>,
  row: T,
  sent: SentMetadata | undefined,
): void {
  mergeMetadata(row.metadata, sent);
  rows.set(row.guid, row);
}
