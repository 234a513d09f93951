import type { PlatformName } from './ids.ts';

/** Who says how many instances run, besides `instances`: the clock and the load. */
export interface AutoscaleSettings {
  readonly schedule: readonly ScheduledSize[];
  readonly load?: LoadSettings;
}

/** From then on, until another one's time comes. */
export interface ScheduledSize {
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly instances: number;
  /** Undefined: on all platforms. */
  readonly on?: readonly PlatformName[];
}

/** Of several targets the one that wants most instances has its way. */
export interface LoadSettings {
  /** Requests a second that one instance is to have. */
  readonly rpsPerInstance?: number;
  /** 95th percentile of the time to the response head. */
  readonly latencyMs?: number;
  /** Share of one core that one instance is to use. */
  readonly cpu?: number;
  readonly min: number;
  readonly max: number;
  /** It shrinks to what was wanted at most within this time. */
  readonly coolDownMs: number;
}

/** One platform's load, as far as it is known. */
export interface LoadFacts {
  readonly running: number;
  readonly desired: number;
  readonly rps: number;
  /** 0: nothing answered. */
  readonly p95Ms: number;
  /** Average of the instances that tell; undefined: none does. */
  readonly cpu: number | undefined;
}

/** What was wanted within the last cool-down. */
export type LoadMemory = readonly { readonly at: number; readonly wanted: number }[];
