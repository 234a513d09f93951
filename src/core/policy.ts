import type { Decision, Shares, ShedClass } from './decision.ts';
import type { Facts } from './facts.ts';
import type { PlatformName } from './ids.ts';
import type { PolicySettings } from './settings.ts';

/**
 * A policy: no I/O, no clock, no randomness. What it must remember it hands back and is given again next time.
 *
 * @example
 * const { decision, state } = decide(settings.policy, facts, INITIAL_POLICY_STATE, clock.now());
 */
export type Decide = (
  policy: PolicySettings,
  facts: Facts,
  state: PolicyState,
  now: number,
) => { readonly decision: Decision; readonly state: PolicyState };

/** What a policy remembers from one decision to the next. Plain JSON. */
export interface PolicyState {
  /** What was decided last. */
  readonly shares: Shares;
  /** The last shares of which every holder was known to serve. */
  readonly lastGood: Shares;
  readonly targets: Readonly<Record<PlatformName, TargetMemory>>;
  /** Everything but demand; while it stays, small changes of shares are not worth a new table. */
  readonly shape?: Shape;
  /** Automatic failovers within the last hour, epoch milliseconds. */
  readonly failovers?: readonly number[];
  /** Voluntary moves of the last minute: when, and how much of all traffic. */
  readonly shifts?: readonly { readonly at: number; readonly part: number }[];
  /** Since when each rule's condition has held, by rule and platform. */
  readonly holding?: Readonly<Record<string, number>>;
  /** From whom rules took traffic: the part of its share that is left, how often, and how long it stays so. */
  readonly displaced?: Readonly<
    Record<PlatformName, { readonly part: number; readonly times: number; readonly until: number }>
  >;
  /** What is being shed: it grows at once and falls when less has been enough for a while. */
  readonly shedding?: Shedding;
  readonly panicSince?: number;
  /** When panic's reason ended; it lasts `exitAfterMs` longer. */
  readonly calmSince?: number;
  readonly frozen?: { readonly since: number; readonly why: string };
  /** `ready`: its promotion is done; `since`: when it was chosen, epoch milliseconds. */
  readonly writer?: {
    readonly platform: PlatformName;
    readonly epoch: number;
    readonly ready: boolean;
    readonly since: number;
  };
  /** Who missed the objectives of `cost`: how often, and until when it comes last. */
  readonly missed?: Readonly<Record<PlatformName, { readonly times: number; readonly until: number }>>;
  /** Instances before the failover that scaled them, to go back to. */
  readonly scaledFrom?: Readonly<
    Record<PlatformName, { readonly instances: number; readonly since: number }>
  >;
}

export interface Shedding {
  /** Of all requests. */
  readonly part: number;
  /** As decided, and kept as long as it fits. */
  readonly by?: readonly ShedClass[];
  /** Since when less would do, and the most of what would have done since then. */
  readonly lower?: { readonly since: number; readonly most: number };
}

/** All that may move traffic at once, and not by and by. */
export interface Shape {
  /** The policy as text: who reads a new one begins anew. */
  readonly policy: string;
  readonly mode: Decision['mode'];
  /** In the order of the facts. */
  readonly targets: readonly {
    readonly platform: PlatformName;
    readonly rank: 'serving' | 'unknown' | 'none';
    readonly membership: Membership['kind'] | undefined;
    readonly step: number;
    readonly tier: number;
    readonly weight: number;
    readonly availability: number;
    readonly capacityRps: number | undefined;
    readonly impaired: boolean;
  }[];
}

export interface TargetMemory {
  readonly membership: Membership;
  /** When traffic had to leave it, epoch milliseconds, within the last hour. */
  readonly failovers: readonly number[];
  readonly flapping?: boolean;
}

export type Membership =
  /** Was never seen serving: it may join at once. */
  | { readonly kind: 'fresh' }
  /** Has its full share. */
  | { readonly kind: 'in' }
  /** Left because it was down or not eligible; `drained`: because somebody wanted it so. */
  | { readonly kind: 'out'; readonly since: number; readonly drained?: boolean }
  /** Serves again and waits out its hold-down. */
  | { readonly kind: 'held'; readonly since: number; readonly until: number }
  /** Comes back step by step; `step` counts from 0. */
  | { readonly kind: 'ramping'; readonly step: number; readonly since: number };

export const INITIAL_POLICY_STATE: PolicyState = { shares: {}, lastGood: {}, targets: {} };
