import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { PROVIDERS } from '../../providers/registry.ts';
import type { Clock, EventLog, Logger, Random, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { PlatformSettings, Settings } from '../core/settings.ts';
import type { TrafficControl } from '../core/traffic.ts';
import { createApiBudgets } from '../lib/api-budget.ts';
import { systemClock } from '../lib/clock.ts';
import { bundleStore } from '../orchestrator/bundle-store.ts';
import type { ReleaseProbe } from '../orchestrator/context.ts';
import type { OrchestratorDeps } from '../orchestrator/deps.ts';
import type { LeaseIdentity } from '../orchestrator/lease.ts';
import { createOrchestrator, type Orchestrator } from '../orchestrator/orchestrator.ts';
import { installationKey } from './installation-key.ts';
import { sameSettings } from './settings-changes.ts';

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
  readonly frozen?: NonNullable<OrchestratorDeps['frozen']>;
  readonly scaledTo?: NonNullable<OrchestratorDeps['scaledTo']>;
  readonly paused?: NonNullable<OrchestratorDeps['paused']>;
  readonly down?: NonNullable<OrchestratorDeps['down']>;
  readonly started?: NonNullable<OrchestratorDeps['started']>;
}

export function uniqueId(): string {
  return randomBytes(6).toString('hex');
}

/** One for the whole process: an account's limits count wherever in it a call is made. */
const BUDGETS = createApiBudgets(systemClock);

interface ProviderDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export function openProviders(settings: Settings, deps: ProviderDeps): Map<string, PlatformProvider> {
  const providers = new Map<string, PlatformProvider>();
  for (const platform of Object.values(settings.platforms)) {
    providers.set(platform.name, openProvider(platform, deps));
  }
  return providers;
}

/** In place, for those who hold the map: a provider whose platform changed is another one. Returns who is left over. */
export function renewProviders(
  providers: Map<string, PlatformProvider>,
  { before, next }: { readonly before: Settings; readonly next: Settings },
  deps: ProviderDeps,
): readonly PlatformProvider[] {
  const opened = new Map<string, PlatformProvider>();
  for (const platform of Object.values(next.platforms)) {
    const kept = providers.get(platform.name);
    const isSame = kept !== undefined && sameSettings(before.platforms[platform.name], platform);
    opened.set(platform.name, isSame ? kept : openProvider(platform, deps));
  }
  const over = [...providers.values()].filter((provider) => opened.get(provider.platform) !== provider);
  providers.clear();
  for (const [name, provider] of opened) providers.set(name, provider);
  return over;
}

function openProvider(platform: PlatformSettings, deps: ProviderDeps): PlatformProvider {
  const registration = PROVIDERS[platform.provider];
  if (!registration)
    throw new Error(`the configuration let an unknown provider through: ${platform.provider}`);
  return registration.create({ platform: platform.name, budgets: BUDGETS, ...deps }, platform.options);
}

/** The orchestrator with everything it stands on; the same in the controller and in a command that works alone. */
export async function openOrchestrator(deps: OrchestrationDeps): Promise<Orchestrator> {
  const { settings, store } = deps;
  return createOrchestrator({
    ...deps,
    ...leaseIdentity(deps.what),
    bundles: await bundleStore(store, uniqueId),
    deploysTo: (name) => PROVIDERS[settings.platforms[name]?.provider ?? '']?.deploys ?? false,
    // Release ids stay comparable, and their hashes tell nothing of the secrets inside.
    hashKey: await installationKey(store, 'release-hmac'),
  });
}

/** `what`: for whoever waits for our leases. */
export function leaseIdentity(what: string): LeaseIdentity {
  return {
    holder: `${what} (pid ${process.pid} on ${hostname()})`,
    process: { host: hostname(), pid: process.pid },
    uniqueId,
  };
}
