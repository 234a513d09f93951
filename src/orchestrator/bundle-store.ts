import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import type { StateStore } from '../core/ports.ts';
import type { Bundle } from '../core/provider.ts';
import { untarGz } from '../lib/archive.ts';
import { bundleFolder, bundleOf } from './bundle.ts';

/**
 * Keeps each bundle unpacked under its digest, so that a deployment is not disturbed by edits of the source and
 * can go on, or be repeated, long after.
 */
export interface BundleStore {
  /** Checks that the content has the digest it claims. */
  keep(archive: Buffer, digest: string): Promise<Bundle>;
  find(digest: string): Promise<Bundle | undefined>;
  /** Removing what is not there succeeds. */
  remove(digest: string): Promise<void>;
}

export async function bundleStore(store: StateStore, uniqueId: () => string): Promise<BundleStore> {
  const folder = await store.folder('bundles');
  const pathOf = (digest: string): string =>
    join(folder, digest.replace(/^sha256:/, '').replace(/[^0-9a-f]/g, ''));

  async function find(digest: string): Promise<Bundle | undefined> {
    const path = pathOf(digest);
    if (!(await stat(path).catch(() => undefined))) return undefined;
    const bundle = await bundleKept(path);
    return bundle.digest === digest ? bundle : undefined;
  }

  return {
    find,
    remove: (digest) => rm(pathOf(digest), { recursive: true, force: true }),
    async keep(archive, digest) {
      const kept = await find(digest);
      if (kept) return kept;
      const beside = join(folder, `.${uniqueId()}`);
      try {
        await untarGz(archive, beside);
        const bundle = await bundleKept(beside);
        if (bundle.digest !== digest) {
          throw new SluiceError('SOURCE_UNREADABLE', 'the uploaded bundle is not what it claims to be', {
            why: `expected ${digest}, got ${bundle.digest}`,
            remedy: 'deploy again; if it happens again, something between here and there changes files',
          });
        }
        await rm(pathOf(digest), { recursive: true, force: true });
        await rename(beside, pathOf(digest));
      } finally {
        await rm(beside, { recursive: true, force: true });
      }
      const bundle = await bundleKept(pathOf(digest));
      return bundleOf(bundle.root, bundle.files);
    },
  };
}

/** What was packed once was chosen then: ignore files are not packed, so nothing is left out here. */
function bundleKept(path: string): Promise<Bundle> {
  return bundleFolder(path);
}
