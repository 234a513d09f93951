/** How a release comes to all platforms of an application: `applications.NAME.deploy`, decoded. */
export interface DeploySettings {
  /**
   * `rolling` replaces in place. `bluegreen` runs the new release beside the old one at full size and gives it all
   * traffic at once; `canary` gives it more and more. Both go on in place once it has proved itself.
   */
  readonly strategy: 'rolling' | 'bluegreen' | 'canary';
  /** Parts of every platform's traffic, rising, 0 to 1: the same everywhere at the same time. Empty for `rolling`. */
  readonly steps: readonly number[];
  /** How long each step is watched at least. */
  readonly everyMs: number;
  /** First attempts that must have met the new release in a step before it is passed. */
  readonly minRequests: number;
  readonly gates: GateSettings;
  /** How long the ready ones wait for the others before the next step. */
  readonly barrierMs: number;
  readonly onTargetFailure: TargetFailureRule;
  /** How long two releases may serve. */
  readonly maxSkewMs: number;
  /** `manual`: clients go back to the old release, the rest stays as it is for a person to look at. */
  readonly rollback: 'auto' | 'manual';
}

export interface GateSettings {
  /** Part of the requests that may fail more often than with the old release, 0 to 1. */
  readonly errorRate: number;
  /** How many times the old release's p95 the new one may take. */
  readonly latency: number;
}

export type TargetFailureRule =
  /** One that fails takes all back. */
  | { readonly kind: 'abort-all' }
  /** Each platform for itself. */
  | { readonly kind: 'continue' }
  /** Go on as long as so many platforms have it. */
  | { readonly kind: 'quorum'; readonly of: number };

export const DEFAULT_CANARY_STEPS: readonly number[] = [0.05, 0.25, 0.5];

export const DEFAULT_DEPLOY: DeploySettings = {
  strategy: 'rolling',
  steps: [],
  everyMs: 60_000,
  minRequests: 100,
  gates: { errorRate: 0.01, latency: 1.5 },
  barrierMs: 120_000,
  onTargetFailure: { kind: 'continue' },
  maxSkewMs: 1_800_000,
  rollback: 'auto',
};
