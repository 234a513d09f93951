export type SoakOriginWord = { readonly kind: 'listening' };

export interface SoakLoadSetting {
  readonly port: number;
  readonly users: number;
  readonly seed: number;
}

/** To the users. `leave` ends them: what is under way is finished or given up, every connection is closed. */
export type SoakOrder =
  | { readonly kind: 'come'; readonly setting: SoakLoadSetting }
  | { readonly kind: 'leave' };

export type SoakWord = { readonly kind: 'tally'; readonly tally: Tally } | { readonly kind: 'left' };

/** What became of everything since the beginning. */
export interface Tally {
  readonly done: number;
  /** Given up by us on purpose, wherever that was. */
  readonly aborted: number;
  /** An answer began and its end was missing: an origin died under it. */
  readonly cut: number;
  /** A safe request without any answer, or with one that is no success. */
  readonly safeFailed: number;
  /** The same for uploads and upgrades, which nobody may send again. */
  readonly otherFailed: number;
  /** How safe requests failed. */
  readonly reasons: Readonly<Record<string, number>>;
}

export const NOTHING_YET: Tally = {
  done: 0,
  aborted: 0,
  cut: 0,
  safeFailed: 0,
  otherFailed: 0,
  reasons: {},
};

/** To the idle clients, and what they say. */
export type IdleOrder = { readonly kind: 'come'; readonly port: number; readonly clients: number };
export type IdleWord = { readonly kind: 'here'; readonly answered: number; readonly why: string | undefined };
