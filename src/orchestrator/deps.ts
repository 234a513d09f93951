import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { TrafficControl } from '../core/traffic.ts';
import type { BundleStore } from './bundle-store.ts';
import type { ReleaseProbe } from './context.ts';

/** The outside world of the orchestrator, the same in a controller and in a command that works alone. */
export interface OrchestratorDeps {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly bundles: BundleStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly traffic: TrafficControl;
  readonly probe: ReleaseProbe;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  /** False for platforms where nothing is deployed (`static`). */
  readonly deploysTo: (platform: PlatformName) => boolean;
  readonly uniqueId: () => string;
  /** HMAC key of this installation. */
  readonly hashKey: string;
  readonly by: 'server' | 'command';
  /** Why no deployment may begin there now; undefined: it may. */
  readonly frozen?: (application: ApplicationName, platform: PlatformName) => string | undefined;
  /** Why no next step may follow now while clients meet two releases; undefined: it may. */
  readonly paused?: (application: ApplicationName, platforms: readonly PlatformName[]) => string | undefined;
  /** Platforms whose own release does not answer either: what fails there is no fault of one that is tried. */
  readonly down?: (application: ApplicationName) => readonly PlatformName[];
  /** How many instances it shall have there now: a deployment must not undo what a person or a failover wants. */
  readonly scaledTo?: (application: ApplicationName, platform: PlatformName) => number | undefined;
  /** A release is about to serve there: whoever had stopped it, it runs. */
  readonly started?: (application: ApplicationName, platform: PlatformName) => Promise<void>;
  readonly process: { readonly host: string; readonly pid: number };
  /** Who we are in a lease: `sluice deploy (pid 4711 on build-7)`. */
  readonly holder: string;
}
