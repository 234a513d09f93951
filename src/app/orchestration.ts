import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { PROVIDERS } from '../../providers/registry.ts';
import type { Clock, EventLog, Logger, Random, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { TrafficControl } from '../core/traffic.ts';
import { bundleStore } from '../orchestrator/bundle-store.ts';
import type { ReleaseProbe } from '../orchestrator/context.ts';
import { createOrchestrator, type Orchestrator } from '../orchestrator/orchestrator.ts';

export interface OrchestrationDeps {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly traffic: TrafficControl;
  readonly probe: ReleaseProbe;
  readonly providers: ReadonlyMap<string, PlatformProvider>;
  /** What this process does, for whoever waits for its lease: `sluice serve`. */
  readonly what: string;
  readonly by: 'server' | 'command';
}

export function uniqueId(): string {
  return randomBytes(6).toString('hex');
}

export function openProviders(
  settings: Settings,
  deps: { clock: Clock; random: Random; logger: Logger },
): ReadonlyMap<string, PlatformProvider> {
  const providers = new Map<string, PlatformProvider>();
  for (const platform of Object.values(settings.platforms)) {
    const registration = PROVIDERS[platform.provider];
    if (!registration)
      throw new Error(`the configuration let an unknown provider through: ${platform.provider}`);
    providers.set(platform.name, registration.create({ platform: platform.name, ...deps }, platform.options));
  }
  return providers;
}

/** The orchestrator with everything it stands on; the same in the controller and in a command that works alone. */
export async function openOrchestrator(deps: OrchestrationDeps): Promise<Orchestrator> {
  const { settings, store } = deps;
  return createOrchestrator({
    ...deps,
    bundles: await bundleStore(store, uniqueId),
    deploysTo: (name) => PROVIDERS[settings.platforms[name]?.provider ?? '']?.deploys ?? false,
    uniqueId,
    hashKey: await hashKey(store),
    process: { host: hostname(), pid: process.pid },
    holder: `${deps.what} (pid ${process.pid} on ${hostname()})`,
  });
}

/** Made once per installation: release ids stay comparable, and their hashes tell nothing of the secrets inside. */
async function hashKey(store: StateStore): Promise<string> {
  const kept = await store.get('keys', 'release-hmac');
  if (typeof kept === 'string') return kept;
  const made = randomBytes(32).toString('hex');
  await store.put('keys', 'release-hmac', made);
  return made;
}
