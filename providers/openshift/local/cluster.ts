import type { Clock, Dispose, Event, Logger, Random } from '../../../src/core/ports.ts';
import type { Runner } from '../../../src/core/runner.ts';
import type { Fault, PassingFault } from '../../../src/lib/faults.ts';
import type { ImageShelf } from '../../../src/lib/image-shelf.ts';
import type { Access } from './access.ts';
import type { BuildRuns } from './build-runs.ts';
import { DELAYS, type DelayName } from './delays.ts';
import type { ImageFolder } from './images.ts';
import type { PodLogs } from './pod-logs.ts';
import type { PodNetwork } from './pod-network.ts';
import type { Mode, ResourceType } from './resources.ts';
import type { Store } from './store.ts';

/** What the API and the controllers share: the store through which alone they talk to each other, and the world. */
export interface Cluster {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly runner: Runner;
  readonly logger: Logger | undefined;
  /** Where builds and images live. */
  readonly dir: string;
  readonly appsDomain: string;
  readonly speed: number;
  /** The certificate of the authority behind the API, as PEM. */
  readonly authority: string;
  readonly mode: Mode;
  /** The kinds that exist in this mode. */
  readonly served: readonly ResourceType[];
  readonly access: Access;
  readonly images: ImageFolder;
  /** Registries that are not the cluster's own. */
  readonly elsewhere: ImageShelf;
  readonly builds: BuildRuns;
  readonly network: PodNetwork;
  readonly podLogs: PodLogs;
  readonly faults: ReadonlySet<Fault>;
  /** Of those that end by themselves: does it hit this call? */
  readonly takeFault: (fault: PassingFault) => boolean;
  readonly onFault: Event<Fault>;
}

/** One loop that makes the world look like the objects, or the objects like the world. */
export interface Controller {
  readonly name: string;
  close(): void | Promise<void>;
}

export function delayOf(cluster: Pick<Cluster, 'speed'>, name: DelayName): number {
  return DELAYS[name] * cluster.speed;
}

/** For durations that clients wrote into a spec merely to pass time. */
export function scaledSeconds(cluster: Pick<Cluster, 'speed'>, seconds: number): number {
  return seconds * 1_000 * cluster.speed;
}

/**
 * Runs `work` for a key a moment after it was asked for, once however often it was asked: what a rate-limited work
 * queue does for a Kubernetes controller.
 */
export function workQueue(
  clock: Clock,
  delayMs: number,
  work: (key: string) => void,
): { add(key: string, afterMs?: number): void; close: Dispose } {
  const waiting = new Map<string, { at: number; dispose: Dispose }>();
  return {
    add(key, afterMs = delayMs) {
      const at = clock.now() + afterMs;
      const planned = waiting.get(key);
      if (planned && planned.at <= at) return;
      planned?.dispose();
      const dispose = clock.after(afterMs, () => {
        waiting.delete(key);
        work(key);
      });
      waiting.set(key, { at, dispose });
    },
    close() {
      for (const { dispose } of waiting.values()) dispose();
      waiting.clear();
    },
  };
}

export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

const AGGREGATED = ['route', 'build', 'image', 'project', 'template'].map((name) => `${name}.openshift.io`);

/** Whether a group has an API server of its own behind the main one, as against being built in or a custom resource. */
export function isAggregated(cluster: Pick<Cluster, 'mode'>, group: string): boolean {
  return cluster.mode === 'openshift' && AGGREGATED.includes(group);
}

/** Whether Routes are a custom resource here: validated by schema, patched without knowledge of their lists. */
export function hasCustomRoutes(cluster: Pick<Cluster, 'mode'>): boolean {
  return cluster.mode === 'microshift';
}
