import type { Facts, OriginFacts, TargetFacts } from '../src/core/facts.ts';
import type { ReleaseId } from '../src/core/ids.ts';
import { type Candidate, type Draft, withStep } from './draft.ts';

/** Which targets may serve at all: by fence, drain and maintenance, and by release. */
export function eligibility(draft: Draft): Draft {
  const candidates = draft.facts.targets.map((target) => candidateOf(draft, target));
  return withStep({ ...draft, candidates }, 'eligibility', () =>
    candidates.map((candidate) =>
      candidate.eligible
        ? `${candidate.platform} may serve${releaseNote(draft.facts, candidate.facts)}`
        : `${candidate.platform} may not serve: ${candidate.objection ?? ''}`,
    ),
  );
}

function candidateOf({ facts, orders }: Draft, target: TargetFacts): Candidate {
  const { platform } = target;
  const origins = target.origins.filter((origin) => mayServe(facts, target, origin));
  const fence = orders.fenced[platform];
  const drain = orders.drained[platform];
  const objection =
    fence !== undefined
      ? `fenced, ${fence}`
      : drain !== undefined
        ? `drained, ${drain}`
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
    fenced: fence !== undefined,
    objection,
    origins: origins.map((origin) => origin.id),
    rank: 'none',
    limit: Number.POSITIVE_INFINITY,
  };
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
