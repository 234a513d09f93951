import type { ApplicationName, OriginId, PlatformName } from './ids.ts';
import type { Intent } from './intent.ts';
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
  /** `last-known`: nothing can serve, so what served last stays; `panic`: too little can; `outage`: nobody may serve. */
  readonly mode: 'normal' | 'panic' | 'last-known' | 'outage';
  /** What should be done beside moving traffic. */
  readonly intents?: readonly Intent[];
  /** For each target: part of the demand that the others would carry if it died now (N−1 coverage), 0 to 1. */
  readonly coverage?: Readonly<Record<PlatformName, number>>;
  /** Part of the requests to answer 503 at once, 0 to 1 (`overload: shed`, panic mode `shed`). */
  readonly shed?: number;
  /** The same by priority of the routes, lowest first; left out: of all routes alike. */
  readonly shedBy?: readonly ShedClass[];
  /** With `writes: single`: where unsafe requests go. */
  readonly writer?: { readonly platform: PlatformName; readonly epoch: number };
  /** Who is to be the next one, while there is none. */
  readonly promoting?: { readonly platform: PlatformName; readonly epoch: number };
  /** Automation is frozen until a person looks: since when and why. */
  readonly frozen?: { readonly since: number; readonly why: string };
  /** Any later moment decides alike from the same facts: there is nothing to decide until something is heard. */
  readonly timeless?: true;
  /** One sentence: why traffic is where it is. */
  readonly summary: string;
  /** Why it is not as it was before; empty when nothing moved. One line each. */
  readonly reasons: readonly string[];
  /** The proof: what every layer found, in the order in which they ran. Written when somebody asks for it. */
  readonly proof: () => readonly ExplanationStep[];
}

export interface ShedClass {
  readonly priority: number;
  /** Part of its requests to answer 503 at once, 0 to 1. */
  readonly part: number;
}

export interface TargetDecision {
  readonly share: number;
  /** `off` is not in the table at all; the others as in `TableTarget`. */
  readonly state: 'active' | 'spare' | 'draining' | 'off';
  /** The origins that may be used, in the order of the facts. */
  readonly origins: readonly OriginId[];
}
