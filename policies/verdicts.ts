import { type Candidate, type Draft, type Rank, shareOf, withStep } from './draft.ts';

/** From verdicts to ranks: who can serve, who might, who cannot. */
export function verdicts(draft: Draft): Draft {
  const candidates = draft.candidates.map((candidate) =>
    candidate.eligible ? { ...candidate, rank: rankOf(draft, candidate) } : candidate,
  );
  function lines(): readonly string[] {
    return candidates.flatMap(({ platform, facts: { verdict } }) => [
      `${platform} ${verdict.state}: ${verdict.cause}`,
      ...verdict.evidence.map((line) => `  ${line}`),
    ]);
  }
  return withStep({ ...draft, candidates }, 'verdicts', lines);
}

function rankOf(draft: Draft, { platform, facts }: Candidate): Rank {
  // Cut off ourselves, we see everybody down; who served goes on serving.
  if (draft.blind && shareOf(draft.before.shares, platform) > 0) return 'serving';
  switch (facts.verdict.state) {
    case 'up':
    case 'degraded':
      return 'serving';
    case 'unknown':
      // Not knowing is no reason to leave: after a restart, or with the probes blind, what served goes on serving.
      return shareOf(draft.before.shares, platform) > 0 ? 'serving' : 'unknown';
    case 'starting':
    case 'down':
      return 'none';
  }
}
