import type { Cluster } from './cluster.ts';
import { parseReference } from './images.ts';
import { IMAGE_STREAMS } from './resources.ts';

/** The folder a container's image stands for: a digest or tag of our registry, or a local stream's `name:tag`. */
export function imageFolderFor(
  cluster: Pick<Cluster, 'store' | 'images'>,
  namespace: string,
  image: string,
): string | undefined {
  const direct = cluster.images.find(image);
  if (direct) return direct;
  const parsed = parseReference(image);
  if (parsed?.registry !== 'docker.io' || parsed.namespace !== 'library') return undefined;
  const stream = cluster.store.get(IMAGE_STREAMS, namespace, parsed.name);
  if (!stream?.spec.lookupPolicy.local) return undefined;
  const tag = stream.status.tags?.find((entry) => entry.tag === (parsed.tag ?? 'latest'));
  const reference = tag?.items[0]?.dockerImageReference;
  return reference === undefined ? undefined : cluster.images.find(reference);
}
