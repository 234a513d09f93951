import type { Facts, OriginFacts, TargetFacts } from '../src/core/facts.ts';
import type { ReleaseId } from '../src/core/ids.ts';
import { type Candidate, type Draft, withStep } from './draft.ts';
import { limitOf } from './spill.ts';
import { rankOf } from './verdicts.ts';

/** Which targets may serve at all: by fence, drain and maintenance, and by release. */
export function eligibility(draft: Draft): Draft {
  const candidates = draft.facts.targets.map((target) => candidateOf(draft, target));
  function lines(): readonly string[] {
    return candidates.map((candidate) =>
      candidate.eligible
        ? `${candidate.platform} may serve${releaseNote(draft.facts, candidate.facts)}`
        : `${candidate.platform} may not serve: ${candidate.objection ?? ''}`,
    );
  }
  return withStep({ ...draft, candidates }, 'eligibility', lines);
}

const ASLEEP = 'cold: it runs nothing until it is needed';

/** Made once with all that follows from the facts: the layers after this one read it and change nothing of it. */
function candidateOf(draft: Draft, target: TargetFacts): Candidate {
  const { facts, orders, policy } = draft;
  const { platform } = target;
  const origins = allowedOrigins(facts, target);
  const fence = orders.fenced[platform];
  const drain = orders.drained[platform];
  const objection =
    fence !== undefined
      ? fence
      : drain !== undefined
        ? drain
        : target.asleep !== undefined
          ? ASLEEP
          : target.origins.length === 0
            ? 'it has no origin'
            : origins.length === 0
              ? `${foreignReleases(facts, target)}, wanted ${facts.allowedReleases.join(' or ')}`
              : undefined;
  return {
    facts: target,
    platform,
    eligible: objection === undefined,
    drained: drain !== undefined && fence === undefined,
    asleep: objection === ASLEEP,
    fenced: fence !== undefined,
    objection,
    origins,
    rank: objection === undefined ? rankOf(draft, target) : 'none',
    limit: limitOf(policy, target, facts.demandRps),
  };
}

/** All of them, as a rule, and then it is the same list. */
function allowedOrigins(facts: Facts, target: TargetFacts): readonly OriginFacts[] {
  for (const origin of target.origins) {
    if (!mayServe(facts, target, origin)) return target.origins.filter((one) => mayServe(facts, target, one));
  }
  return target.origins;
}

/**
 * What answered counts before what the platform says: the platform's word may be older than the answer. An origin
 * that mixes a wanted release with another one may not serve either: requests would meet both.
 */
export function mayServe(facts: Facts, target: TargetFacts, origin: OriginFacts): boolean {
  if (!target.releaseMatters || facts.allowedReleases.length === 0) return true;
  if (origin.answered.length > 0) return origin.answered.every((release) => isAllowed(facts, release));
  return origin.declared === undefined || isAllowed(facts, origin.declared);
}

function isAllowed(facts: Facts, release: ReleaseId | undefined): boolean {
  return release !== undefined && facts.allowedReleases.includes(release);
}

function foreignReleases(facts: Facts, target: TargetFacts): string {
  const foreign = new Set<string>();
  for (const origin of target.origins) {
    const seen = origin.answered.length > 0 ? origin.answered : [origin.declared];
    for (const release of seen) {
      if (!isAllowed(facts, release)) foreign.add(release ?? 'no release at all');
    }
  }
  return `it answers ${[...foreign].join(' and ')}`;
}

function releaseNote(facts: Facts, target: TargetFacts): string {
  if (!target.releaseMatters) return ', whatever it runs';
  if (facts.allowedReleases.length === 0) return ', no release is asked for';
  const answering = target.origins.some((origin) => origin.answered.length > 0);
  return answering ? ' with the release it answers' : ' (release unproven)';
}
