import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { SluiceError } from '../core/errors.ts';
import type { Bundle } from '../core/provider.ts';
import type { BundleFile } from '../core/release.ts';
import { archiveMode, tarGzFiles, zipFiles } from '../lib/archive.ts';

/** Never part of an application: what `cf push` leaves out by itself, and our own state. */
const ALWAYS_IGNORED = ['.git', '.gitignore', '.cfignore', '.hg', '.svn', '.DS_Store', '.sluice'];
/** A zip takes a backslash for a folder; a line break would let two bundles have one digest. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPORTABLE = /[\\\u0000-\u001f\u007f]/;
const IGNORE_FILES = ['.gitignore', '.cfignore'];

/**
 * The files of a source folder, without what `.gitignore` and `.cfignore` name (in every folder, as git reads
 * them). Same files, same modes → same digest, on any machine and wherever the folder lies.
 */
export async function bundleFolder(root: string): Promise<Bundle> {
  const top = await realpath(root).catch((error: Error) => {
    throw unreadable(root, error.message, 'check `source:` in the configuration');
  });
  if (!(await stat(top)).isDirectory())
    throw unreadable(root, 'it is not a folder', 'give `source:` a folder');
  const paths = await walk(top, top, [{ base: '', rules: ignore().add(ALWAYS_IGNORED) }]);
  const files: BundleFile[] = [];
  for (const path of paths.sort(byCodePoint)) files.push(await describeFile(top, path));
  if (files.length === 0) throw unreadable(root, 'it holds no files', 'check `source:` and the ignore files');
  return bundleOf(top, files);
}

export function bundleOf(root: string, files: readonly BundleFile[]): Bundle {
  return {
    digest: digestOf(files),
    files,
    root,
    zip: () => zipFiles(root, files),
    tarGz: () => tarGzFiles(root, files),
  };
}

/** `sha256:` over one line a file: mode, content digest, path. */
export function digestOf(files: readonly BundleFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.mode.toString(8)} ${file.sha256} ${file.path}\n`);
  return `sha256:${hash.digest('hex')}`;
}

interface Rules {
  /** Relative to the top, '' or ending in a slash. */
  readonly base: string;
  readonly rules: Ignore;
}

async function walk(top: string, folder: string, inherited: readonly Rules[]): Promise<string[]> {
  const base = folder === top ? '' : `${toPosix(relative(top, folder))}/`;
  const rules = [...inherited, ...(await readRules(folder, base))];
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = base + entry.name;
    const full = join(folder, entry.name);
    const isFolder = entry.isDirectory();
    if (isIgnored(isFolder ? `${path}/` : path, rules)) continue;
    if (UNPORTABLE.test(entry.name)) {
      const why = 'its name has a backslash or a control character: not every platform would unpack it alike';
      throw unreadable(JSON.stringify(full), why, 'rename it, or name it in .cfignore');
    }
    if (isFolder) found.push(...(await walk(top, full, rules)));
    else if (entry.isSymbolicLink()) found.push(await checkedLink(top, full, path));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

async function readRules(folder: string, base: string): Promise<Rules[]> {
  const rules: Rules[] = [];
  for (const name of IGNORE_FILES) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) rules.push({ base, rules: ignore().add(text) });
  }
  return rules;
}

/** The deepest file that has an opinion decides, as git does. */
function isIgnored(path: string, all: readonly Rules[]): boolean {
  let ignored = false;
  for (const { base, rules } of all) {
    const verdict = rules.test(path.slice(base.length));
    if (verdict.ignored) ignored = true;
    if (verdict.unignored) ignored = false;
  }
  return ignored;
}

/** A link to a file inside is packed as that file; one that leads out would differ from machine to machine. */
async function checkedLink(top: string, full: string, path: string): Promise<string> {
  const target = await realpath(full).catch(() => undefined);
  if (target?.startsWith(top + sep) && (await stat(target)).isFile()) return path;
  const where = target === undefined ? 'to nothing' : 'out of the source or to a folder';
  throw unreadable(full, `it is a link that leads ${where}`, 'replace it by what it points to, or ignore it');
}

async function describeFile(top: string, path: string): Promise<BundleFile> {
  const full = join(top, path);
  const content = await readFile(full).catch((error: Error) => {
    throw unreadable(full, error.message, 'make it readable, or name it in .cfignore');
  });
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path, mode: await archiveMode(full), size: content.length, sha256 };
}

function unreadable(where: string, why: string, remedy: string): SluiceError {
  return new SluiceError('SOURCE_UNREADABLE', 'the application source cannot be read', {
    where,
    why,
    remedy,
  });
}

/** Not localeCompare: the order must not depend on the machine's language. */
function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function toPosix(path: string): string {
  return path.split(sep).join('/');
}
