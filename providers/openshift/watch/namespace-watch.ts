import type { ApplicationName } from '../../../src/core/ids.ts';
import type { Clock, Dispose, Random } from '../../../src/core/ports.ts';
import { inBackground } from '../../../src/lib/background.ts';
import type { OpenShiftClient } from '../client.ts';
import { APPLICATION, FIELD_MANAGER, MANAGED_BY, TRIAL_OF } from '../names.ts';
import type { Resource } from '../resources.ts';
import type { Thing } from '../wire.ts';
import { type KindWatch, watchKind } from './kind-watch.ts';

/** What was known for sure longer ago is not taken for what is. */
export const FRESH_MS = 20_000;

/** All that is ours in the namespace, for as long as somebody wants to hear of it. */
export interface NamespaceWatch {
  /** `changed` is called after anything of this application became another, or may have. */
  changes(application: ApplicationName, changed: () => void): Dispose;
  /** Is everything being watched right now? Then nobody needs to ask again and again. */
  readonly isLive: boolean;
  /**
   * Our copy, when it is not older than `FRESH_MS`, for reads in the place of the API; what we have no copy of is asked
   * for. Each time the kind that was longest unheard of is proven by a read of it: so an API that is away is noticed as
   * soon as by reading everything, and a watch that went deaf within seconds.
   */
  copy(client: OpenShiftClient, signal: AbortSignal): Promise<WatchCopy | undefined>;
  close(): void;
}

export interface WatchCopy {
  readonly client: OpenShiftClient;
  /** Epoch milliseconds: nothing in it is older. */
  readonly knownAt: number;
}

interface NamespaceWatchDeps {
  readonly client: OpenShiftClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Which there are; asked when somebody begins to listen. */
  readonly kinds: (signal: AbortSignal) => Promise<readonly Resource<Thing>[]>;
}

/** Until the cluster is asked again for its kinds, when it did not answer. */
const AGAIN_MS = 5_000;

export function watchNamespace(deps: NamespaceWatchDeps): NamespaceWatch {
  const { client, clock, random } = deps;
  const listeners = new Map<ApplicationName, Set<() => void>>();
  let watches: readonly KindWatch[] = [];
  /** Set while somebody listens. */
  let open: AbortController | undefined;

  function changed({ metadata: { labels } }: Thing): void {
    for (const name of new Set([labels[APPLICATION], labels[TRIAL_OF]])) {
      if (name !== undefined) for (const listener of [...(listeners.get(name) ?? [])]) listener();
    }
  }

  async function begin(signal: AbortSignal): Promise<void> {
    const labelSelector = `${MANAGED_BY}=${FIELD_MANAGER}`;
    const kinds = await inBackground(() => deps.kinds(signal)).catch(() => undefined);
    if (signal.aborted) return;
    if (kinds === undefined) clock.after(AGAIN_MS, () => signal.aborted || void begin(signal));
    else watches = kinds.map((kind) => watchKind({ client, clock, random, labelSelector, changed }, kind));
  }

  function end(): void {
    open?.abort(new Error('nobody listens any more'));
    open = undefined;
    for (const watch of watches) watch.close();
    watches = [];
  }

  return {
    changes(application, listener) {
      const own = (): void => listener();
      const others = listeners.get(application) ?? new Set();
      listeners.set(application, others.add(own));
      if (open === undefined) {
        open = new AbortController();
        void begin(open.signal);
      }
      return () => {
        others.delete(own);
        if (others.size === 0 && listeners.get(application) === others) listeners.delete(application);
        if (listeners.size === 0) end();
      };
    },
    get isLive() {
      return watches.length > 0 && watches.every(({ knownAt }) => knownAt !== undefined);
    },
    async copy(from, signal) {
      const stalest = oldestOf(watches);
      if (stalest === undefined || !(await stalest.prove(signal))) return undefined;
      const knownAt = oldestOf(watches)?.knownAt;
      if (knownAt === undefined || clock.now() - knownAt > FRESH_MS) return undefined;
      return { client: readingFrom(watches, from), knownAt };
    },
    close() {
      listeners.clear();
      end();
    },
  };
}

/** Undefined also where one of them is not being watched. */
function oldestOf(watches: readonly KindWatch[]): KindWatch | undefined {
  let oldest: KindWatch | undefined;
  for (const watch of watches) {
    if (watch.knownAt === undefined) return undefined;
    if (oldest?.knownAt === undefined || watch.knownAt < oldest.knownAt) oldest = watch;
  }
  return oldest;
}

function readingFrom(watches: readonly KindWatch[], client: OpenShiftClient): OpenShiftClient {
  function thingsOf<T>(resource: Resource<T>): ReadonlyMap<string, T & Thing> | undefined {
    const watch = watches.find((one) => one.resource.kind === resource.kind);
    // Decoded by this very resource's schema.
    return watch?.things as ReadonlyMap<string, T & Thing> | undefined;
  }
  return {
    ...client,
    // What is not ours has no copy, and may be there all the same.
    get: async (resource, name, signal) =>
      thingsOf(resource)?.get(name) ?? (await client.get(resource, name, signal)),
    async list(resource, labelSelector, signal) {
      const things = thingsOf(resource);
      if (things === undefined) return client.list(resource, labelSelector, signal);
      return [...things.values()].filter((thing) => isSelected(thing, labelSelector));
    },
  };
}

/** `key=value` and `key`, joined by commas: all that we ever ask for. */
function isSelected({ metadata: { labels } }: Thing, labelSelector: string): boolean {
  return labelSelector.split(',').every((part) => {
    const [key = '', value] = part.split('=');
    return value === undefined ? labels[key] !== undefined : labels[key] === value;
  });
}
