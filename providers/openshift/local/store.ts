import type { Clock, Event, Random } from '../../../src/core/ports.ts';
import { emitter } from '../../../src/lib/emitter.ts';
import { isoTime } from '../../../src/lib/iso-time.ts';
import { clone, equal } from './json.ts';
import { qualified, type ResourceType } from './resources.ts';
import type { KubeObject } from './types.ts';

export interface StoreEvent {
  readonly version: number;
  readonly type: ResourceType;
  readonly change: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** What it was before; selectors need both to tell what entered and what left their view. */
  readonly before: KubeObject | undefined;
}

/**
 * The objects of the whole cluster with one rising version, as etcd keeps them. What it hands out is shared: clone
 * before editing, or use `change`, which does it for you and writes nothing when nothing changed.
 */
export interface Store {
  get<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
  /** In order of namespace and name. */
  list<T extends KubeObject>(type: ResourceType<T>, namespace?: string): T[];
  /** Stamps uid (unless it has one), version, creation time and generation. The caller checked that the name is free. */
  create<T extends KubeObject>(type: ResourceType<T>, object: T): T;
  /** Stamps version and generation; equal content is not written. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: T): T;
  change<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string | undefined,
    name: string,
    edit: (draft: T) => void,
  ): T | undefined;
  remove<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
  readonly version: number;
  /** Events after a version, or undefined when they are no longer all known (410 Expired). */
  since(version: number): readonly StoreEvent[] | undefined;
  /** The oldest version `since` still answers. */
  readonly oldest: number;
  /** What there was at an earlier version that is still known; a list begun then is continued from it. */
  listAt<T extends KubeObject>(type: ResourceType<T>, namespace: string | undefined, version: number): T[];
  /** Forgets everything before now, as etcd does every few minutes. */
  compact(): void;
  readonly onChange: Event<StoreEvent>;
  now(): string;
  uid(): string;
  /** Lower-case letters and digits as generated names end in. */
  suffix(length: number): string;
}

/** As the first versions of a fresh cluster are taken by its own start. */
export const FIRST_VERSION = 200;
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export function createStore(clock: Clock, random: Random, historyLimit = 4_000): Store {
  const tables = new Map<string, Map<string, KubeObject>>();
  const history: StoreEvent[] = [];
  const changes = emitter<StoreEvent>();
  let version = FIRST_VERSION;
  // Nothing is compacted yet: even version 1 can be continued from.
  let oldest = 0;

  function table<T extends KubeObject>(type: ResourceType<T>): Map<string, T> {
    const name = qualified(type as ResourceType);
    const found = tables.get(name) ?? new Map<string, KubeObject>();
    tables.set(name, found);
    // Only objects of this type are ever put under its key.
    return found as Map<string, T>;
  }

  function record<T extends KubeObject>(
    type: ResourceType<T>,
    change: StoreEvent['change'],
    object: T,
    before?: T,
  ): void {
    const event: StoreEvent = { version, type: type as ResourceType, change, object, before };
    history.push(event);
    const dropped = history.length > historyLimit ? history.shift() : undefined;
    if (dropped) oldest = dropped.version;
    changes.fire(event);
  }

  function hex(length: number): string {
    let text = '';
    while (text.length < length) text += Math.floor(random() * 16).toString(16);
    return text;
  }

  const store: Store = {
    get: (type, namespace, name) => table(type).get(key(namespace, name)),
    list(type, namespace) {
      const found = [...table(type).values()].filter(
        (object) => namespace === undefined || object.metadata.namespace === namespace,
      );
      return found.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    },
    listAt<T extends KubeObject>(type: ResourceType<T>, namespace: string | undefined, at: number): T[] {
      const objects = new Map(store.list(type, namespace).map((object) => [sortKey(object), object]));
      for (const event of history.filter(({ version: later }) => later > at).reverse()) {
        const { object, before } = event;
        if (qualified(event.type) !== qualified(type as ResourceType)) continue;
        if (namespace !== undefined && object.metadata.namespace !== namespace) continue;
        // An event's objects are of its type, which is the one asked for.
        if (before === undefined) objects.delete(sortKey(object));
        else objects.set(sortKey(object), before as T);
      }
      return [...objects.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    },
    compact() {
      history.splice(0);
      oldest = version;
    },
    create(type, object) {
      const created = clone(object);
      version += 1;
      created.metadata.uid ??= store.uid();
      created.metadata.resourceVersion = String(version);
      created.metadata.creationTimestamp = store.now();
      if (type.generation) created.metadata.generation = 1;
      table(type).set(key(created.metadata.namespace, created.metadata.name), created);
      record(type, 'ADDED', created);
      return created;
    },
    replace(type, object) {
      const id = key(object.metadata.namespace, object.metadata.name);
      const before = table(type).get(id);
      if (before && equal(before, object)) return before;
      const after = clone(object);
      version += 1;
      after.metadata.resourceVersion = String(version);
      if (type.generation && before && !equal(specOf(before), specOf(after))) {
        after.metadata.generation = (before.metadata.generation ?? 1) + 1;
      }
      table(type).set(id, after);
      record(type, 'MODIFIED', after, before);
      return after;
    },
    change(type, namespace, name, edit) {
      const before = store.get(type, namespace, name);
      if (!before) return undefined;
      const draft = clone(before);
      edit(draft);
      return store.replace(type, draft);
    },
    remove(type, namespace, name) {
      const found = table(type).get(key(namespace, name));
      if (!found) return undefined;
      table(type).delete(key(namespace, name));
      version += 1;
      const last = clone(found);
      last.metadata.resourceVersion = String(version);
      record(type, 'DELETED', last, found);
      return last;
    },
    get version() {
      return version;
    },
    get oldest() {
      return oldest;
    },
    since(from) {
      if (from < oldest) return undefined;
      return history.filter((event) => event.version > from);
    },
    onChange: changes.event,
    // The API speaks in whole seconds.
    now: () => `${isoTime(clock.now()).slice(0, 19)}Z`,
    uid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    suffix(length) {
      let text = '';
      while (text.length < length) {
        text += SUFFIX_ALPHABET[Math.floor(random() * SUFFIX_ALPHABET.length)] ?? 'x';
      }
      return text;
    },
  };
  return store;
}

function key(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function sortKey(object: KubeObject): string {
  return key(object.metadata.namespace, object.metadata.name);
}

function specOf(object: KubeObject): KubeObject[string] {
  return object['spec'];
}
