import type { Facts } from './facts.ts';
import type { PlatformName } from './ids.ts';
import type { PolicyState } from './policy.ts';

/**
 * A condition over facts, written in CEL, type-checked and compiled where the configuration is read. Asking never
 * throws: what cannot be known makes it false, and `unknown` never causes an act.
 */
export interface Predicate {
  /** As written. */
  readonly text: string;
  /** True when it speaks of `target`: then it is asked for each target, else once. */
  readonly perTarget: boolean;
  holds(subject: PredicateSubject): boolean;
}

export interface PredicateSubject {
  readonly facts: Facts;
  readonly state: PolicyState;
  /** Set when it is asked for one target. */
  readonly platform: PlatformName | undefined;
  readonly now: number;
}
