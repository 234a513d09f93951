import type { PackedSamples } from './samples.ts';

export interface LoadSetting {
  readonly port: number;
  readonly ratePerSecond: number;
  /** Every how manieth request is a POST. */
  readonly unsafeEvery: number;
  readonly timeoutMs: number;
  readonly bodyBytes: number;
}

/** To the load. `collect` gives what ended since the last time; `stop` ends it once nothing is under way. */
export type LoadOrder =
  | { readonly kind: 'start'; readonly setting: LoadSetting }
  | { readonly kind: 'collect' }
  | { readonly kind: 'stop' };

export type LoadWord = Progress | Collected | { readonly kind: 'stopped' };

/** Answers by side since the last word, a few times a second. */
export interface Progress {
  readonly kind: 'progress';
  readonly primary: number;
  readonly secondary: number;
  readonly other: number;
}

export interface Collected {
  readonly kind: 'collected';
  readonly samples: PackedSamples;
  /** The longest that the load generator itself came late since the last time: what the machine did, not the proxy. */
  readonly lateMs: number;
}
