import type { DriftStatus } from '../core/drift.ts';
import { DEFAULT_DRIFT } from '../core/drift.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { PlatformSignal } from '../core/signals.ts';
import type { Deployed } from './as-deployed.ts';
import type { BundleStore } from './bundle-store.ts';
import { driftRecordsIn } from './drift-records.ts';
import { WatchedTarget } from './drift-target.ts';
import type { LeaseIdentity } from './lease.ts';

export interface DriftDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly bundles: Pick<BundleStore, 'find'>;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly deploysTo: (platform: PlatformName) => boolean;
  readonly deployed: Deployed;
  readonly identity: LeaseIdentity;
  /** Why what is there is about to change by ourselves, and must not be compared now. */
  readonly inFlux: (application: ApplicationName, platform: PlatformName) => string | undefined;
  /** Why nothing may be written there now. */
  readonly forbidden: (application: ApplicationName, platform: PlatformName) => string | undefined;
}

/** Compares what platforms say with what was deployed there, all the time, and puts it back where that is wished. */
export interface DriftWatch {
  /** A platform was read. One that did not answer says nothing: not knowing never causes a write. */
  hear(signal: PlatformSignal): void;
  /** Undefined until it was compared for the first time. */
  status(application: ApplicationName, platform: PlatformName): DriftStatus | undefined;
  /** Begins nothing more; resolves when nothing is being written. */
  close(): Promise<void>;
}

export function createDriftWatch(deps: DriftDeps): DriftWatch {
  const targets = new Map<string, WatchedTarget>();
  const records = driftRecordsIn(deps.store);
  const quitting = new AbortController();

  function targetOf(application: ApplicationName, platform: PlatformName): WatchedTarget {
    const key = `${application} ${platform}`;
    const target =
      targets.get(key) ?? new WatchedTarget(application, platform, deps, records, quitting.signal);
    targets.set(key, target);
    return target;
  }

  function isWatched(application: ApplicationName, platform: PlatformName): boolean {
    const settings = deps.settings.applications[application];
    if (settings === undefined || (settings.drift ?? DEFAULT_DRIFT).mode === 'off') return false;
    return deps.deploysTo(platform) && settings.targets.some((target) => target.platform === platform);
  }

  return {
    hear({ application, platform, observation }) {
      if (observation === undefined || quitting.signal.aborted || !isWatched(application, platform)) return;
      targetOf(application, platform).hear(observation);
    },
    status: (application, platform) =>
      isWatched(application, platform) ? targets.get(`${application} ${platform}`)?.status : undefined,
    async close() {
      quitting.abort();
      await Promise.all([...targets.values()].map((target) => target.settled()));
    },
  };
}
