import type { RegistryAccess } from '../../../src/core/image.ts';
import type { FoundImage } from '../../../src/lib/image-shelf.ts';
import type { Cluster } from './cluster.ts';
import { parseReference } from './images.ts';
import { IMAGE_STREAMS } from './resources.ts';

/** The folder a container's image stands for: a digest or tag of our registry, a local stream's `name:tag`, or elsewhere. */
export function findImage(
  cluster: Pick<Cluster, 'store' | 'images' | 'elsewhere'>,
  namespace: string,
  image: string,
  access: RegistryAccess | undefined,
): FoundImage {
  const own = cluster.images.find(image) ?? streamFolder(cluster, namespace, image);
  return own === undefined ? cluster.elsewhere(image, access) : { state: 'found', folder: own };
}

function streamFolder(
  cluster: Pick<Cluster, 'store' | 'images'>,
  namespace: string,
  image: string,
): string | undefined {
  const parsed = parseReference(image);
  if (parsed?.registry !== 'docker.io' || parsed.namespace !== 'library') return undefined;
  const stream = cluster.store.get(IMAGE_STREAMS, namespace, parsed.name);
  if (!stream?.spec.lookupPolicy.local) return undefined;
  const tag = stream.status.tags?.find((entry) => entry.tag === (parsed.tag ?? 'latest'));
  const reference = tag?.items[0]?.dockerImageReference;
  return reference === undefined ? undefined : cluster.images.find(reference);
}
