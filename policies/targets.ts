import type { TargetDecision } from '../src/core/decision.ts';
import type { OriginFacts } from '../src/core/facts.ts';
import type { OriginId, PlatformName } from '../src/core/ids.ts';
import { type Candidate, type Draft, shareOf } from './draft.ts';

/** What the gateway is told of each target: its share, what else it may be used for, and by which origins. */
export function targetsOf(draft: Draft): Readonly<Record<PlatformName, TargetDecision>> {
  const targets: Record<PlatformName, TargetDecision> = {};
  for (const candidate of draft.candidates) {
    const share = shareOf(draft.shares, candidate.platform);
    targets[candidate.platform] = {
      share,
      state: stateOf(draft, candidate, share),
      origins: usableOrigins(candidate),
    };
  }
  return targets;
}

function stateOf(draft: Draft, candidate: Candidate, share: number): TargetDecision['state'] {
  if (share > 0) return 'active';
  if (!candidate.eligible) return 'off';
  if (candidate.rank !== 'none') return 'spare';
  // With everybody down each is as good a try as the other.
  return draft.mode === 'last-known' ? 'spare' : 'draining';
}

/** The best that are there: who is up; else who might be; else all. One that is down is not offered beside one that is up. */
function usableOrigins({ facts, origins }: Candidate): readonly OriginId[] {
  // A target that is not eligible and serves all the same is the last that is left: with all it has.
  const offered =
    origins.length === 0 ? facts.origins : facts.origins.filter(({ id }) => origins.includes(id));
  for (const state of ['up', 'unknown'] satisfies OriginFacts['state'][]) {
    const best = offered.filter((origin) => origin.state === state);
    if (best.length > 0) return best.map(({ id }) => id);
  }
  return offered.map(({ id }) => id);
}
