import type { Cloud } from '../cloud.ts';
import type { DropletRow } from '../state.ts';
import { timestamp } from '../time.ts';

/** Lists hide what may hold secrets. */
const HIDDEN = '[PRIVATE DATA HIDDEN IN LISTS]';

export function presentDroplet(cloud: Cloud, row: DropletRow, as: 'single' | 'list'): object {
  const { api } = cloud.urls;
  const self = `${api}/v3/droplets/${row.guid}`;
  const app = `${api}/v3/apps/${row.appGuid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    state: row.state,
    error: row.error,
    lifecycle: { type: row.image === null ? 'buildpack' : 'docker', data: {} },
    checksum: row.checksum === null ? null : { type: 'sha256', value: row.checksum },
    buildpacks: presentBuildpacks(row),
    stack: row.stack,
    image: row.image,
    execution_metadata: as === 'list' ? HIDDEN : '',
    process_types: as === 'list' ? { redacted_message: HIDDEN } : row.processTypes,
    relationships: { app: { data: { guid: row.appGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      app: { href: app },
      assign_current_droplet: { href: `${app}/relationships/current_droplet`, method: 'PATCH' },
      ...(row.packageGuid === null ? {} : { package: { href: `${api}/v3/packages/${row.packageGuid}` } }),
      ...(row.state === 'STAGED' && row.image === null ? { download: { href: `${self}/download` } } : {}),
      ...(row.state === 'AWAITING_UPLOAD' ? { upload: { href: `${self}/upload`, method: 'POST' } } : {}),
    },
  };
}

/** Bits that were uploaded have no buildpacks, and of a copy nothing is known yet. */
function presentBuildpacks({ state, buildpack, image }: DropletRow): readonly object[] | null {
  if (state === 'COPYING' || image !== null) return null;
  if (buildpack === null) return [];
  return [{ name: buildpack, detect_output: buildpack, version: '1.0.0', buildpack_name: buildpack }];
}
