import type { Decision } from '../src/core/decision.ts';
import type { Facts } from '../src/core/facts.ts';
import type { PolicyState } from '../src/core/policy.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import { attribution } from './attribution.ts';
import { cost } from './cost.ts';
import { coverageOf } from './coverage.ts';
import { directed } from './directed.ts';
import { type Draft, type Layer, proofOf } from './draft.ts';
import { eligibility } from './eligibility.ts';
import { freeze } from './freeze.ts';
import { growth } from './growth.ts';
import { holdDown } from './hold-down.ts';
import { lowestLatency } from './lowest-latency.ts';
import { NO_ORDERS, orders } from './orders.ts';
import { pace, spend } from './pace.ts';
import { panic } from './panic.ts';
import { primary } from './primary.ts';
import { ramp } from './ramp.ts';
import { reasonsOf, summaryOf } from './reasons.ts';
import { rules } from './rules.ts';
import { safety } from './safety.ts';
import { settle } from './settle.ts';
import { shedding } from './shedding.ts';
import { spill } from './spill.ts';
import { targetsOf } from './targets.ts';
import { tiered } from './tiered.ts';
import { isTimeless } from './timeless.ts';
import { verdicts } from './verdicts.ts';
import { weighted } from './weighted.ts';
import { writes } from './writes.ts';

/** In the order of the design; each stands in its own file and explains itself. */
function layersWith(strategy: Layer): readonly Layer[] {
  return [
    attribution,
    orders,
    eligibility,
    verdicts,
    strategy,
    cost,
    directed,
    spill,
    holdDown,
    ramp,
    rules,
    pace,
    panic,
    freeze,
    safety,
    settle,
    spend,
    shedding,
    writes,
    growth,
  ];
}

/** What a strategy name in a policy file means. A strategy fills in `preference`, the layers do the rest. */
const STRATEGIES: Readonly<Record<PolicySettings['strategy'], readonly Layer[]>> = {
  tiered: layersWith(tiered),
  primary: layersWith(primary),
  weighted: layersWith(weighted),
  'lowest-latency': layersWith(lowestLatency),
};

/**
 * Where traffic goes, and why. Pure: equal arguments give an equal answer.
 *
 * @example
 * let state = INITIAL_POLICY_STATE;
 * const answer = decide(policy, facts, state, clock.now());
 * state = answer.state;
 */
export function decide(
  policy: PolicySettings,
  facts: Facts,
  state: PolicyState,
  now: number,
): { readonly decision: Decision; readonly state: PolicyState } {
  let draft = begin(policy, facts, state, now);
  for (const layer of STRATEGIES[policy.strategy]) draft = layer(draft);
  return { decision: decisionOf(draft), state: remembered(draft) };
}

/** Filled in and not put together of spreads: one is made for each application, again and again. */
function decisionOf(draft: Draft): Decision {
  const { facts, shares, mode, intents, shed, keep, proof } = draft;
  const decision: Writable<Decision> = {
    application: facts.application,
    at: draft.now,
    shares,
    targets: targetsOf(draft),
    mode,
    intents,
    coverage: coverageOf(draft),
    summary: summaryOf(draft),
    reasons: reasonsOf(draft),
    proof: () => proofOf(proof),
  };
  if (isTimeless(draft)) decision.timeless = true;
  if (shed > 0) decision.shed = shed;
  if (draft.shedBy !== undefined) decision.shedBy = draft.shedBy;
  if (keep.frozen !== undefined) decision.frozen = keep.frozen;
  if (facts.data?.writes === 'single' && keep.writer !== undefined) {
    // Nobody is the writer while the next one is being promoted.
    const { platform, epoch, ready } = keep.writer;
    if (ready) decision.writer = { platform, epoch };
    else decision.promoting = { platform, epoch };
  }
  return decision;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const NONE: readonly never[] = [];
const EMPTY = {};

function begin(policy: PolicySettings, facts: Facts, before: PolicyState, now: number): Draft {
  return {
    policy,
    facts,
    before,
    now,
    candidates: NONE,
    preference: NONE,
    shares: EMPTY,
    orders: NO_ORDERS,
    blind: false,
    forced: EMPTY,
    intents: NONE,
    keep: EMPTY,
    scaling: false,
    shed: 0,
    memory: EMPTY,
    mode: 'normal',
    shape: undefined,
    proof: [],
  };
}

function remembered(draft: Draft): PolicyState {
  const { keep, shares, before, memory, shape } = draft;
  const lastGood = isGood(draft) ? shares : before.lastGood;
  const state: Writable<PolicyState> = { ...keep, shares, lastGood, targets: memory };
  if (shape !== undefined) state.shape = shape;
  return state;
}

/** Everybody with a share is known to serve, and we chose so freely. */
function isGood({ mode, candidates, shares }: Draft): boolean {
  if (mode !== 'normal') return false;
  return candidates.every(({ platform, facts }) => {
    const { state } = facts.verdict;
    return (shares[platform] ?? 0) === 0 || state === 'up' || state === 'degraded';
  });
}
