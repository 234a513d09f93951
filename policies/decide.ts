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
import { settle, shapeOf } from './settle.ts';
import { spill } from './spill.ts';
import { targetsOf } from './targets.ts';
import { tiered } from './tiered.ts';
import { verdicts } from './verdicts.ts';
import { weighted } from './weighted.ts';
import { writes } from './writes.ts';

/** What a strategy name in a policy file means. A strategy fills in `preference`, the layers do the rest. */
const STRATEGIES: Readonly<Record<PolicySettings['strategy'], Layer>> = {
  tiered,
  primary,
  weighted,
  'lowest-latency': lowestLatency,
};

/** In the order of the design; each stands in its own file and explains itself. */
function layersOf(policy: PolicySettings): readonly Layer[] {
  return [
    attribution,
    orders,
    eligibility,
    verdicts,
    STRATEGIES[policy.strategy],
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
    writes,
    growth,
  ];
}

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
  for (const layer of layersOf(policy)) draft = layer(draft);
  const { proof: steps } = draft;
  const decision: Decision = {
    application: facts.application,
    at: now,
    shares: draft.shares,
    targets: targetsOf(draft),
    mode: draft.mode,
    intents: draft.intents,
    coverage: coverageOf(draft),
    ...(draft.shed > 0 ? { shed: draft.shed } : {}),
    ...writerOf(draft),
    ...(draft.keep.frozen === undefined ? {} : { frozen: draft.keep.frozen }),
    summary: summaryOf(draft),
    reasons: reasonsOf(draft),
    get proof() {
      return proofOf(steps);
    },
  };
  return { decision, state: remembered(draft) };
}

function begin(policy: PolicySettings, facts: Facts, before: PolicyState, now: number): Draft {
  return {
    policy,
    facts,
    before,
    now,
    candidates: [],
    preference: [],
    shares: {},
    orders: NO_ORDERS,
    blind: false,
    forced: {},
    intents: [],
    keep: {},
    scaling: false,
    shed: 0,
    memory: {},
    mode: 'normal',
    proof: undefined,
  };
}

function remembered(draft: Draft): PolicyState {
  return {
    ...draft.keep,
    shares: draft.shares,
    lastGood: isGood(draft) ? draft.shares : draft.before.lastGood,
    targets: draft.memory,
    shape: shapeOf(draft),
  };
}

/** Nobody is the writer while the next one is being promoted. */
function writerOf({ keep, facts }: Draft): Pick<Decision, 'writer' | 'promoting'> {
  if (facts.data?.writes !== 'single' || keep.writer === undefined) return {};
  const { platform, epoch, ready } = keep.writer;
  return ready ? { writer: { platform, epoch } } : { promoting: { platform, epoch } };
}

/** Everybody with a share is known to serve, and we chose so freely. */
function isGood({ mode, candidates, shares }: Draft): boolean {
  if (mode !== 'normal') return false;
  return candidates.every(({ platform, facts }) => {
    const { state } = facts.verdict;
    return (shares[platform] ?? 0) === 0 || state === 'up' || state === 'degraded';
  });
}
