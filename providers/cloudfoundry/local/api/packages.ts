import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { decode, metadataBody, toOne } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, accepted, created } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError, notFound, unprocessable } from '../errors.ts';
import type { ListOptions } from '../pagination.ts';
import type { AppRow, DockerImage, PackageRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { type Collection, keepRow, readOfAppRoute, readRoutes, relabelRoute } from './collection.ts';
import { findByPath } from './find.ts';
import { readUpload } from './upload.ts';

const copyBody = z.strictObject({
  relationships: z.strictObject({ app: toOne }),
  metadata: metadataBody.optional(),
});
const createBody = z.strictObject({
  type: z.enum(['bits', 'docker']),
  relationships: z.strictObject({ app: toOne }),
  data: z
    .strictObject({ image: z.string(), username: z.string().nullish(), password: z.string().nullish() })
    .optional(),
  metadata: metadataBody.optional(),
});

export function packageRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock } = cloud;
  const rows = state.packages;
  const list: ListOptions<PackageRow> = {
    filters: {
      guids: (row, values) => values.includes(row.guid),
      states: (row, values) => values.includes(row.state),
      types: (row, values) => values.includes(row.docker === null ? 'bits' : 'docker'),
      app_guids: (row, values) => values.includes(row.appGuid),
      space_guids: (row, values) => values.includes(state.apps.get(row.appGuid)?.spaceGuid ?? ''),
    },
    metadata: (row) => row.metadata,
    present: (row) => presentPackage(cloud, row),
  };
  const collection: Collection<PackageRow> = { path: '/v3/packages', resource: 'Package', rows, list };

  return [
    ...readRoutes(cloud, collection),
    readOfAppRoute(cloud, collection),
    relabelRoute(cloud, collection),
    {
      method: 'POST',
      pattern: '/v3/packages',
      query: ['source_guid'],
      handler(request) {
        const source = request.query.get('source_guid');
        const row = source === null ? create(request.body) : copy(request.body, source);
        return created(presentPackage(cloud, row));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/packages/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Package');
        return accepted(
          cloud.jobs.start('package.delete', async () => {
            rows.delete(row.guid);
            await rm(row.file, { force: true });
          }),
        );
      },
    },
    {
      method: 'GET',
      pattern: '/v3/packages/:guid/download',
      handler(request) {
        const row = withBits(findByPath(rows, request, 'Package'));
        if (row.state !== 'READY') throw unprocessable('Package has no bits to download.');
        return { status: 302, headers: { location: cloud.blobs.link('packages', row.guid) } };
      },
    },
    {
      method: 'GET',
      pattern: '/blobs/packages/:guid',
      query: ['expires', 'signature'],
      open: true,
      async handler(request) {
        cloud.blobs.check(request);
        const bytes = await readFile(findByPath(rows, request, 'Package').file);
        return { status: 200, bytes, headers: { 'content-type': 'application/zip' } };
      },
    },
    { method: 'POST', pattern: '/v3/packages/:guid/upload', rawBody: true, handler: upload },
  ];

  function appNamed(appGuid: string): AppRow {
    const app = state.apps.get(appGuid);
    if (!app) throw unprocessable('App is invalid. Ensure it exists and you have access to it.');
    return app;
  }

  function newPackage(appGuid: string, as: PackageRow['state'], docker: DockerImage | null): PackageRow {
    const row = newRow(clock, cloud.newId);
    return {
      ...row,
      appGuid,
      state: as,
      checksum: null,
      error: null,
      file: join(cloud.dir, 'packages', `${row.guid}.zip`),
      docker,
      metadata: emptyMetadata(),
    };
  }

  function create(sent: unknown): PackageRow {
    const body = decode(createBody, sent);
    const app = appNamed(body.relationships.app.data.guid);
    if (body.type === 'docker' && app.lifecycle !== 'docker')
      throw unprocessable('Cannot create Docker package for a buildpack app.');
    if (body.type === 'bits' && app.lifecycle === 'docker')
      throw unprocessable('Cannot create bits package for a Docker app.');
    if (body.type === 'docker' && body.data === undefined) throw unprocessable("Data can't be blank");
    const docker =
      body.data === undefined
        ? null
        : {
            image: body.data.image,
            username: body.data.username ?? null,
            password: body.data.password ?? null,
          };
    const row = newPackage(app.guid, docker === null ? 'AWAITING_UPLOAD' : 'READY', docker);
    keepRow(rows, row, body.metadata);
    return row;
  }

  function copy(sent: unknown, sourceGuid: string): PackageRow {
    const body = decode(copyBody, sent);
    const source = rows.get(sourceGuid);
    if (!source) throw notFound('Package');
    const app = appNamed(body.relationships.app.data.guid);
    const row = newPackage(app.guid, source.docker === null ? 'COPYING' : 'READY', source.docker);
    keepRow(rows, row, body.metadata);
    if (source.docker !== null) return row;
    clock.after(cloud.delays.upload, () => {
      copyFile(source.file, row.file).then(
        () => {
          row.checksum = source.checksum;
          settle(row, 'READY');
        },
        (error: unknown) => {
          row.error = `failed to copy - ${String(error)}`;
          settle(row, 'FAILED');
        },
      );
    });
    return row;
  }

  function settle(row: PackageRow, as: 'READY' | 'FAILED'): void {
    row.state = as;
    row.updatedAt = clock.now();
  }

  async function upload(request: ApiRequest): Promise<{ status: number; body: object }> {
    const row = withBits(findByPath(rows, request, 'Package'));
    if (row.state !== 'AWAITING_UPLOAD') {
      request.raw.resume();
      throw new CloudError(
        400,
        150004,
        'CF-PackageBitsAlreadyUploaded',
        'Bits may be uploaded only once. Create a new package to upload different bits.',
      );
    }
    const arriving = `${row.file}.${cloud.newId()}`;
    const uploaded = await readUpload(request.raw, () => createWriteStream(arriving));
    if (uploaded.file === 'none' && !uploaded.resources) {
      await rm(arriving, { force: true });
      throw unprocessable('Upload must include either resources or bits');
    }
    row.state = 'PROCESSING_UPLOAD';
    row.updatedAt = clock.now();
    clock.after(cloud.delays.upload, () => void finish(row, arriving, uploaded.file === 'stored'));
    return { status: 200, body: presentPackage(cloud, row) };
  }

  async function finish(row: PackageRow, arrived: string, hasBits: boolean): Promise<void> {
    try {
      if (!hasBits) throw new Error('No bits were uploaded, and none are cached');
      const bytes = await readFile(arrived);
      // "PK": anything else is no zip, and staging would only say so later.
      if (bytes.readUInt16BE(0) !== 0x504b) throw new Error('Unzipping had errors: not a zip file');
      await rename(arrived, row.file);
      row.checksum = createHash('sha256').update(bytes).digest('hex');
      settle(row, 'READY');
    } catch (error) {
      row.error = error instanceof Error ? error.message : String(error);
      settle(row, 'FAILED');
    }
  }
}

function presentPackage(cloud: Cloud, row: PackageRow): object {
  const self = `${cloud.urls.api}/v3/packages/${row.guid}`;
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    type: row.docker === null ? 'bits' : 'docker',
    state: row.state,
    data:
      row.docker === null
        ? { checksum: { type: 'sha256', value: row.checksum }, error: row.error }
        : presentImage(row.docker),
    relationships: { app: { data: { guid: row.appGuid } } },
    metadata: row.metadata,
    links: {
      self: { href: self },
      ...(row.docker === null
        ? {
            upload: { href: `${self}/upload`, method: 'POST' },
            download: { href: `${self}/download`, method: 'GET' },
          }
        : {}),
      app: { href: `${cloud.urls.api}/v3/apps/${row.appGuid}` },
    },
  };
}

function withBits(row: PackageRow): PackageRow {
  if (row.docker === null) return row;
  throw unprocessable('Package type must be bits.');
}

function presentImage({ image, username, password }: DockerImage): object {
  return { image, username, password: password === null ? null : '***' };
}
