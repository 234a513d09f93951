import { decide } from '../../../policies/decide.ts';
import type { Shares } from '../../core/decision.ts';
import type { LoggedEvent } from '../../core/events.ts';
import type { Facts } from '../../core/facts.ts';
import type { ApplicationName } from '../../core/ids.ts';
import { INITIAL_POLICY_STATE, type PolicyState } from '../../core/policy.ts';
import type { PolicySettings } from '../../core/settings.ts';

/** Between two moments that were logged the policy is asked this often: hold-downs end and ramps go on. */
const STEP_MS = 1_000;
/** Longer than this nothing was logged: the facts of before say nothing any more. */
const LONGEST_GAP_MS = 600_000;
/** Decisions are made some hundred milliseconds apart: what differs for less than this is only their rhythm. */
const LASTING_MS = 2_000;
/** Below this two shares are the same. */
const SAME = 0.005;

/** A moment from which on the policy would have had other shares than there were. */
export interface Difference {
  readonly at: number;
  readonly application: ApplicationName;
  readonly were: Shares;
  readonly wouldBe: Shares;
  /** The policy's own words. */
  readonly why: string;
}

export interface Replayed {
  readonly differences: readonly Difference[];
  /** Decisions in the log that say what they were made from. */
  readonly decisions: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/**
 * What another policy would have decided from what was known then. The facts are those that each logged decision was
 * made from, with the verdicts that changed since; what the other policy would have changed in the world (load,
 * latency) is not played: for that there are scenarios.
 */
export function replay(policy: PolicySettings, events: readonly LoggedEvent[]): Replayed {
  const names = new Set(
    events.flatMap((event) => (event.type === 'decision.made' ? [event.application] : [])),
  );
  const runs = [...names].map((name) => replayOne(policy, events, name));
  const moments = events.map(({ at }) => at);
  return {
    differences: runs.flatMap(({ differences }) => differences).sort((a, b) => a.at - b.at),
    decisions: runs.reduce((total, { decisions }) => total + decisions, 0),
    from: moments.length === 0 ? undefined : Math.min(...moments),
    to: moments.length === 0 ? undefined : Math.max(...moments),
  };
}

function replayOne(
  policy: PolicySettings,
  events: readonly LoggedEvent[],
  application: ApplicationName,
): { readonly differences: readonly Difference[]; readonly decisions: number } {
  const differences: Difference[] = [];
  let state: PolicyState = INITIAL_POLICY_STATE;
  let facts: Facts | undefined;
  let were: Shares = {};
  let clock: number | undefined;
  /** What differs now, and whether it was told. */
  let differing: { readonly key: string; readonly first: Difference; told: boolean } | undefined;
  let decisions = 0;

  function ask(at: number): void {
    if (facts === undefined) return;
    const answer = decide(policy, facts, state, at);
    state = answer.state;
    const { shares: wouldBe, summary } = answer.decision;
    if (same(were, wouldBe)) {
      differing = undefined;
      return;
    }
    const key = JSON.stringify([rounded(were), rounded(wouldBe)]);
    if (differing?.key !== key) {
      differing = { key, first: { at, application, were, wouldBe, why: summary }, told: false };
    }
    // Told once, when it has lasted.
    if (differing.told || at - differing.first.at < LASTING_MS) return;
    differing.told = true;
    differences.push(differing.first);
  }

  function passUntil(at: number): void {
    if (clock !== undefined && at - clock <= LONGEST_GAP_MS) {
      for (let moment = clock + STEP_MS; moment < at; moment += STEP_MS) ask(moment);
    }
    clock = at;
  }

  for (const event of events) {
    if (event.type === 'decision.made' && event.application === application && event.facts !== undefined) {
      passUntil(event.at);
      facts = event.facts;
      were = event.shares;
      decisions += 1;
      ask(event.at);
    } else if (event.type === 'verdict.changed' && event.application === application && facts !== undefined) {
      passUntil(event.at);
      facts = withVerdict(facts, event);
      // A decision that follows from it is logged in the same moment: its own facts are better.
      if (!decidedAt(events, event)) ask(event.at);
    }
  }
  return { differences, decisions };
}

function withVerdict(facts: Facts, event: Extract<LoggedEvent, { type: 'verdict.changed' }>): Facts {
  const { platform, to, cause, evidence, at } = event;
  const verdict = { state: to, since: at, cause, evidence };
  return {
    ...facts,
    targets: facts.targets.map((target) => (target.platform === platform ? { ...target, verdict } : target)),
  };
}

function decidedAt(events: readonly LoggedEvent[], { seq, at }: LoggedEvent): boolean {
  return events.some((event) => event.type === 'decision.made' && event.at === at && event.seq > seq);
}

function same(a: Shares, b: Shares): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (platform) => Math.abs((a[platform] ?? 0) - (b[platform] ?? 0)) < SAME,
  );
}

function rounded(shares: Shares): Shares {
  return Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, Math.round(share * 100)]));
}
