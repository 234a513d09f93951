import type { ActKind } from './acts.ts';
import type { PlatformName } from './ids.ts';
import type { DataSettings, TargetSettings } from './settings.ts';

/** What `sluice simulate` plays: platforms, what befalls them, the demand over time, and what is expected of it. */
export interface SimulationScenario {
  readonly name: string;
  /** Epoch milliseconds: windows in cron mean something. */
  readonly startAt: number;
  readonly durationMs: number;
  /** By time, at least one; linear in between. */
  readonly demand: readonly { readonly atMs: number; readonly rps: number }[];
  readonly platforms: readonly ScenarioPlatform[];
  /** What the demand is for; none: all of it for one route. */
  readonly routes: readonly ScenarioRoute[];
  readonly acts: readonly ScenarioAct[];
  /** When a new release goes live, milliseconds from the start. */
  readonly releases: readonly number[];
  /** When this machine is cut off, from and to. */
  readonly cutOff: readonly Span[];
  /** When the state store does not answer. */
  readonly stateLost: readonly Span[];
  /** When this machine's calendar leaps, and how far (negative: back); its monotonic clock goes on. */
  readonly clockJumps: readonly { readonly atMs: number; readonly byMs: number }[];
  readonly data: DataSettings;
  readonly expect: readonly Expectation[];
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ScenarioRoute {
  readonly name: string;
  readonly priority: number;
  /** Of the demand; those of all routes sum to 1. */
  readonly part: number;
}

export interface ScenarioPlatform {
  readonly target: TargetSettings;
  /** Median, at rest. */
  readonly latencyMs: number;
  /** From an order to scale until the instances serve. */
  readonly scaleMs: number;
  readonly faults: readonly ScenarioFault[];
}

export type ScenarioFault = Span &
  (
    | { readonly kind: 'down' | 'frozen' | 'no-route' | 'api-down' | 'crashed' }
    /** Alternates between well and refused. */
    | { readonly kind: 'flapping'; readonly everyMs: number }
    /** This part of the answers is 500. */
    | { readonly kind: 'failing'; readonly errors: number }
    /** At once, or creeping up to it until the end. */
    | { readonly kind: 'slow' | 'creeping'; readonly latencyMs: number }
    | { readonly kind: 'instances'; readonly running: number }
  );

export interface ScenarioAct extends Span {
  readonly kind: ActKind;
  readonly platform: PlatformName | undefined;
}

export type Expectation =
  /** Part of all requests that nobody served, at most. */
  | { readonly kind: 'unserved'; readonly most: number }
  | { readonly kind: 'shifts'; readonly most: number }
  /** Shares at a moment, within `within`. */
  | {
      readonly kind: 'shares';
      readonly atMs: number;
      readonly shares: Readonly<Record<PlatformName, number>>;
      readonly within: number;
    }
  /** Parts of the demand of routes that are served at a moment, within `within`. */
  | {
      readonly kind: 'served';
      readonly atMs: number;
      readonly served: Readonly<Record<string, number>>;
      readonly within: number;
    }
  /** An event of this type whose line holds this text happened. */
  | {
      readonly kind: 'event';
      readonly type: string;
      readonly says: string;
      /** From the start; undefined: at any time. */
      readonly atMs: number | undefined;
      /** How much later it may be. */
      readonly withinMs: number;
    }
  /** It never happens. */
  | { readonly kind: 'no-event'; readonly type: string; readonly says: string };
