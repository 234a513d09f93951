import type { Cluster } from '../cluster.ts';
import { applyDefaults } from '../defaults.ts';
import { alreadyExists, badRequest, methodNotAllowed, notFound } from '../errors.ts';
import { pushImage } from '../image-push.ts';
import { clone, type JsonObject, objectAt, textAt } from '../json.ts';
import type { ImageStream } from '../openshift-types.ts';
import { IMAGE_STREAM_TAGS, IMAGE_STREAMS, type ResourceType } from '../resources.ts';
import type { KubeObject } from '../types.ts';
import { checkNamespace } from './admission.ts';
import { type Answer, type ApiRequest, ok, readObject, type Target } from './http.ts';

/** ImageStreamTags are a view of the streams: `name:tag` with the newest image under it. */
export async function imageStreamTags(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
): Promise<Answer> {
  if (request.method === 'POST') return follow(cluster, request, target);
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

/** A tag that follows an image elsewhere. Nothing is imported here: there is no way out to a registry. */
async function follow(cluster: Cluster, request: ApiRequest, target: Target): Promise<Answer> {
  const body = await readObject(request);
  const wanted = textAt(body, 'metadata', 'name') ?? '';
  const [name = '', tag = ''] = wanted.split(':');
  const { namespace = '' } = target;
  if (name === '' || tag === '') throw badRequest(`${wanted} is not of the form name:tag`);
  checkNamespace(cluster, IMAGE_STREAM_TAGS, wanted, namespace);
  const entry = {
    name: tag,
    annotations: null,
    ...objectAt(body, 'tag'),
    generation: 1,
    importPolicy: { importMode: 'Legacy', ...objectAt(body, 'tag', 'importPolicy') },
  };
  const before = cluster.store.get(IMAGE_STREAMS, namespace, name);
  if (before?.spec.tags?.some((known) => known['name'] === tag))
    throw alreadyExists(IMAGE_STREAM_TAGS, wanted);
  const draft: KubeObject = before
    ? clone<KubeObject>(before)
    : { kind: 'ImageStream', apiVersion: 'image.openshift.io/v1', metadata: { name, namespace } };
  applyDefaults(IMAGE_STREAMS, draft, () => '');
  const spec = objectAt(draft, 'spec');
  spec['tags'] = [...(before?.spec.tags ?? []), entry];
  draft['spec'] = spec;
  const type: ResourceType = IMAGE_STREAMS;
  const stream = before ? cluster.store.replace(type, draft) : cluster.store.create(type, draft);
  const { uid, resourceVersion, creationTimestamp } = stream.metadata;
  return ok(
    {
      kind: 'ImageStreamTag',
      apiVersion: 'image.openshift.io/v1',
      metadata: { name: wanted, namespace, uid, resourceVersion, creationTimestamp },
      tag: entry,
      generation: 0,
      lookupPolicy: objectAt(spec, 'lookupPolicy'),
      image: { metadata: { creationTimestamp: null }, ...IMAGE_METADATA },
    },
    201,
  );
}

/** What a registry says after a push. */
export async function imageStreamMapping(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
): Promise<Answer> {
  if (request.method !== 'POST') throw methodNotAllowed();
  const body = await readObject(request);
  const name = textAt(body, 'metadata', 'name') ?? '';
  const { namespace = '' } = target;
  if (!cluster.store.get(IMAGE_STREAMS, namespace, name)) throw notFound(IMAGE_STREAMS, name);
  const digest = textAt(body, 'image', 'metadata', 'name');
  if (digest === undefined) throw badRequest('image.metadata.name must be the digest');
  pushImage(cluster.store, namespace, { stream: name, tag: textAt(body, 'tag') ?? 'latest' }, digest);
  return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201);
}

const IMAGE_METADATA = {
  dockerImageMetadata: {
    kind: 'DockerImage',
    apiVersion: 'image.openshift.io/1.0',
    Id: '',
    Created: null,
    ContainerConfig: {},
  },
  dockerImageMetadataVersion: '1.0',
};

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
      ...IMAGE_METADATA,
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
