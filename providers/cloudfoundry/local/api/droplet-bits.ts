import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { decode, metadataBody, toOne } from '../api-body.ts';
import { type ApiAnswer, type ApiRequest, type ApiRoute, created } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { copyDroplet, dropletBits, dropletFolder, unpackDroplet } from '../engine/droplet-files.ts';
import { notFound, unprocessable } from '../errors.ts';
import type { DropletRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { keepRow } from './collection.ts';
import { presentDroplet } from './droplet-view.ts';
import { findByPath } from './find.ts';
import { readUpload } from './upload.ts';

const createBody = z.strictObject({
  relationships: z.strictObject({ app: toOne }),
  process_types: z.record(z.string(), z.string()).optional(),
  metadata: metadataBody.optional(),
});
const copyBody = createBody.omit({ process_types: true });

/** Droplets that come from elsewhere: copied within the foundation, or taken down here and up there. */
export function dropletBitsRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, clock } = cloud;
  const rows = state.droplets;

  return [
    {
      method: 'POST',
      pattern: '/v3/droplets',
      query: ['source_guid'],
      handler(request) {
        const source = request.query.get('source_guid');
        const row = source === null ? create(request) : copy(request, source);
        return created(presentDroplet(cloud, row, 'single'));
      },
    },
    { method: 'POST', pattern: '/v3/droplets/:guid/upload', rawBody: true, handler: upload },
    {
      method: 'GET',
      pattern: '/v3/droplets/:guid/download',
      handler(request) {
        const row = findByPath(rows, request, 'Droplet');
        if (row.image !== null) throw unprocessable("Cannot download droplets with 'docker' lifecycle.");
        if (row.state !== 'STAGED') throw unprocessable('Only staged droplets can be downloaded.');
        return { status: 302, headers: { location: cloud.blobs.link('droplets', row.guid) } };
      },
    },
    {
      method: 'GET',
      pattern: '/blobs/droplets/:guid',
      query: ['expires', 'signature'],
      open: true,
      async handler(request) {
        cloud.blobs.check(request);
        const bytes = await dropletBits(findByPath(rows, request, 'Droplet'));
        return { status: 200, bytes, headers: { 'content-type': 'application/gzip' } };
      },
    },
  ];

  function newDroplet(appGuid: string, from: Partial<DropletRow>): DropletRow {
    if (!state.apps.has(appGuid)) {
      throw unprocessable(`App with guid "${appGuid}" does not exist, or you do not have access to it.`);
    }
    const row = newRow(clock, cloud.newId);
    return {
      ...row,
      appGuid,
      state: 'AWAITING_UPLOAD',
      error: null,
      packageGuid: null,
      processTypes: null,
      buildpack: null,
      checksum: null,
      stack: null,
      image: null,
      folder: dropletFolder(cloud, row.guid),
      metadata: emptyMetadata(),
      ...from,
    };
  }

  function create(request: ApiRequest): DropletRow {
    const body = decode(createBody, request.body);
    const processTypes = body.process_types ?? { web: '' };
    const row = newDroplet(body.relationships.app.data.guid, { processTypes });
    keepRow(rows, row, body.metadata);
    return row;
  }

  function copy(request: ApiRequest, sourceGuid: string): DropletRow {
    const body = decode(copyBody, request.body);
    const source = rows.get(sourceGuid);
    if (!source) throw notFound('Droplet');
    if (source.state !== 'STAGED') throw unprocessable('source droplet is not staged');
    const row = newDroplet(body.relationships.app.data.guid, { state: 'COPYING' });
    keepRow(rows, row, body.metadata);
    clock.after(cloud.delays.upload, () => void finishCopy(source, row));
    return row;
  }

  async function finishCopy(source: DropletRow, row: DropletRow): Promise<void> {
    const { processTypes, buildpack, checksum, stack, image } = source;
    await finish(row, async () => {
      await copyDroplet(source.folder, row.folder);
      Object.assign(row, { processTypes, buildpack, checksum, stack, image });
    });
  }

  async function upload(request: ApiRequest): Promise<ApiAnswer> {
    const row = findByPath(rows, request, 'Droplet');
    if (row.state !== 'AWAITING_UPLOAD') {
      request.raw.resume();
      throw unprocessable(
        'Droplet may be uploaded only once. Create a new droplet to upload bits for a new droplet.',
      );
    }
    const arriving = join(cloud.dir, 'droplets', `${row.guid}.${cloud.newId()}.tgz`);
    const uploaded = await readUpload(request.raw, () => createWriteStream(arriving));
    if (uploaded.file === 'none') {
      throw unprocessable('A droplet tgz file must be uploaded as "bits"');
    }
    row.state = 'PROCESSING_UPLOAD';
    row.updatedAt = clock.now();
    const resource = { name: 'droplet', href: `${cloud.urls.api}/v3/droplets/${row.guid}` };
    const location = cloud.jobs.start(
      'droplet.upload',
      () => finish(row, () => unpack(row, arriving)),
      resource,
    );
    return { status: 202, body: presentDroplet(cloud, row, 'single'), headers: { location } };
  }

  async function unpack(row: DropletRow, file: string): Promise<void> {
    try {
      row.checksum = await unpackDroplet(await readFile(file), row.folder);
    } finally {
      await rm(file, { force: true });
    }
  }

  async function finish(row: DropletRow, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      row.state = 'STAGED';
    } catch (error) {
      row.state = 'FAILED';
      row.error = error instanceof Error ? error.message : String(error);
    }
    row.updatedAt = clock.now();
  }
}
