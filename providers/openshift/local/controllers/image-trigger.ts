import { recordUpdate } from '../apply.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import { clone, isObject, type Json, textAt } from '../json.ts';
import type { Deployment } from '../pod-types.ts';
import { DEPLOYMENTS, IMAGE_STREAMS, isKind } from '../resources.ts';

const TRIGGERS = 'image.openshift.io/triggers';

/**
 * Writes the newest image of a tag into deployments that ask for it by annotation. It writes again whenever somebody
 * else changed the image, which is how applying a manifest with a blank image costs two rollouts.
 */
export function createImageTriggerController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const queue = workQueue(clock, delayOf(cluster, 'imageTrigger'), reconcile);
  const unsubscribe = store.onChange(({ type, object, change }) => {
    if (change === 'DELETED') return;
    if (isKind(type, DEPLOYMENTS)) {
      if (object.metadata.annotations?.[TRIGGERS] !== undefined) queue.add(keyOf(object));
    } else if (isKind(type, IMAGE_STREAMS)) {
      for (const deployment of store.list(DEPLOYMENTS)) {
        if (deployment.metadata.annotations?.[TRIGGERS] !== undefined) queue.add(keyOf(deployment));
      }
    }
  });

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const before = store.get(DEPLOYMENTS, namespace, name);
    if (!before) return;
    const draft = clone(before);
    for (const trigger of triggersOf(before)) {
      const image = newestImage(textAt(trigger, 'from', 'namespace') ?? namespace, trigger);
      const wanted = textAt(trigger, 'fieldPath') ?? '';
      const container = /containers\[\?\(@\.name==["']([^"']+)["']\)\]\.image$/.exec(wanted)?.[1];
      const target = draft.spec.template.spec.containers.find((found) => found.name === container);
      if (image !== undefined && target) target.image = image;
    }
    recordUpdate(before, draft, { manager: 'openshift-controller-manager', time: store.now() });
    store.replace(DEPLOYMENTS, draft);
  }

  function newestImage(namespace: string, trigger: Json): string | undefined {
    if (textAt(trigger, 'from', 'kind') !== 'ImageStreamTag') return undefined;
    const [stream = '', tag = 'latest'] = (textAt(trigger, 'from', 'name') ?? '').split(':');
    return store.get(IMAGE_STREAMS, namespace, stream)?.status.tags?.find((entry) => entry.tag === tag)
      ?.items[0]?.dockerImageReference;
  }

  return {
    name: 'image-trigger',
    close() {
      unsubscribe();
      queue.close();
    },
  };
}

function triggersOf(deployment: Deployment): Json[] {
  try {
    const triggers: Json = JSON.parse(deployment.metadata.annotations?.[TRIGGERS] ?? '[]');
    if (!Array.isArray(triggers)) return [];
    return triggers.filter((trigger) => isObject(trigger) && trigger['paused'] !== true);
  } catch {
    // Nobody is told but a log: the real controller ignores an annotation it cannot read too.
    return [];
  }
}
