import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';

/** What a deployment may ask of the gateway: invariant 8, make before break. */
export interface TrafficControl {
  /** The releases that may take traffic from now on; before, during and after a rollout these differ. */
  allowReleases(application: ApplicationName, releases: readonly ReleaseId[]): void;
  /** Reads the platform now and resolves when a table that offers the release there was applied by every worker. */
  introduce(application: ApplicationName, platform: PlatformName, release: ReleaseId): Promise<void>;
  /** Takes a release's own origins out of the table; resolves when every worker drained them. */
  withdraw(application: ApplicationName, platform: PlatformName, release: ReleaseId): Promise<void>;
  /**
   * Gives `part` (0 to 1) of every platform's share to the trials of `release` there; resolves when every worker
   * applied it. 0: nothing new goes to a trial, and what is under way there has drained. A platform whose trial does
   * not answer keeps its share for its own origins. A controller that starts anew splits nothing until it is told again.
   */
  split(application: ApplicationName, release: ReleaseId, part: number): Promise<void>;
  /**
   * What clients met since then (epoch milliseconds, at most an hour ago), for each platform: the trial, and what it is
   * compared with: also what that did in the last two minutes before, where the application is configured for
   * `canary` or `bluegreen`.
   */
  outcomes(application: ApplicationName, since: number): readonly ReleaseOutcome[];
}

/** First attempts only: a request that was saved elsewhere failed here all the same. */
export interface ReleaseOutcome {
  readonly platform: PlatformName;
  readonly release: ReleaseId | undefined;
  readonly trial: boolean;
  readonly requests: number;
  /** No answer, or a status from 500 up. */
  readonly failed: number;
  /** Milliseconds; undefined: nothing answered. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
}

/** What stopping and restarting ask of the gateway; platforms and instances leave the table before they end. */
export interface PlatformTraffic {
  /** Once requests go elsewhere and what was under way there has ended; false: it still gets some. */
  emptied(application: ApplicationName, platform: PlatformName): Promise<boolean>;
  /** Takes these addresses out of the table; resolves when every worker drained them. */
  leave(application: ApplicationName, platform: PlatformName, urls: readonly string[]): Promise<void>;
  /** Reads the platform now; false: not all of these are in the table within a while. */
  join(application: ApplicationName, platform: PlatformName, urls: readonly string[]): Promise<boolean>;
}

export const noPlatformTraffic: PlatformTraffic = {
  emptied: async () => true,
  async leave() {},
  join: async () => true,
};

/** For an orchestrator that runs alone, with no gateway to ask. */
export const noTraffic: TrafficControl = {
  allowReleases() {},
  async introduce() {},
  async withdraw() {},
  async split() {},
  outcomes: () => [],
};
