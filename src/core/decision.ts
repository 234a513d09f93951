import type { ApplicationName, OriginId, PlatformName } from './ids.ts';
import type { ExplanationStep } from './status.ts';

/** Parts of new requests by platform, 0 to 1. They sum to 1, or all are 0. */
export type Shares = Readonly<Record<PlatformName, number>>;

/** A policy's answer for one application. */
export interface Decision {
  readonly application: ApplicationName;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly shares: Shares;
  readonly targets: Readonly<Record<PlatformName, TargetDecision>>;
  /** `last-known`: nothing can serve, so what served last stays; `panic`: too little can. */
  readonly mode: 'normal' | 'panic' | 'last-known';
  /** One sentence: why traffic is where it is. */
  readonly summary: string;
  /** Why it is not as it was before; empty when nothing moved. One line each. */
  readonly reasons: readonly string[];
  /** The proof: what every layer found, in the order in which they ran. */
  readonly proof: readonly ExplanationStep[];
}

export interface TargetDecision {
  readonly share: number;
  /** `off` is not in the table at all; the others as in `TableTarget`. */
  readonly state: 'active' | 'spare' | 'draining' | 'off';
  /** The origins that may be used, in the order of the facts. */
  readonly origins: readonly OriginId[];
}
