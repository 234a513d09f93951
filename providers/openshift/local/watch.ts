import type { Clock, Dispose } from '../../../src/core/ports.ts';
import { expired } from './errors.ts';
import type { JsonObject } from './json.ts';
import { groupVersion, type ResourceType } from './resources.ts';
import type { Store, StoreEvent } from './store.ts';
import type { KubeObject } from './types.ts';

interface WatchOptions {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  /** Undefined: begin with what is there now. */
  readonly since: number | undefined;
  /** The oldest version this kind's server remembers, whatever the store does. */
  readonly floor: number;
  readonly matches: (object: KubeObject) => boolean;
  readonly bookmarks: boolean;
  readonly bookmarkEveryMs: number;
  readonly timeoutMs: number;
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

/**
 * Sends events until the time is up, then calls `end`; the returned function ends it early and silently. A version
 * that is no longer known is one ERROR event with the Status 410 in it, not an HTTP error.
 */
export function watch(
  store: Store,
  clock: Clock,
  options: WatchOptions,
  send: (event: WatchEvent) => void,
  end: () => void,
): Dispose {
  const floor = Math.max(store.oldest, options.floor);
  const isTooOld = options.since !== undefined && options.since < floor;
  const missed = options.since === undefined ? [] : isTooOld ? undefined : store.since(options.since);
  if (!missed) {
    const { status } = expired(`too old resource version: ${options.since} (${floor})`);
    send({ type: 'ERROR', object: status });
    end();
    return () => undefined;
  }
  if (options.since === undefined) {
    for (const object of store.list(options.type, options.namespace)) {
      if (options.matches(object)) send({ type: 'ADDED', object });
    }
  }
  for (const event of missed) offer(event);

  const disposers: Dispose[] = [
    store.onChange(offer),
    clock.after(options.timeoutMs, () => {
      // A last bookmark lets the client resume from here without a list.
      if (options.bookmarks) bookmark();
      stop();
      end();
    }),
  ];
  if (options.bookmarks) disposers.push(clock.every(options.bookmarkEveryMs, bookmark));

  function stop(): void {
    for (const dispose of disposers.splice(0)) dispose();
  }

  function bookmark(): void {
    const version = Math.max(store.version, options.since ?? 0);
    send({
      type: 'BOOKMARK',
      object: {
        kind: options.type.kind,
        apiVersion: groupVersion(options.type),
        metadata: { resourceVersion: String(version), creationTimestamp: null },
      },
    });
  }

  function offer(event: StoreEvent): void {
    if (event.type.plural !== options.type.plural || event.type.group !== options.type.group) return;
    // A version from the future only waits; what happens until then is not for this client.
    if (options.since !== undefined && event.version <= options.since) return;
    const { object, before } = event;
    if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return;
    const did = before !== undefined && options.matches(before);
    const does = event.change !== 'DELETED' && options.matches(object);
    if (did && does) send({ type: 'MODIFIED', object });
    else if (does) send({ type: 'ADDED', object });
    // Also when it only left the selector's view.
    else if (did) send({ type: 'DELETED', object });
  }

  return stop;
}
