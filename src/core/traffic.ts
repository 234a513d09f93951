import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';

/** What a deployment may ask of the gateway: invariant 8, make before break. */
export interface TrafficControl {
  /** The releases that may take traffic from now on; before, during and after a rollout these differ. */
  allowReleases(application: ApplicationName, releases: readonly ReleaseId[]): void;
  /** Reads the platform now and resolves when a table that offers the release there was applied by every worker. */
  introduce(application: ApplicationName, platform: PlatformName, release: ReleaseId): Promise<void>;
  /** Takes a release's own origins out of the table; resolves when every worker drained them. */
  withdraw(application: ApplicationName, platform: PlatformName, release: ReleaseId): Promise<void>;
}

/** For an orchestrator that runs alone, with no gateway to ask. */
export const noTraffic: TrafficControl = {
  allowReleases() {},
  async introduce() {},
  async withdraw() {},
};
