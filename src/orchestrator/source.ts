import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import type { SourceSettings } from '../core/settings.ts';
import { type FileKind, fileKind, unpackArchive } from '../lib/foreign-archive.ts';
import { bundleFolder } from './bundle.ts';
import { checkOut } from './git-source.ts';

export interface PackedSource {
  readonly archive: Buffer;
  readonly digest: string;
  /** The commit it is of. */
  readonly commit?: string;
}

/**
 * The files of an application, packed. Wherever they come from (a folder, an archive, a program, a commit), the same
 * files with the same modes have the same digest.
 */
export async function packSource(source: SourceSettings): Promise<PackedSource> {
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-source-'));
  try {
    const { folder, commit } = await openSource(source, scratch);
    const bundle = await bundleFolder(folder);
    const archive = await bundle.tarGz();
    return { archive, digest: bundle.digest, ...(commit === undefined ? {} : { commit }) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function openSource(
  source: SourceSettings,
  scratch: string,
): Promise<{ readonly folder: string; readonly commit?: string }> {
  const folder = join(scratch, 'files');
  if (source.kind === 'git') {
    const repository = join(scratch, 'repository');
    await mkdir(repository);
    return { folder, commit: await checkOut(source, repository, folder) };
  }
  const path = await realpath(source.path).catch((error: Error) => {
    throw unreadable(source.path, error.message, 'check `source:` in the configuration');
  });
  if ((await stat(path)).isDirectory()) return { folder: path };
  const kind = await fileKind(path).catch((error: Error) => {
    throw unreadable(path, error.message, 'make it readable');
  });
  if (isArchive(kind)) {
    await unpackArchive(path, kind, folder).catch((error: Error) => {
      throw unreadable(
        path,
        error.message,
        'pack it anew: plain files and folders, none twice, none outside',
      );
    });
  } else {
    await placeProgram(path, kind, folder);
  }
  return { folder };
}

function isArchive(kind: FileKind): kind is 'zip' | 'gzip' | 'tar' {
  return kind === 'zip' || kind === 'gzip' || kind === 'tar';
}

/** One file that can be run: the application is that file alone. */
async function placeProgram(path: string, kind: FileKind, folder: string): Promise<void> {
  if (kind !== 'elf' && kind !== 'script') {
    const why = 'it is no folder, no archive (zip, tar, tar.gz) and no program (ELF, or a script with #!)';
    throw unreadable(path, why, 'give `source` one of these');
  }
  await mkdir(folder);
  const copy = join(folder, basename(path));
  await copyFile(path, copy);
  // Programs that were downloaded often lack it, and are meant to run all the same.
  await chmod(copy, 0o755);
}

function unreadable(where: string, why: string, remedy: string): SluiceError {
  return new SluiceError('SOURCE_UNREADABLE', 'the application source cannot be read', {
    where,
    why,
    remedy,
  });
}
