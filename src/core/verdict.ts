/** What we believe about a target. `unknown` is also what a stale fact turns into. */
export type VerdictState = 'unknown' | 'starting' | 'up' | 'degraded' | 'down';

export interface Verdict {
  readonly state: VerdictState;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  /** One short clause a person can read: `3 probes failed: refused`. */
  readonly cause: string;
  /** The facts behind it, most telling first. */
  readonly evidence: readonly string[];
}
