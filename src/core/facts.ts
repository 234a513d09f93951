import type { ApplicationName, OriginId, PlatformName, ReleaseId } from './ids.ts';
import type { Verdict } from './verdict.ts';

/**
 * All that a policy may look at for one application, at one moment. Plain JSON: the same facts give the same
 * decision in the gateway, in a test and in a replay.
 */
export interface Facts {
  readonly application: ApplicationName;
  /** Requests per second over all platforms, last 10 s; 0 when nothing is known yet. */
  readonly demandRps: number;
  /** Releases that may serve; empty: any. Two of them while a rollout is under way. */
  readonly allowedReleases: readonly ReleaseId[];
  /** In the order of the configuration. */
  readonly targets: readonly TargetFacts[];
}

export interface TargetFacts {
  readonly platform: PlatformName;
  /** 1 is tried first. */
  readonly tier: number;
  readonly weight: number;
  readonly verdict: Verdict;
  readonly origins: readonly OriginFacts[];
  /** Requests per second when every instance runs; undefined: unknown, then never a reason to spill. */
  readonly capacityRps: number | undefined;
  /** Part of that capacity which is there now: running ÷ desired instances, origins up ÷ origins; 0 to 1. */
  readonly availability: number;
  /** `static` targets run what they run: no release is asked of them. */
  readonly releaseMatters: boolean;
  readonly traffic: TrafficFacts;
}

export interface OriginFacts {
  readonly id: OriginId;
  readonly state: 'unknown' | 'up' | 'down';
  /** What the platform says this origin runs, where an origin is one instance. */
  readonly declared: ReleaseId | undefined;
  /**
   * Releases that answered the last successful probes, newest first; `undefined` in it is an answer that named
   * none. Empty when the health rule does not say where a release names itself, or nothing answered yet.
   */
  readonly answered: readonly (ReleaseId | undefined)[];
}

/** What workers saw of a target in the last 10 s. */
export interface TrafficFacts {
  readonly attempts: number;
  readonly failed: number;
  readonly rps: number;
  /** Milliseconds; 0 when nothing answered. */
  readonly p95Ms: number;
}
