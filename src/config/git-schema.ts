import { z } from 'zod';
import type { GitSource, SourceSettings } from '../core/settings.ts';
import { checkedText } from './fields.ts';

/** An address as git takes it, in contrast to a folder: with a scheme, or `user@host:path`. */
export function isAddress(repository: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(repository) || /^[\w.-]+@[\w.-]+:/.test(repository);
}

const ref = checkedText(
  { says: 'A branch, a tag or a commit.' },
  '^[A-Za-z0-9_][A-Za-z0-9_./@~^+-]*$',
  (given) =>
    /^[A-Za-z0-9_][\w./@~^+-]*$/.test(given) && !given.includes('..')
      ? undefined
      : { fault: 'not a branch, tag or commit', remedy: 'for example main, v1.2 or a commit' },
);

const repository = checkedText(
  {
    says: 'Where it is: https://…, ssh://…, user@host:path, or a folder of this machine. Credentials by a reference. Left out: the repository that `source` lies in.',
  },
  '^[^-\\s][^\\s]*$',
  (given) => {
    if (!/^[^-\s]\S*$/.test(given)) {
      return { fault: 'not a repository', remedy: 'for example https://git.example.com/shop.git' };
    }
    const scheme = /^([a-z][a-z0-9+.-]*):(:|\/\/)/i.exec(given)?.[1]?.toLowerCase();
    return scheme === undefined || ['https', 'http', 'ssh', 'git', 'file'].includes(scheme)
      ? undefined
      : { fault: 'not a kind of address that is taken', remedy: 'use https://, ssh:// or user@host:path' };
  },
);

const path = checkedText(
  { says: 'The folder of the application, from the top of the repository. Default: the top.' },
  '^[^/].*$',
  (given) =>
    given.startsWith('/') || given.split('/').includes('..')
      ? { fault: 'not a folder inside a repository', remedy: 'for example services/shop' }
      : undefined,
);

export const gitSchema = z
  .union([ref, z.strictObject({ repository: repository.optional(), ref, path: path.optional() })])
  .meta({
    description:
      'Deploys a commit instead of what lies in the folder: a branch, a tag or a commit of the repository that `source` lies in, or `{ repository, ref, path }`.',
  });

interface Written {
  /** Absolute. */
  readonly source: string | undefined;
  readonly git: z.output<typeof gitSchema> | undefined;
  /** Of a repository that is a folder: absolute. */
  readonly repository: string | undefined;
}

export function assembleSource({ source, git, repository }: Written): SourceSettings | undefined {
  if (git === undefined) return source === undefined ? undefined : { kind: 'path', path: source };
  const given = typeof git === 'string' ? { ref: git } : git;
  const place = given.repository ?? source;
  if (place === undefined) return undefined;
  const remote = given.repository !== undefined && isAddress(given.repository);
  const made: GitSource = {
    kind: 'git',
    repository: remote ? place : (repository ?? place),
    remote,
    ref: given.ref,
    // A folder of the machine is itself the part that is meant.
    path: given.path?.replace(/^\.\/|\/+$/g, ''),
  };
  return made;
}
