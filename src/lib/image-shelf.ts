import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseImage, type RegistryAccess } from '../core/image.ts';

/**
 * Registries for platforms that have neither network nor containers: a folder in which the image
 * `registry.example.com/shop@sha256:…` is a folder of that name. Its files are what runs.
 */
export type ImageShelf = (reference: string, access?: RegistryAccess) => FoundImage;

export type FoundImage =
  | { readonly state: 'found'; readonly folder: string }
  | { readonly state: 'notFound' }
  /** The registry wants to know who asks, or does not know them. */
  | { readonly state: 'unauthorized' };

/** Beside the images of a registry: who may pull them, `{ "username": …, "password": … }`. Left out: everybody. */
const ACCESS_FILE = 'credentials.json';

export function imageShelf(dir: string | undefined): ImageShelf {
  return (reference, access) => {
    const image = parseImage(reference);
    if (dir === undefined || image === undefined) return { state: 'notFound' };
    const registry = join(dir, image.host ?? 'docker.io');
    if (!mayPull(join(registry, ACCESS_FILE), access)) return { state: 'unauthorized' };
    const path = image.host === undefined ? image.name : image.name.slice(image.host.length + 1);
    const by = image.digest === undefined ? `:${image.tag ?? 'latest'}` : `@${image.digest}`;
    const folder = join(registry, path + by);
    return existsSync(folder) ? { state: 'found', folder } : { state: 'notFound' };
  };
}

function mayPull(file: string, access: RegistryAccess | undefined): boolean {
  if (!existsSync(file)) return true;
  const { username, password } = JSON.parse(readFileSync(file, 'utf8')) as Partial<RegistryAccess>;
  return access !== undefined && access.username === username && access.password === password;
}
