import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import * as tar from 'tar';
import { type Entry, open as openZip, type ZipFile } from 'yauzl';

/** What a file is, by its first bytes: names lie. */
export type FileKind = 'zip' | 'gzip' | 'tar' | 'elf' | 'script' | 'other';

export interface UnpackLimits {
  /** Of all files together, unpacked. */
  readonly bytes: number;
  readonly files: number;
}

/** A few kilobytes can unpack to a full disk. */
export const UNPACK_LIMITS: UnpackLimits = { bytes: 1024 ** 3, files: 100_000 };

const HEAD_BYTES = 262;
const SYMBOLIC_LINK = 0o120000;
const FILE_TYPE = 0o170000;

export async function fileKind(path: string): Promise<FileKind> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    if (head.startsWith('PK\u0003\u0004') || head.startsWith('PK\u0005\u0006')) return 'zip';
    if (head.startsWith('\u001f\u008b')) return 'gzip';
    if (head.startsWith('\u007fELF')) return 'elf';
    if (head.startsWith('#!')) return 'script';
    return head.slice(257, 262) === 'ustar' ? 'tar' : 'other';
  } finally {
    await file.close();
  }
}

/** Unpacks what others packed: within limits, nothing outside `into`, plain files and folders only. Throws an Error. */
export async function unpackArchive(
  path: string,
  kind: 'zip' | 'gzip' | 'tar',
  into: string,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<void> {
  await mkdir(into, { recursive: true });
  if (kind === 'zip') return unpackZip(path, into, limits);
  const file = createReadStream(path);
  await unpackTar(file, into, { limits, gzip: kind === 'gzip' });
}

/** With `links` symbolic links are unpacked as they are: whoever reads the folder must judge where they lead. */
export async function unpackTar(
  source: Readable,
  into: string,
  { limits = UNPACK_LIMITS, gzip = false, links = false },
): Promise<void> {
  await mkdir(into, { recursive: true });
  const seen = counted(limits);
  let fault: Error | undefined;
  const unpack = tar.extract({
    cwd: into,
    strict: true,
    preserveOwner: false,
    filter(path, entry) {
      const type = 'type' in entry ? entry.type : 'File';
      fault ??= type === 'Directory' ? seen.folder() : (faultOf(path, type, links) ?? seen.fault(path));
      return fault === undefined;
    },
  });
  const stages = gzip ? [source, createGunzip(), seen.bytes, unpack] : [source, seen.bytes, unpack];
  await pipeline(stages);
  if (fault !== undefined) throw fault;
}

const PLAIN: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);

function faultOf(path: string, type: string, links: boolean): Error | undefined {
  if (PLAIN.has(type) || (links && type === 'SymbolicLink')) return undefined;
  return new Error(`the entry "${path}" is no file and no folder (${type})`);
}

/** Counts entries by name and bytes as they come: what a header says of its size is not believed. */
function counted(limits: UnpackLimits) {
  const names = new Set<string>();
  let bytes = 0;
  let folders = 0;
  return {
    /** A folder costs the disk as much as an empty file. */
    folder(): Error | undefined {
      folders += 1;
      return folders > limits.files ? tooManyFiles(limits) : undefined;
    },
    fault(path: string): Error | undefined {
      const name = posix.normalize(path);
      // Which of the two is meant, not every program would say alike.
      if (names.has(name)) return new Error(`the entry "${path}" is there twice`);
      names.add(name);
      return names.size > limits.files ? tooManyFiles(limits) : undefined;
    },
    bytes: new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        // A header of 512 bytes and up to as much of padding come with every file.
        if (bytes > limits.bytes + 1_024 * (limits.files + 2)) done(tooManyBytes(limits));
        else done(null, chunk);
      },
    }),
  };
}

function tooManyFiles({ files }: UnpackLimits): Error {
  return new Error(`it holds more than ${files} files or folders`);
}

function tooManyBytes({ bytes }: UnpackLimits): Error {
  return new Error(`it unpacks to more than ${Math.round(bytes / 1024 ** 2)} MiB`);
}

async function unpackZip(path: string, into: string, limits: UnpackLimits): Promise<void> {
  const zip = await opened(path);
  let files = 0;
  let folders = 0;
  let bytes = 0;
  const names = new Set<string>();

  async function take(entry: Entry): Promise<void> {
    const name = entry.fileName;
    if (name.endsWith('/')) {
      folders += 1;
      if (folders > limits.files) throw tooManyFiles(limits);
      return void (await mkdir(join(into, name), { recursive: true }));
    }
    const mode = entry.externalFileAttributes >>> 16;
    if ((mode & FILE_TYPE) === SYMBOLIC_LINK) throw new Error(`the entry "${name}" is a symbolic link`);
    if (names.has(name)) throw new Error(`the entry "${name}" is there twice`);
    names.add(name);
    files += 1;
    if (files > limits.files) throw tooManyFiles(limits);
    // The reader holds every entry to the size it says.
    bytes += entry.uncompressedSize;
    if (bytes > limits.bytes) throw tooManyBytes(limits);
    const target = join(into, name);
    await mkdir(dirname(target), { recursive: true });
    await pipeline(await contentOf(zip, entry), createWriteStream(target, { flags: 'wx' }));
    if (mode & 0o100) await chmod(target, 0o755);
  }

  try {
    await new Promise<void>((done, fail) => {
      zip.on('error', fail);
      zip.on('end', done);
      zip.on('entry', (entry: Entry) => void take(entry).then(() => zip.readEntry(), fail));
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
}

/** Its own rules refuse absolute names, `..` and backslashes. */
function opened(path: string): Promise<ZipFile> {
  return new Promise((done, fail) => {
    openZip(path, { lazyEntries: true, strictFileNames: true, autoClose: false }, (error, zip) =>
      error ? fail(error) : done(zip),
    );
  });
}

function contentOf(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((done, fail) => {
    zip.openReadStream(entry, (error, stream) => (error ? fail(error) : done(stream)));
  });
}
