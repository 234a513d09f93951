import { cp } from 'node:fs/promises';
import type { CloudBase } from '../cloud.ts';
import type { DockerImage } from '../state.ts';

/**
 * What staging does with an image: it asks the registry for the image's own command. Here there are no containers, so
 * its files are put where a droplet's would be. Answers why the registry refused, if it did.
 */
export async function fetchImage(
  { images }: Pick<CloudBase, 'images'>,
  { image, username, password }: DockerImage,
  folder: string,
): Promise<string | undefined> {
  const access = username === null || password === null ? undefined : { username, password };
  const found = images(image, access);
  if (found.state === 'found') {
    await cp(found.folder, folder, { recursive: true, verbatimSymlinks: true });
    return undefined;
  }
  const why =
    found.state === 'unauthorized' ? 'unauthorized: authentication required' : 'manifest unknown: not found';
  return `failed to fetch metadata from [${image}] and insecure registries [] due to ${why}`;
}
