import type { PlatformName } from './ids.ts';
import type { Predicate } from './predicate.ts';
import type { Window } from './window.ts';

/** `primary`: one platform at a time. */
export interface PrimarySettings {
  /** Best first; platforms left out come last, in the order of the configuration. */
  readonly order: readonly PlatformName[];
  /**
   * `failover`: stay where we are until that one is down. `best`: go back as soon as a better one can serve.
   * `strict`: the first of the order or nobody.
   */
  readonly switch: 'failover' | 'best' | 'strict';
}

/** Nagios' flap detection: changes of state among the last 21 checks, the newer ones weighing more. */
export interface FlapSettings {
  /** Flapping from this part of changes on, 0 to 1 … */
  readonly start: number;
  /** … until it has fallen below this. */
  readonly stop: number;
}

export interface PanicSettings {
  /** Part of the needed capacity that must be healthy, 0 to 1. */
  readonly below: number;
  readonly mode: PanicMode;
  /** Capacity must have been enough for this long before panic ends. */
  readonly exitAfterMs: number;
}

/**
 * `last-known-good`: the last shares of which every holder served. `fail-open`: everybody that may, whatever we
 * believe of it. `shed`: what fits is served and the rest answered 503, lowest priority first. `static`: a page.
 */
export type PanicMode = 'last-known-good' | 'fail-open' | 'shed' | 'static';

/** While it is open the target is drained as by an operator, unless `unless` holds. */
export interface MaintenanceWindow {
  readonly platform: PlatformName;
  readonly window: Window;
  readonly unless?: Predicate;
}

/** While it is open none of these begins. */
export interface FreezeWindow {
  readonly window: Window;
  readonly deny: readonly ('deploy' | 'drill' | 'failback' | 'scale')[];
}

export interface PolicyRule {
  readonly name: string;
  /** Higher first; the first proposal for a target wins. */
  readonly priority: number;
  readonly when: Predicate;
  /** It must hold without interruption for this long. */
  readonly forMs: number;
  readonly act: RuleAct;
}

export type RuleAct =
  /** Takes this part of a target's share away (1: all), `by` a step, one step each `everyMs`. */
  | { readonly kind: 'shift'; readonly by: number; readonly everyMs: number }
  | { readonly kind: 'drain' }
  /** The other targets grow to the demand. */
  | { readonly kind: 'scale' }
  | { readonly kind: 'notify'; readonly text: string }
  /** Asks a person. */
  | { readonly kind: 'propose'; readonly what: 'drain' | 'rollback' };

/** Evaluated last; may only veto or clamp voluntary moves. */
export type SafetyRule =
  | { readonly name: string; readonly kind: 'assert'; readonly that: Predicate; readonly unless?: 'panic' }
  /** Master switch: while it does not hold nothing voluntary happens. */
  | { readonly name: string; readonly kind: 'gate'; readonly open: Predicate }
  /** Healthy capacity of those with a share must be at least this part of the demand. */
  | { readonly name: string; readonly kind: 'floor'; readonly ratio: number };

/** Multi-window burn rate (SRE workbook): both windows must burn faster than `rate` × the budget. */
export interface BurnTrigger {
  readonly longMs: number;
  readonly shortMs: number;
  readonly rate: number;
  readonly act: RuleAct;
}

export interface ErrorBudget {
  /** 0.999: one request in a thousand may fail. */
  readonly objective: number;
  readonly triggers: readonly BurnTrigger[];
}

/** Prefers the cheaper targets while the objectives hold. */
export interface CostSettings {
  readonly maxP95Ms: number | undefined;
  readonly maxErrorRatio: number | undefined;
}

export interface ScaleSettings {
  /** The survivors of a failover are scaled to the demand, within `maxInstances` of each target. */
  readonly withFailover: boolean;
  /** How long after failback until they shrink again. */
  readonly backAfterMs: number;
}

/** What becomes of clients of routes with `affinity` when traffic moves. Who is down or fenced keeps nobody. */
export interface StickinessSettings {
  /** How long clients may stay where somebody ordered a drain, or maintenance has begun. */
  readonly drainMs: number;
  /** `degraded`: it serves worse than the policy wants; `moved`: it has no share any more. */
  readonly breakOn: readonly ('degraded' | 'moved')[];
}

/** When a target that answers is called degraded; its weight then counts half. */
export interface DegradedSettings {
  /** p95 over 10 s, milliseconds. */
  readonly p95Ms: number | undefined;
  readonly errorRatio: number | undefined;
}
