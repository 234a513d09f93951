import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import type { GitSource } from '../core/settings.ts';
import { unpackTar } from '../lib/foreign-archive.ts';
import { type GitCall, GitFailure, git, gitText, NoGit } from '../lib/git.ts';

const LOCAL_MS = 60_000;
const REMOTE_MS = 300_000;

/** Puts the files of a commit into `into`, and says which commit it was. What is not committed is not there. */
export async function checkOut(source: GitSource, scratch: string, into: string): Promise<string> {
  try {
    return source.remote ? await fromRemote(source, scratch, into) : await fromHere(source, into);
  } catch (error) {
    throw error instanceof SluiceError ? error : failure(source, error);
  }
}

async function fromHere({ repository, ref, path }: GitSource, into: string): Promise<string> {
  const cwd = await folderOf(repository);
  const call = { cwd, timeoutMs: LOCAL_MS };
  const commit = await commitOf(ref, call);
  if (path === undefined) {
    // Run in a folder of the repository, git packs that folder.
    await pack(commit, call, into);
    return commit;
  }
  const top = await gitText(['rev-parse', '--show-toplevel'], call).catch(() => cwd);
  await pack(`${commit}:${path}`, { ...call, cwd: top }, into);
  return commit;
}

async function folderOf(repository: string): Promise<string> {
  const folder = await realpath(repository).catch(() => undefined);
  if (folder !== undefined && (await stat(folder)).isDirectory()) return folder;
  throw new SluiceError('SOURCE_UNREADABLE', 'the repository is not there', {
    where: repository,
    why: folder === undefined ? 'there is no such folder' : 'it is no folder',
    remedy: 'give `source` a folder inside a git repository, or name one in `git.repository`',
  });
}

/** One commit without its history, into a repository of our own that goes again. */
async function fromRemote(source: GitSource, scratch: string, into: string): Promise<string> {
  const { address, settings } = withoutCredentials(source.repository);
  const cwd = scratch;
  await gitText(['init', '--quiet', '--bare', '.'], { cwd, timeoutMs: LOCAL_MS });
  const remote = { cwd, timeoutMs: REMOTE_MS, settings };
  await gitText(['fetch', '--quiet', '--depth=1', '--no-tags', '--', address, source.ref], remote);
  const call = { cwd, timeoutMs: LOCAL_MS };
  const commit = await commitOf('FETCH_HEAD', call);
  await pack(source.path === undefined ? commit : `${commit}:${source.path}`, call, into);
  return commit;
}

/** A commit's full name; from here on nothing can be mistaken for an option. */
function commitOf(ref: string, call: GitCall): Promise<string> {
  return gitText(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], call).catch(
    (error: unknown) => {
      if (error instanceof NoGit) throw error;
      throw new GitFailure(
        error instanceof GitFailure && /not a git repository|dubious/.test(error.message)
          ? error.message
          : `it has no commit "${ref}"`,
      );
    },
  );
}

async function pack(tree: string, call: GitCall, into: string): Promise<void> {
  await git(['archive', '--format=tar', tree], call, (output) => unpackTar(output, into, { links: true }));
}

/** Arguments can be read by everybody on the machine; and what git prints has the address in it. */
function withoutCredentials(repository: string): {
  readonly address: string;
  readonly settings: Readonly<Record<string, string>>;
} {
  if (!/^https?:\/\//i.test(repository) || !URL.canParse(repository))
    return { address: repository, settings: {} };
  const url = new URL(repository);
  if (url.username === '' && url.password === '') return { address: repository, settings: {} };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  const header = `Authorization: Basic ${Buffer.from(pair).toString('base64')}`;
  // For this host alone: where it redirects to is somebody else.
  return { address: url.href, settings: { [`http.${url.origin}/.extraHeader`]: header } };
}

function failure({ repository, ref, path }: GitSource, error: unknown): SluiceError {
  const { address } = withoutCredentials(repository);
  const where = path === undefined ? `${address}@${ref}` : `${join(address, path)}@${ref}`;
  const missing = error instanceof NoGit;
  return new SluiceError('SOURCE_UNREADABLE', 'the application source cannot be read from git', {
    where,
    why: error instanceof Error ? error.message : String(error),
    remedy: missing
      ? 'install git, or give `source` a folder or an archive without `git`'
      : 'are repository, ref and path right, and may you read it? `git ls-remote` shows what is there',
  });
}
