/** What a platform itself tells of an application: starts, crashes, what others did there. */
export interface PlatformEvent {
  /** The platform's own; another one where the same thing happened again. */
  readonly id: string;
  /** Epoch milliseconds by the platform's clock. */
  readonly at: number;
  /** In the platform's words: `audit.app.process.crash`, `BackOff`, `exited`. */
  readonly kind: string;
  /** One line for a person; never a value of the environment. */
  readonly text: string;
  /** How often it has happened, where the platform counts. */
  readonly count?: number;
}

/** Which part: since when at first, then what came after a cursor. */
export interface PlatformEventsQuery {
  /** At most this many, the newest. */
  readonly most: number;
  /** Epoch milliseconds; only of the first part. */
  readonly since?: number;
  /** The last part's. */
  readonly after?: string;
}

export interface PlatformEventsPage {
  /** Oldest first. One may come twice, with the same id. */
  readonly events: readonly PlatformEvent[];
  readonly cursor: string;
}
