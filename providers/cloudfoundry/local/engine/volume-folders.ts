import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudBase } from '../cloud.ts';

/** The folder that is the volume of a service instance. */
export function volumeFolder({ dir }: Pick<CloudBase, 'dir'>, instanceGuid: string): string {
  return join(dir, 'volumes', instanceGuid);
}

/**
 * A process without a root of its own can have nothing mounted. Whoever is told of a mount by a variable must find it all
 * the same: a value that is the path of one becomes where it lies here.
 */
export function withMountPaths(
  cloud: Pick<CloudBase, 'dir' | 'state'>,
  appGuid: string,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const places = new Map<string, string>();
  for (const { appGuid: of, instanceGuid, volumeMounts } of cloud.state.serviceBindings.values()) {
    if (of !== appGuid) continue;
    for (const mount of volumeMounts) {
      if ('container_dir' in mount && typeof mount.container_dir === 'string')
        places.set(mount.container_dir, volumeFolder(cloud, instanceGuid));
    }
  }
  for (const folder of places.values()) mkdirSync(folder, { recursive: true });
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, places.get(value) ?? value]));
}
