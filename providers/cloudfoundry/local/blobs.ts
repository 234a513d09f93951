import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiRequest } from './api-types.ts';
import type { CloudBase } from './cloud.ts';
import { notFound } from './errors.ts';

const VALID_MS = 3_600_000;

/** The blobstore's addresses: whoever was given one may read the blob for a while, without a token. */
export interface Blobs {
  /** `link('droplets', guid)`. */
  link(kind: string, guid: string): string;
  /** Throws unless the request came by a link that still holds. */
  check(request: ApiRequest): void;
}

export function createBlobs(cloud: Pick<CloudBase, 'clock' | 'newId' | 'urls'>): Blobs {
  const key = cloud.newId();

  function sign(path: string, expires: string): string {
    return createHmac('sha256', key).update(`${path}?${expires}`).digest('hex');
  }

  return {
    link(kind, guid) {
      const path = `/blobs/${kind}/${guid}`;
      const expires = String(cloud.clock.now() + VALID_MS);
      return `${cloud.urls.api}${path}?expires=${expires}&signature=${sign(path, expires)}`;
    },
    check({ path, query }) {
      const expires = query.get('expires') ?? '';
      const expected = Buffer.from(sign(path, expires));
      const actual = Buffer.from(query.get('signature') ?? '');
      const good = actual.length === expected.length && timingSafeEqual(actual, expected);
      if (!good || Number(expires) < cloud.clock.now()) throw notFound('Blob');
    },
  };
}
