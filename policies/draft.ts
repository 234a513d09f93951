import type { Decision, Shares, ShedClass } from '../src/core/decision.ts';
import type { Facts, OriginFacts, TargetFacts } from '../src/core/facts.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { Intent } from '../src/core/intent.ts';
import type { PolicyState, Shape, TargetMemory } from '../src/core/policy.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import type { ExplanationStep } from '../src/core/status.ts';
import type { Orders } from './orders.ts';

/** A decision in the making. Layers do not edit it; each hands on a new one. */
export interface Draft {
  readonly policy: PolicySettings;
  readonly facts: Facts;
  readonly before: PolicyState;
  readonly now: number;
  readonly candidates: readonly Candidate[];
  /** Whom the strategy prefers: group after group, by weight within a group. */
  readonly preference: Preference;
  readonly shares: Shares;
  readonly orders: Orders;
  /** We ourselves are cut off: what we see is no reason to move anything. */
  readonly blind: boolean;
  /** The shares if only what had to move did: where safety and pace fall back to. */
  readonly forced: Shares;
  readonly intents: readonly Intent[];
  /** What the next decision is to remember beside shares and targets. */
  readonly keep: Omit<PolicyState, 'shares' | 'lastGood' | 'targets' | 'shape'>;
  /** A rule asks for more capacity. */
  readonly scaling: boolean;
  /** Part of the requests to answer 503 at once. */
  readonly shed: number;
  /** The same by priority of the routes; undefined: of all alike. */
  readonly shedBy?: readonly ShedClass[] | undefined;
  readonly memory: Readonly<Record<PlatformName, TargetMemory>>;
  readonly mode: Decision['mode'];
  readonly shape: Shape | undefined;
  /** Every layer adds to it (`withStep`). */
  readonly proof: Step[];
}

export interface Candidate {
  readonly facts: TargetFacts;
  readonly platform: PlatformName;
  readonly eligible: boolean;
  /** Drained by a person or for maintenance: it serves when nobody else can. */
  readonly drained: boolean;
  /** It runs nothing until it is needed, and may be woken. */
  readonly asleep: boolean;
  /** Nothing goes there, whatever happens. */
  readonly fenced: boolean;
  /** Why it is not eligible, for people. */
  readonly objection: string | undefined;
  /** Those of its origins that run a release which may serve. */
  readonly origins: readonly OriginFacts[];
  readonly rank: Rank;
  /** Part of the demand that it can carry, overprovision included; Infinity when unknown. */
  readonly limit: number;
}

/** How much we trust a target to answer: `serving` before `unknown`; `none` takes nothing while others can. */
export type Rank = 'serving' | 'unknown' | 'none';

export type Preference = readonly (readonly { readonly platform: PlatformName; readonly weight: number }[])[];

export type Layer = (draft: Draft) => Draft;

/** What a layer found. Lines about every target are written when somebody reads them: of most decisions nobody does. */
export interface Step {
  readonly stage: ExplanationStep['stage'];
  readonly lines: readonly string[] | (() => readonly string[]);
}

/**
 * Adds what a layer found to the proof, which is one list for the whole decision: most layers of most decisions have
 * found nothing that a draft of their own would be worth.
 */
export function withStep(draft: Draft, stage: Step['stage'], lines: Step['lines']): Draft {
  draft.proof.push({ stage, lines });
  return draft;
}

export function proofOf(steps: readonly Step[]): readonly ExplanationStep[] {
  return steps.map(({ stage, lines }) => ({ stage, lines: typeof lines === 'function' ? lines() : lines }));
}

/** A platform's share, 0 when it has none. */
export function shareOf(shares: Shares, platform: PlatformName): number {
  return shares[platform] ?? 0;
}

/** 1, or 0 when nobody has one; between them while some are yet to be given. */
export function totalOf(shares: Shares): number {
  let total = 0;
  for (const platform in shares) total += shareOf(shares, platform);
  return total;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/** The same proportions with a sum of 1; nothing stays nothing. */
export function normalised(shares: Shares): Shares {
  const total = totalOf(shares);
  if (total <= 0 || total === 1) return shares;
  const out: Record<PlatformName, number> = {};
  for (const platform in shares) out[platform] = shareOf(shares, platform) / total;
  return out;
}
