/** Whether a failover to a target would succeed, one question at a time. */
export interface ReadinessCheck {
  readonly name:
    | 'credentials'
    | 'quota'
    | 'waking'
    | 'release'
    | 'certificate'
    | 'secrets'
    | 'drill'
    | 'coverage';
  /** `unknown` is no alarm: nobody says, or nobody has tried. */
  readonly state: 'ok' | 'failed' | 'unknown';
  /** A short clause, the target left out: `its API refuses our credentials`. */
  readonly detail: string;
}

/** All questions of one target, in the order in which a failover would meet them. */
export type Readiness = readonly ReadinessCheck[];
