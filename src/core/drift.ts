import type { WireError } from './errors.ts';
import type { PlanChange } from './provider.ts';

/** What is done about a platform that is no longer as it was deployed. */
export interface DriftSettings {
  readonly mode: 'report' | 'heal' | 'off';
  /** Between two comparisons of a platform that is as it should be. */
  readonly everyMs: number;
  /** `instances`, `env.LOG_LEVEL`, `env.*`, `routes`, …: somebody else keeps them. */
  readonly ignore: readonly string[];
  /** Set once, where nothing is yet; the platform's own from then on. */
  readonly seed: readonly string[];
}

export const DEFAULT_DRIFT: DriftSettings = { mode: 'report', everyMs: 30_000, ignore: [], seed: [] };

/** One field that differs, as `sluice plan` would print it: never a secret value. */
export type DriftField = Pick<PlanChange, 'field' | 'from' | 'to'>;

/** How one platform stands to what was deployed there. */
export interface DriftStatus {
  /**
   * `none`: as deployed. `found`: it differs. `healing`: it is being put back. `unhealed`: a person is needed.
   * `outdated`: the configuration changed since and was not deployed, so there is nothing to compare with.
   */
  readonly state: 'none' | 'found' | 'healing' | 'unhealed' | 'outdated';
  /** Epoch milliseconds: since when it is so. */
  readonly since: number;
  readonly fields: readonly DriftField[];
  /** Carries our name and not our stamp: reported, never touched. */
  readonly foreign: readonly string[];
  /** How often it was put back within the last hour. */
  readonly heals: number;
  /** Why it is not put back now. */
  readonly why?: string;
  readonly error?: WireError;
}
