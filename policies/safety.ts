import type { Shares } from '../src/core/decision.ts';
import type { SafetyRule } from '../src/core/policy-settings.ts';
import { type Candidate, type Draft, normalised, shareOf, sum, totalOf, withStep } from './draft.ts';
import { fill } from './fill.ts';
import { only } from './panic.ts';

const CONTENT = ['at least one target is active'];

/**
 * Evaluated last, and may only veto or clamp: at least one target stays active, and where a rule objects to what
 * moves voluntarily, only what had to move does.
 */
export function safety(draft: Draft): Draft {
  if (totalOf(draft.shares) <= 0) return fallBack(draft);
  const objections = draft.policy.safety?.flatMap((rule) => objectionOf(draft, rule) ?? []) ?? [];
  if (objections.length === 0) return withStep(draft, 'safety', CONTENT);
  return withStep({ ...draft, shares: draft.forced }, 'safety', [
    ...objections.map((line) => `vetoed: ${line}`),
    'only what had to move moved',
  ]);
}

/** Undefined when the rule is content, or when nothing voluntary is asked of it. */
function objectionOf(draft: Draft, rule: SafetyRule): string | undefined {
  const { facts, before, now } = draft;
  if (!movesVoluntarily(draft)) return undefined;
  const subject = { facts, state: { ...before, shares: draft.shares }, platform: undefined, now };
  switch (rule.kind) {
    case 'gate':
      return rule.open.holds(subject) ? undefined : `${rule.name}: the gate ${rule.open.text} is shut`;
    case 'assert':
      if (rule.unless === 'panic' && draft.mode === 'panic') return undefined;
      return rule.that.holds(subject) ? undefined : `${rule.name}: ${rule.that.text} would not hold`;
    case 'floor': {
      const healthy = carried(draft.candidates, draft.shares) / draft.policy.overprovision;
      if (healthy >= rule.ratio) return undefined;
      const percent = Math.round(healthy * 100);
      return `${rule.name}: ${percent} % of the demand would be covered, ${Math.round(rule.ratio * 100)} % are wanted`;
    }
  }
}

function movesVoluntarily({ candidates, shares, forced }: Draft): boolean {
  return candidates.some(
    ({ platform }) => Math.abs(shareOf(shares, platform) - shareOf(forced, platform)) > 1e-6,
  );
}

/** Part of the demand that those with a share carry, overprovision included. */
function carried(candidates: readonly Candidate[], shares: Shares): number {
  return sum(candidates.filter(({ platform }) => shareOf(shares, platform) > 0).map(({ limit }) => limit));
}

/** Nobody is offered: who was taken out of service by a person serves before nobody does; else who served last. */
function fallBack(draft: Draft): Draft {
  const spared = draft.candidates.filter(
    ({ drained, facts }) => drained && (facts.verdict.state === 'up' || facts.verdict.state === 'degraded'),
  );
  if (spared.length > 0) {
    const group = spared.map(({ platform, facts }) => ({ platform, weight: facts.weight }));
    const { shares } = fill([group], () => Number.POSITIVE_INFINITY);
    const names = spared.map(({ platform }) => platform).join(' and ');
    const line = `${names} is drained, and nobody else can serve: it serves`;
    return withStep({ ...draft, shares, mode: 'last-known' }, 'safety', [line]);
  }
  const shares = lastKnown(draft);
  if (totalOf(shares) > 0) {
    const line = 'nobody can serve: the last known shares stay';
    return withStep({ ...draft, shares, mode: 'last-known' }, 'safety', [line]);
  }
  return withStep({ ...draft, shares, mode: 'outage' }, 'safety', ['nobody can serve and nobody ever did']);
}

function lastKnown({ candidates, before, policy }: Draft): Shares {
  const reachable = candidates.filter(({ facts, fenced }) => facts.origins.length > 0 && !fenced);
  const present = new Set(reachable.map(({ platform }) => platform));
  for (const remembered of [before.shares, before.lastGood]) {
    const kept = only(remembered, present);
    if (totalOf(kept) > 0) return normalised(kept);
  }
  if (policy.strategy === 'primary' && policy.primary?.switch === 'strict') return {};
  // Nobody served yet: those that may are asked, so that a request meets the platform's own answer.
  const eligible = candidates.filter((candidate) => candidate.eligible);
  const first = Math.min(...eligible.map(({ facts }) => facts.tier));
  const group = eligible.filter(({ facts }) => facts.tier === first);
  const preference = [group.map(({ platform, facts }) => ({ platform, weight: facts.weight }))];
  return fill(preference, () => Number.POSITIVE_INFINITY).shares;
}
