import { platformError } from '../../core/errors.ts';
import type { Manifest, ReleaseFolders } from './release-folders.ts';

/** Uploads in two steps: the manifest is offered, then the content comes if it is wanted. */
export interface Uploads {
  offer(application: string, release: string, manifest: Manifest): void;
  /** Unpacks what was offered and returns its manifest; undefined when another upload did so meanwhile. */
  receive(application: string, release: string, archive: Buffer): Promise<Manifest | undefined>;
  /** Resolves when nothing is being unpacked. */
  settled(): Promise<void>;
}

export function createUploads(folders: ReleaseFolders): Uploads {
  const offered = new Map<string, Manifest>();
  const unpacking = new Map<string, Promise<void>>();

  return {
    offer(application, release, manifest) {
      offered.set(`${application}/${release}`, manifest);
    },
    async receive(application, release, archive) {
      const key = `${application}/${release}`;
      const before = unpacking.get(key);
      if (before !== undefined) {
        await before;
        return undefined;
      }
      const manifest = offered.get(key);
      if (manifest === undefined) {
        throw platformError('invalid', 'host', `the content of ${release} came without its manifest`, {
          why: 'the daemon was started anew in between, or the client skipped a step',
          remedy: 'deploy again',
        });
      }
      const work = folders.unpack(application, release, manifest, archive);
      unpacking.set(key, work);
      try {
        await work;
        offered.delete(key);
        return manifest;
      } finally {
        unpacking.delete(key);
      }
    },
    async settled() {
      await Promise.allSettled(unpacking.values());
    },
  };
}
