import { PROVIDERS } from '../../providers/registry.ts';
import type { StateStore } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import {
  createServiceWatch,
  type ServiceWatch,
  type ServiceWatchDeps,
} from '../orchestrator/service-watch.ts';
import { installationKey } from './installation-key.ts';

export interface ServiceWatchingDeps extends Omit<ServiceWatchDeps, 'settings' | 'hashKey' | 'deploysTo'> {
  readonly settings: Settings;
  readonly store: StateStore;
}

/** What services hand out, compared by this controller under the key that release ids have. */
export async function watchServices({
  settings,
  store,
  ...deps
}: ServiceWatchingDeps): Promise<ServiceWatch> {
  return createServiceWatch({
    ...{ ...deps, settings },
    hashKey: await installationKey(store, 'release-hmac'),
    deploysTo: (name) => PROVIDERS[settings.platforms[name]?.provider ?? '']?.deploys ?? false,
  });
}
