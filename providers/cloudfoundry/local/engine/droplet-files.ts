import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { archiveMode, tarGzFiles, untarGz } from '../../../../src/lib/archive.ts';
import type { CloudBase } from '../cloud.ts';
import type { DropletRow } from '../state.ts';

/** A droplet's archive holds the application below `app` and beside it what staging found out. */
const APP = 'app';
const STAGING_INFO = 'staging_info.yml';

/** Where the application of a droplet lies, and where its instances run. */
export function dropletFolder(cloud: CloudBase, guid: string): string {
  return join(cloud.dir, 'droplets', guid, APP);
}

export function removeDroplet(folder: string): Promise<void> {
  return rm(dirname(folder), { recursive: true, force: true });
}

export async function copyDroplet(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

/** As `GET …/download` gives it: a tar.gz that any foundation takes back. */
export async function packDroplet(droplet: DropletRow): Promise<Buffer> {
  const root = dirname(droplet.folder);
  const info = {
    detected_buildpack: droplet.buildpack ?? '',
    start_command: droplet.processTypes?.['web'] ?? '',
  };
  await writeFile(join(root, STAGING_INFO), `${JSON.stringify(info)}\n`);
  const files: { path: string; mode: number }[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: path.slice(root.length + 1), mode: entry.isFile() ? await archiveMode(path) : 0o755 });
  }
  return tarGzFiles(
    root,
    files.sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
}

/** Unpacks uploaded bits and answers their SHA-256; throws when they are no droplet. */
export async function unpackDroplet(bits: Buffer, folder: string): Promise<string> {
  const root = dirname(folder);
  // Aside first: a bad archive must not leave half a droplet.
  const arriving = `${root}.arriving`;
  await rm(arriving, { recursive: true, force: true });
  try {
    await untarGz(bits, arriving);
    if (!(await stat(join(arriving, APP)).catch(() => undefined))?.isDirectory()) {
      throw new Error('the archive has no folder "app"');
    }
    await rm(root, { recursive: true, force: true });
    await rename(arriving, root);
  } catch (error) {
    await rm(arriving, { recursive: true, force: true });
    throw error;
  }
  return createHash('sha256').update(bits).digest('hex');
}
