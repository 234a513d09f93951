import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { unprocessable } from '../errors.ts';

export interface Upload {
  readonly file: 'stored' | 'none';
  /** The client named files it hopes are cached. */
  readonly resources: boolean;
}

/** Reads `multipart/form-data` with `resources` and `bits`; the bits go where `open` says, as they come. */
export async function readUpload(request: IncomingMessage, open: () => Writable): Promise<Upload> {
  const type = request.headers['content-type'];
  if (type === undefined || !/^multipart\/form-data/i.test(type)) {
    request.resume();
    throw unprocessable('Upload bits must be sent as multipart/form-data');
  }
  const form = new Busboy({ headers: { ...request.headers, 'content-type': type } satisfies BusboyHeaders });
  let stored: Promise<void> | undefined;
  let resources = false;
  form.on('field', (name, value) => {
    if (name === 'resources') resources = value !== '[]' && value !== '';
  });
  form.on('file', (name, stream) => {
    if (name !== 'bits') return void stream.resume();
    const target = open();
    stored = finished(stream.pipe(target));
    stored.catch(() => undefined);
  });
  const read = finished(form);
  // A client that goes away mid-upload must not leave us waiting for the rest.
  request.once('close', () => !request.complete && form.destroy(new Error('the upload was cut off')));
  request.pipe(form);
  await read;
  await stored;
  return { file: stored ? 'stored' : 'none', resources };
}
