import type { RegistryAccess } from '../../../src/core/image.ts';
import { type Cluster, delayOf } from './cluster.ts';
import { DELAYS } from './delays.ts';
import { findImage } from './image-lookup.ts';
import { parseReference } from './images.ts';

interface Pull {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly image: string;
  /** Read anew at each try. */
  readonly access: () => RegistryAccess | undefined;
  /** Unpacks the image that was found. */
  readonly prepare: (folder: string) => Promise<void>;
  readonly event: (reason: string, message: string, warning?: boolean) => void;
  /** The container cannot go on, and why. */
  readonly waits: (reason: string, message: string) => void;
}

const UNAUTHORIZED =
  'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials';

/** Resolves when the image is there, which may be never: then the signal ends the waiting. */
export async function pullImage(pull: Pull, signal: AbortSignal): Promise<void> {
  const { cluster, image, event, waits } = pull;
  if (!parseReference(image)) {
    const message = `Failed to apply default image tag "${image}": couldn't parse image name`;
    event('InspectFailed', message, true);
    waits('InvalidImageName', `${message}: invalid reference format`);
    await forever(signal);
  }
  await cluster.clock.sleep(delayOf(cluster, 'pull'), signal);
  for (let attempt = 0; ; attempt++) {
    const found = findImage(cluster, pull.namespace, image, pull.access());
    if (found.state === 'found') {
      await pull.prepare(found.folder);
      event('Pulled', `Successfully pulled image "${image}"`);
      return;
    }
    const why = found.state === 'notFound' ? 'not found' : UNAUTHORIZED;
    const message = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${why}`;
    event('Failed', `Failed to pull image "${image}": ${message}`, true);
    waits('ErrImagePull', message);
    await cluster.clock.sleep(delayOf(cluster, 'pull'), signal);
    waits('ImagePullBackOff', `Back-off pulling image "${image}"`);
    await cluster.clock.sleep(backOffMs(attempt) * cluster.speed, signal);
  }
}

/** Doubles from the first to the longest wait; milliseconds at `speed` 1. Attempts count from 0. */
export function backOffMs(attempt: number): number {
  return Math.min(DELAYS.crashBackOffMax, DELAYS.crashBackOff * 2 ** attempt);
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
