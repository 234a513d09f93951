import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REGISTRY } from './defaults.ts';

/** The registry: an image is a folder, addressed by the digest of what it was built from. Those of other registries are given. */
export interface ImageFolder {
  /** The folder of an image named by digest, `registry/ns/name@sha256:…`; undefined when we have none such. */
  find(reference: string): string | undefined;
  folderOf(digest: string): string;
}

/** Where the digest of a tag is asked for: `registry/ns/name:tag` or `name:tag` with local lookup. */
type TagLookup = (namespace: string, name: string, tag: string) => string | undefined;

export function createImageFolder(
  dir: string,
  digestOfTag: TagLookup,
  foreign: Readonly<Record<string, string>> = {},
): ImageFolder {
  function folderOf(digest: string): string {
    return join(dir, digest.replace(':', '-'));
  }
  return {
    folderOf,
    find(reference) {
      if (Object.hasOwn(foreign, reference)) return foreign[reference];
      const parsed = parseReference(reference);
      if (!parsed || parsed.registry !== REGISTRY) return undefined;
      const digest = parsed.digest ?? digestOfTag(parsed.namespace, parsed.name, parsed.tag ?? 'latest');
      if (digest === undefined) return undefined;
      const folder = folderOf(digest);
      return existsSync(folder) ? folder : undefined;
    },
  };
}

interface ImageReference {
  readonly registry: string;
  readonly namespace: string;
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const REFERENCE =
  /^(?:([^/]+[.:][^/]*)\/)?(?:([a-z0-9._-]+(?:\/[a-z0-9._-]+)*)\/)?([a-z0-9._-]+)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/;

/** Undefined is InvalidImageName. */
export function parseReference(reference: string): ImageReference | undefined {
  const match = REFERENCE.exec(reference);
  if (!match) return undefined;
  const [, registry = 'docker.io', namespace = 'library', name = '', tag, digest] = match;
  return { registry, namespace, name, tag, digest };
}

/** The digest of the upload and of the environment built in: the same source gives the same image. */
export function imageDigest(archive: Buffer, buildEnvironment: string): string {
  return `sha256:${createHash('sha256').update(archive).update('\0').update(buildEnvironment).digest('hex')}`;
}
