import type { Cluster } from './cluster.ts';
import { EVENTS } from './resources.ts';
import type { KubeObject } from './types.ts';

const KEPT = 500;

/** What `kubectl get events` shows; the same event again only counts up. */
export function recordEvent(
  cluster: Pick<Cluster, 'store' | 'clock'>,
  about: KubeObject,
  component: string,
  event: { readonly reason: string; readonly message: string; readonly type?: 'Normal' | 'Warning' },
): void {
  const { store, clock } = cluster;
  const namespace = about.metadata.namespace ?? '';
  const now = store.now();
  const events = store.list(EVENTS, namespace);
  const same = events.find(
    (other) =>
      other.involvedObject['uid'] === about.metadata.uid &&
      other.reason === event.reason &&
      other.message === event.message,
  );
  if (same) {
    store.change(EVENTS, namespace, same.metadata.name, (draft) => {
      draft.count += 1;
      draft.lastTimestamp = now;
    });
    return;
  }
  if (events.length >= KEPT) {
    const [oldest] = [...events].sort((a, b) => a.lastTimestamp.localeCompare(b.lastTimestamp));
    if (oldest) store.remove(EVENTS, namespace, oldest.metadata.name);
  }
  store.create(EVENTS, {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: {
      name: `${about.metadata.name}.${Math.floor(clock.now() * 1_000).toString(16)}${store.suffix(3)}`,
      namespace,
    },
    involvedObject: {
      kind: about.kind,
      namespace,
      name: about.metadata.name,
      uid: about.metadata.uid,
      apiVersion: about.apiVersion,
      resourceVersion: about.metadata.resourceVersion,
    },
    reason: event.reason,
    message: event.message,
    source: { component },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    type: event.type ?? 'Normal',
    eventTime: null,
    reportingComponent: component,
    reportingInstance: '',
  });
}
