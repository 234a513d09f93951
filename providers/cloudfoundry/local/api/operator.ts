import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import {
  type BuildpackRow,
  DEFAULT_STACK,
  type IsolationSegmentRow,
  type SecurityGroupRow,
  type StackRow,
} from '../operator-state.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import type { Row } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, readRoutes } from './collection.ts';
import { findByPath } from './find.ts';

/** What the foundation's operator set up: to read. */
export function operatorRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;

  function named<T extends Row & { readonly name: string }>(
    path: string,
    resource: string,
    rows: ReadonlyMap<string, T>,
    present: (row: T) => object,
    more: ListOptions<T>['filters'] = {},
  ): Collection<T> {
    return {
      path,
      resource,
      rows,
      list: {
        filters: {
          names: (row, values) => values.includes(row.name),
          guids: (row, values) => values.includes(row.guid),
          ...more,
        },
        orders: { name: (row) => row.name },
        present: (row) => ({
          guid: row.guid,
          created_at: timestamp(row.createdAt),
          updated_at: timestamp(row.updatedAt),
          name: row.name,
          ...present(row),
        }),
      },
    };
  }

  const self = (path: string, { guid }: Row): { href: string } => ({ href: `${urls.api}${path}/${guid}` });
  const stacks = named<StackRow>(
    '/v3/stacks',
    'Stack',
    state.stacks,
    (row) => ({
      description: row.description,
      state: 'ACTIVE',
      state_reason: null,
      build_rootfs_image: row.name,
      run_rootfs_image: row.name,
      default: row.name === DEFAULT_STACK,
      metadata: row.metadata,
      links: { self: self('/v3/stacks', row) },
    }),
    { default: (row, values) => values.includes(String(row.name === DEFAULT_STACK)) },
  );
  const buildpacks = named<BuildpackRow>(
    '/v3/buildpacks',
    'Buildpack',
    state.buildpacks,
    (row) => ({
      state: 'READY',
      filename: `${row.name}-cached.zip`,
      stack: DEFAULT_STACK,
      position: row.position,
      lifecycle: 'buildpack',
      enabled: true,
      locked: false,
      metadata: row.metadata,
      links: {
        self: self('/v3/buildpacks', row),
        upload: { href: `${self('/v3/buildpacks', row).href}/upload`, method: 'POST' },
      },
    }),
    {
      stacks: (_row, values) => values.includes(DEFAULT_STACK),
      lifecycle: (_row, values) => values.includes('buildpack'),
    },
  );
  const segments = named<IsolationSegmentRow>(
    '/v3/isolation_segments',
    'Isolation segment',
    state.isolationSegments,
    (row) => ({
      metadata: row.metadata,
      links: {
        self: self('/v3/isolation_segments', row),
        organizations: { href: `${self('/v3/isolation_segments', row).href}/organizations` },
      },
    }),
    { organization_guids: () => true },
  );
  const groups = named<SecurityGroupRow>(
    '/v3/security_groups',
    'Security group',
    state.securityGroups,
    (row) => ({
      globally_enabled: { running: true, staging: true },
      rules: row.rules,
      relationships: { staging_spaces: { data: [] }, running_spaces: { data: [] } },
      links: { self: self('/v3/security_groups', row) },
    }),
    {
      running_space_guids: () => false,
      staging_space_guids: () => false,
      globally_enabled_running: (_row, values) => values.includes('true'),
      globally_enabled_staging: (_row, values) => values.includes('true'),
    },
  );

  /** All of them hold for every space. */
  function ofSpace(phase: 'running' | 'staging'): ApiRoute {
    return {
      method: 'GET',
      pattern: `/v3/spaces/:guid/${phase}_security_groups`,
      query: listQuery(groups.list),
      handler(request) {
        findByPath(state.spaces, request, 'Space');
        return ok(listPage(request, urls.api, groups.rows.values(), groups.list));
      },
    };
  }

  /** Everything runs on the shared cells, which is what `null` says. */
  function noSegment(path: string, owners: ReadonlyMap<string, unknown>, resource: string): ApiRoute {
    return {
      method: 'GET',
      pattern: path,
      handler(request) {
        findByPath(owners, request, resource);
        return ok({ data: null, links: { self: { href: `${urls.api}${request.path}` } } });
      },
    };
  }

  return [
    ...readRoutes(cloud, stacks),
    ...readRoutes(cloud, buildpacks),
    ...readRoutes(cloud, segments),
    ...readRoutes(cloud, groups),
    ofSpace('running'),
    ofSpace('staging'),
    noSegment('/v3/spaces/:guid/relationships/isolation_segment', state.spaces, 'Space'),
    noSegment(
      '/v3/organizations/:guid/relationships/default_isolation_segment',
      state.organizations,
      'Organization',
    ),
  ];
}
