import type { TargetFacts } from '../src/core/facts.ts';
import { type Draft, type Rank, shareOf, withStep } from './draft.ts';

/** What is believed of each, and so who can serve, who might, who cannot: their ranks. */
export function verdicts(draft: Draft): Draft {
  const { candidates } = draft;
  function lines(): readonly string[] {
    return candidates.flatMap(({ platform, facts: { verdict } }) => [
      `${platform} ${verdict.state}: ${verdict.cause}`,
      ...verdict.evidence.map((line) => `  ${line}`),
    ]);
  }
  return withStep(draft, 'verdicts', lines);
}

/** The rank of one that may serve. */
export function rankOf(draft: Draft, { platform, verdict }: TargetFacts): Rank {
  // Cut off ourselves, we see everybody down; who served goes on serving.
  if (draft.blind && shareOf(draft.before.shares, platform) > 0) return 'serving';
  switch (verdict.state) {
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
