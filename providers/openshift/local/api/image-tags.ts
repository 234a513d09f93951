import type { Cluster } from '../cluster.ts';
import { methodNotAllowed, notFound } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { ImageStream } from '../openshift-types.ts';
import { IMAGE_STREAM_TAGS, IMAGE_STREAMS } from '../resources.ts';
import { type Answer, type ApiRequest, ok, type Target } from './http.ts';

/** ImageStreamTags are a view of the streams: `name:tag` with the newest image under it. */
export function imageStreamTags(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  if (request.method !== 'GET') throw methodNotAllowed();
  const { namespace, name } = target;
  if (name !== undefined) {
    const colon = name.indexOf(':');
    const stream = cluster.store.get(IMAGE_STREAMS, namespace, name.slice(0, colon));
    const view = stream && colon > 0 ? tagView(stream, name.slice(colon + 1)) : undefined;
    if (!view) throw notFound(IMAGE_STREAM_TAGS, name);
    return ok({ kind: 'ImageStreamTag', apiVersion: 'image.openshift.io/v1', ...view });
  }
  const views: JsonObject[] = [];
  for (const stream of cluster.store.list(IMAGE_STREAMS, namespace)) {
    for (const { tag } of stream.status.tags ?? []) {
      const view = tagView(stream, tag);
      if (view) views.push(view);
    }
  }
  return ok({
    kind: 'ImageStreamTagList',
    apiVersion: 'image.openshift.io/v1',
    metadata: { resourceVersion: String(cluster.store.version) },
    items: views,
  });
}

function tagView(stream: ImageStream, tag: string): JsonObject | undefined {
  const newest = stream.status.tags?.find((entry) => entry.tag === tag)?.items[0];
  if (!newest) return undefined;
  const { name, namespace, uid, resourceVersion } = stream.metadata;
  return {
    metadata: { name: `${name}:${tag}`, namespace, uid, resourceVersion, creationTimestamp: newest.created },
    tag: null,
    generation: newest.generation,
    lookupPolicy: stream.spec.lookupPolicy,
    image: {
      metadata: {
        name: newest.image,
        uid: uidOf(newest.image),
        resourceVersion,
        creationTimestamp: newest.created,
      },
      dockerImageReference: newest.dockerImageReference,
      dockerImageMetadata: {
        kind: 'DockerImage',
        apiVersion: 'image.openshift.io/1.0',
        Id: '',
        Created: null,
        ContainerConfig: {},
      },
      dockerImageMetadataVersion: '1.0',
    },
  };
}

/** Images are not stored here; one of the same digest is the same image and has the same uid. */
function uidOf(digest: string): string {
  const hex = digest.slice('sha256:'.length);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
