import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { platformError } from '../../core/errors.ts';
import { untarGz } from '../../lib/archive.ts';

/** What an upload must contain, file by file: that is how a cut or damaged one is recognised. */
export const manifestSchema = z.strictObject({
  digest: z.string().min(1).max(200),
  files: z.array(
    z.object({
      path: z.string().min(1),
      mode: z.number().int(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.output<typeof manifestSchema>;

const INCOMING = '.incoming-';

/** `releases/<application>/<release>/`: a folder that bears a release's name is always whole. */
export interface ReleaseFolders {
  pathOf(application: string, release: string): string;
  /** Unpacks beside, compares with the manifest, then renames: nothing half-done is ever found under the name. */
  unpack(application: string, release: string, manifest: Manifest, archive: Buffer): Promise<void>;
  remove(application: string, release: string): Promise<void>;
  /** Removes what a daemon left that died while it unpacked, and folders that are on no record. */
  tidy(known: (application: string, release: string) => boolean): Promise<void>;
}

export function createReleaseFolders(root: string): ReleaseFolders {
  let uploads = 0;

  function pathOf(application: string, release: string): string {
    return join(root, application, release);
  }

  async function remove(application: string, release: string): Promise<void> {
    await rm(pathOf(application, release), { recursive: true, force: true });
    // Only when it was the last one.
    const left = await readdir(join(root, application)).catch(() => undefined);
    if (left?.length === 0) await rm(join(root, application), { recursive: true, force: true });
  }

  return {
    pathOf,
    remove,
    async unpack(application, release, manifest, archive) {
      const incoming = join(root, application, `${INCOMING}${process.pid}-${uploads++}`);
      try {
        await mkdir(incoming, { recursive: true, mode: 0o700 });
        await untarGz(archive, incoming).catch((error: Error) => {
          throw damaged(release, error.message);
        });
        const difference = await compare(incoming, manifest);
        if (difference !== undefined) throw damaged(release, difference);
        await rm(pathOf(application, release), { recursive: true, force: true });
        await rename(incoming, pathOf(application, release));
      } finally {
        await rm(incoming, { recursive: true, force: true });
      }
    },
    async tidy(known) {
      for (const application of await readdir(root).catch(() => [])) {
        for (const name of await readdir(join(root, application)).catch(() => [])) {
          if (!known(application, name)) await remove(application, name);
        }
      }
    },
  };
}

function damaged(release: string, why: string): Error {
  return platformError('invalid', 'host', `the upload of ${release} is damaged`, {
    why,
    remedy: 'deploy again; if it stays so, look for a proxy or a full disk between here and the host',
  });
}

/** The first difference between the folder and the manifest, in words. */
async function compare(folder: string, manifest: Manifest): Promise<string | undefined> {
  const wanted = new Map(manifest.files.map((file) => [file.path, file]));
  for (const path of await filesBelow(folder, '')) {
    const file = wanted.get(path);
    if (file === undefined) return `${path} is not in the manifest`;
    wanted.delete(path);
    const full = join(folder, path);
    const sha256 = createHash('sha256')
      .update(await readFile(full))
      .digest('hex');
    if (sha256 !== file.sha256) return `${path} has another content than the manifest says`;
    const executable = ((await stat(full)).mode & 0o100) !== 0;
    if (executable !== ((file.mode & 0o100) !== 0)) return `${path} has another mode than the manifest says`;
  }
  const missing = wanted.keys().next().value;
  return missing === undefined ? undefined : `${missing} is missing`;
}

async function filesBelow(folder: string, base: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, base), { withFileTypes: true })) {
    const path = base === '' ? entry.name : `${base}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else found.push(path);
  }
  return found;
}
