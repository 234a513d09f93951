import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** `volumes/<application>/<name>/`: what instances keep there outlives every release, and the application too. */
export interface VolumeFolders {
  /** Made where it is not there yet; the path of the folder. */
  ensure(application: string, name: string): Promise<string>;
  list(application: string): Promise<readonly Volume[]>;
  /** With all that is in it. Removing one that is gone succeeds. */
  remove(application: string, name: string): Promise<void>;
}

export interface Volume {
  readonly name: string;
  readonly path: string;
}

export function createVolumeFolders(root: string): VolumeFolders {
  const pathOf = (application: string, name: string): string => join(root, application, name);
  return {
    async ensure(application, name) {
      const path = pathOf(application, name);
      await mkdir(path, { recursive: true, mode: 0o700 });
      return path;
    },
    async list(application) {
      const found = await readdir(join(root, application), { withFileTypes: true }).catch(() => []);
      return found
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => ({ name, path: pathOf(application, name) }));
    },
    async remove(application, name) {
      await rm(pathOf(application, name), { recursive: true, force: true });
      const left = await readdir(join(root, application)).catch(() => undefined);
      if (left?.length === 0) await rm(join(root, application), { recursive: true, force: true });
    },
  };
}
