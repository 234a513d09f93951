import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
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

/** The blobstore's copy of it: what instances write into their folder does not change it. */
function bitsFile(folder: string): string {
  return `${dirname(folder)}.tgz`;
}

export async function removeDroplet(folder: string): Promise<void> {
  await rm(dirname(folder), { recursive: true, force: true });
  await rm(bitsFile(folder), { force: true });
}

export async function copyDroplet(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  if (existsSync(bitsFile(from))) await copyFile(bitsFile(from), bitsFile(to));
}

/** As `GET …/download` gives it: a tar.gz that any foundation takes back. */
export function dropletBits({ folder }: Pick<DropletRow, 'folder'>): Promise<Buffer> {
  return readFile(bitsFile(folder));
}

/** Packs what was staged, once; answers its SHA-256. */
export async function keepDroplet(
  folder: string,
  found: { readonly buildpack: string; readonly startCommand: string },
): Promise<string> {
  const root = dirname(folder);
  const info = { detected_buildpack: found.buildpack, start_command: found.startCommand };
  await writeFile(join(root, STAGING_INFO), `${JSON.stringify(info)}\n`);
  const files: { path: string; mode: number }[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: path.slice(root.length + 1), mode: entry.isFile() ? await archiveMode(path) : 0o755 });
  }
  const bits = await tarGzFiles(
    root,
    files.sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
  await writeFile(bitsFile(folder), bits);
  return sha256(bits);
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
    await writeFile(bitsFile(folder), bits);
  } catch (error) {
    await rm(arriving, { recursive: true, force: true });
    throw error;
  }
  return sha256(bits);
}

function sha256(bits: Buffer): string {
  return createHash('sha256').update(bits).digest('hex');
}
