import type { DeploymentPhase } from '../core/events.ts';
import type { ApplicationName, PlatformName, ReleaseId } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { Bundle, ObservedOrigin, PlatformProvider, TargetSpec } from '../core/provider.ts';
import type { ApplicationSettings, HealthSettings } from '../core/settings.ts';
import type { TrafficControl } from '../core/traffic.ts';
import type { OrchestratorDeps } from './deps.ts';
import type { Journal } from './journal.ts';
import type { Releases } from './releases.ts';

/** One request through a platform's own router: does it answer, and as which release? */
export type ReleaseProbe = (
  origin: ObservedOrigin & { readonly platform?: PlatformName },
  health: HealthSettings,
) => Promise<{ readonly ok: boolean; readonly detail: string; readonly release?: ReleaseId }>;

export interface Restored {
  /** As it was configured then. */
  readonly application: ApplicationSettings;
  readonly want: TargetSpec;
  readonly bundle: Bundle | undefined;
  readonly health: HealthSettings;
  /** What is not as it was then. */
  readonly notes: readonly string[];
}

/** What every step of a deployment works with. */
export interface DeploymentContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly journal: Journal;
  readonly releases: Releases;
  readonly store: StateStore;
  readonly traffic: TrafficControl;
  readonly probe: ReleaseProbe;
  readonly provider: (platform: PlatformName) => PlatformProvider;
  readonly frozen?: NonNullable<OrchestratorDeps['frozen']>;
  readonly scaledTo?: NonNullable<OrchestratorDeps['scaledTo']>;
  readonly paused?: NonNullable<OrchestratorDeps['paused']>;
  readonly down?: NonNullable<OrchestratorDeps['down']>;
  readonly started?: NonNullable<OrchestratorDeps['started']>;
  /** A release of before, with all it takes to run it on a platform again. */
  readonly restore: (
    application: ApplicationName,
    release: ReleaseId,
    platform: PlatformName,
  ) => Promise<Restored>;
  /** Aborted when the person asked to stop: honoured between steps, never within one. */
  readonly stop: AbortSignal;
  /** False once the lease is lost: no write may follow. */
  readonly mayWrite: () => boolean;
  /** Looks anew, before a write. */
  readonly confirmLease: () => Promise<boolean>;
}

export type Report = (phase: DeploymentPhase, message: string) => Promise<void>;
