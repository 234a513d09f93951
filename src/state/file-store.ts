import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import type { Clock, KnownLease, StateStore } from '../core/ports.ts';
import { readIfThere, writeAtomically } from './atomic-file.ts';
import { acquireFileLease, breakFileLease, readFileLease } from './file-lease.ts';

const SCHEMA_VERSION = 1;

/**
 * State in a folder: `<dir>/<collection>/<key>.json`, one file a document, replaced atomically. Several processes
 * on one machine may share it; leases say who may write to platforms.
 */
export async function fileStore(dir: string, clock: Clock): Promise<StateStore> {
  const root = resolve(dir);
  try {
    // 0700: journals name platforms and their ids; bundles are the user's source.
    await mkdir(root, { recursive: true, mode: 0o700 });
    await checkVersion(root);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('STATE_UNREADABLE', `the state folder ${root} cannot be used`, {
      where: root,
      why: (error as Error).message,
      remedy: 'make it writable for this user or set state.dir',
      cause: error,
    });
  }

  const fileOf = (collection: string, key: string): string =>
    join(root, safe(collection), `${encodeURIComponent(key)}.json`);

  const leaseFile = (lease: string): string => join(root, 'leases', `${encodeURIComponent(lease)}.json`);

  return {
    async get(collection, key) {
      const path = fileOf(collection, key);
      const text = await readIfThere(path);
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text);
      } catch (error) {
        throw new SluiceError('STATE_UNREADABLE', `${path} is not JSON`, {
          where: path,
          why: (error as Error).message,
          remedy:
            'restore it from a backup or delete it; it is rebuilt from the platforms where that is possible',
        });
      }
    },
    async put(collection, key, value) {
      await mkdir(join(root, safe(collection)), { recursive: true, mode: 0o700 });
      await writeAtomically(fileOf(collection, key), `${JSON.stringify(value, undefined, 2)}\n`);
    },
    async delete(collection, key) {
      await rm(fileOf(collection, key), { force: true });
    },
    async keys(collection) {
      const names = await readdir(join(root, safe(collection))).catch(() => [] as string[]);
      return names
        .filter((name) => name.endsWith('.json'))
        .map((name) => decodeURIComponent(name.slice(0, -'.json'.length)))
        .sort();
    },
    async folder(name) {
      const path = join(root, safe(name));
      await mkdir(path, { recursive: true, mode: 0o700 });
      return path;
    },
    acquire: (lease, holder, ttlMs) => acquireFileLease(leaseFile(lease), holder, ttlMs, clock),
    async leases() {
      const found: KnownLease[] = [];
      for (const name of (await readdir(join(root, 'leases')).catch(() => [] as string[])).sort()) {
        if (!name.endsWith('.json')) continue;
        const lease = decodeURIComponent(name.slice(0, -'.json'.length));
        const known = await readFileLease(leaseFile(lease), clock);
        if (known) found.push({ lease, ...known });
      }
      return found;
    },
    breakLease: (lease) => breakFileLease(leaseFile(lease), clock),
    async close() {},
  };
}

async function checkVersion(root: string): Promise<void> {
  const path = join(root, 'version');
  const text = await readIfThere(path);
  if (text === undefined) return await writeAtomically(path, `${SCHEMA_VERSION}\n`);
  if (Number(text) === SCHEMA_VERSION) return;
  throw new SluiceError('STATE_UNREADABLE', `the state folder was written by another version of Sluice`, {
    where: path,
    why: `it has schema ${text.trim()}, this version reads ${SCHEMA_VERSION}`,
    remedy: 'use the version of Sluice that wrote it, or point state.dir at a new folder',
  });
}

function safe(name: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(name)) return name;
  throw new SluiceError('BUG', `"${name}" is no name for a collection`);
}
