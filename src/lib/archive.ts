import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import * as tar from 'tar';
import { fromBuffer, type ZipFile } from 'yauzl';
import { ZipFile as ZipWriter } from 'yazl';

/** The one moment every archive entry carries, so that the same files give the same bytes on any machine. */
const ENTRY_TIME = new Date(Date.UTC(1980, 0, 2));

export interface ArchiveFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  /** 0o644 or 0o755. */
  readonly mode: number;
}

/** Cloud Foundry's upload format. `files` in the order in which they shall stand. */
export async function zipFiles(root: string, files: readonly ArchiveFile[]): Promise<Buffer> {
  const zip = new ZipWriter();
  for (const file of files) {
    zip.addBuffer(await readFile(join(root, file.path)), file.path, {
      mtime: ENTRY_TIME,
      // yazl wants the file type too: a regular file.
      mode: 0o100000 | file.mode,
    });
  }
  zip.end();
  return collect(zip.outputStream as Readable);
}

/** OpenShift's upload format, and ours for keeping and sending bundles. */
export async function tarGzFiles(root: string, files: readonly ArchiveFile[]): Promise<Buffer> {
  const modes = new Map(files.map((file) => [file.path, file.mode]));
  const archive = tar.create(
    {
      cwd: root,
      portable: true,
      noDirRecurse: true,
      mtime: ENTRY_TIME,
      onWriteEntry(entry) {
        const mode = modes.get(entry.path);
        // The umask of whoever unpacked the source must not change the digest.
        if (mode !== undefined && entry.stat) entry.stat.mode = 0o100000 | mode;
      },
    },
    // A leading `@` would mean "append this archive" to tar.
    files.map((file) => (file.path.startsWith('@') ? `./${file.path}` : file.path)),
  );
  const gzip = createGzip({ level: 6 });
  const packed = collect(gzip);
  await pipeline(Readable.from(archive), gzip);
  return packed;
}

/** Unpacks into `into`, creating it. Entries that would leave the folder are refused with an error. */
export async function untarGz(archive: Buffer, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await pipeline(Readable.from([archive]), tar.extract({ cwd: into, strict: true, preserveOwner: false }));
}

/** Unpacks a zip held in memory; the executable bits survive. Throws on entries that would leave the folder. */
export async function unzip(archive: Buffer, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const zip = await openZip(archive);
  await new Promise<void>((done, fail) => {
    zip.on('error', fail);
    zip.on('end', done);
    zip.on('entry', (entry: { fileName: string; externalFileAttributes: number }) => {
      unpackEntry(zip, entry, into).then(() => zip.readEntry(), fail);
    });
    zip.readEntry();
  });
}

async function unpackEntry(
  zip: ZipFile,
  entry: { fileName: string; externalFileAttributes: number },
  into: string,
): Promise<void> {
  const path = resolve(into, entry.fileName);
  if (path !== resolve(into) && !path.startsWith(resolve(into) + sep)) {
    throw new Error(`the archive entry "${entry.fileName}" would be written outside its folder`);
  }
  if (entry.fileName.endsWith('/')) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const content = await new Promise<Readable>((done, fail) => {
    zip.openReadStream(entry as Parameters<ZipFile['openReadStream']>[0], (error, stream) =>
      error ? fail(error) : done(stream),
    );
  });
  await pipeline(content, createWriteStream(path));
  const mode = (entry.externalFileAttributes >>> 16) & 0o777;
  if (mode & 0o100) await chmod(path, 0o755);
}

function openZip(archive: Buffer): Promise<ZipFile> {
  return new Promise((done, fail) => {
    fromBuffer(archive, { lazyEntries: true, strictFileNames: true }, (error, zip) =>
      error ? fail(error) : done(zip),
    );
  });
}

async function collect(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The bits that matter of a file: readable by all, and executable or not. */
export async function archiveMode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o100 ? 0o755 : 0o644;
}
