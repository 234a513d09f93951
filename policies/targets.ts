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
  const offered = origins.length === 0 ? facts.origins : origins;
  const best = inState(offered, 'up') ?? inState(offered, 'unknown');
  return best ?? offered.map(({ id }) => id);
}

/** Undefined when none is. */
function inState(origins: readonly OriginFacts[], wanted: OriginFacts['state']): OriginId[] | undefined {
  let found: OriginId[] | undefined;
  for (const { id, state } of origins) {
    if (state !== wanted) continue;
    if (found === undefined) found = [id];
    else found.push(id);
  }
  return found;
}
